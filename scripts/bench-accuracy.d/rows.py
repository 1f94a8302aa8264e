"""What is compared: one line of ROWS each, and how a run of it gives its accuracy on the test pictures."""

import dataclasses
import hashlib
import json
import pathlib
import subprocess
import sys
import typing

HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Bench:
    """What every run is told."""
    output: pathlib.Path
    graft: pathlib.Path
    backbone: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Run:
    """One cell of the table with one seed."""
    column: typing.Any
    seed: int
    manifest: pathlib.Path
    pictures: list
    features: typing.Any


@dataclasses.dataclass(frozen=True)
class GraftRow:
    name: str
    title: str
    options: tuple = ()
    needs_features = False

    def command(self, column):
        """The options of `graft train` that make a difference."""
        return [*self.options, *(["--image-size", str(column.size)] if column.size != 224 else [])]

    def digest(self, column):
        return " ".join(self.command(column))

    def run(self, bench, run):
        folder = bench.output / "runs" / self.name
        folder.parent.mkdir(parents=True, exist_ok=True)
        answer = subprocess.run(
            [bench.graft, "train", "--data", run.manifest, "--output", folder, "--force", "--seed", str(run.seed),
             "--feature-folder", bench.output / "feature-library", "--json", *self.command(run.column)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if answer.returncode:
            raise RuntimeError(answer.stderr[-2000:])
        result = json.loads(answer.stdout)
        return {
            "accuracy": result["test"]["class"]["accuracy"], "validation": result["validation"]["class"]["accuracy"],
            "phases": [{key: phase[key] for key in ("name", "epochs", "seconds")} for phase in result["phases"]],
        }


@dataclasses.dataclass(frozen=True)
class PythonRow:
    """A file of this folder with a function `run`, which gets features and labels and says how well it did."""
    name: str
    title: str
    source: str
    needs_features = True

    def digest(self, column):
        return hashlib.sha256((HERE / self.source).read_bytes()).hexdigest()

    def run(self, bench, run):
        answer = subprocess.run(
            [sys.executable, HERE / self.source, run.manifest, run.features.path, str(run.column.size), str(run.seed),
             bench.backbone], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if answer.returncode:
            raise RuntimeError(answer.stderr[-2000:])
        return json.loads(answer.stdout.splitlines()[-1])


ROWS = [
    GraftRow("default", "Graft, as it is"),
    GraftRow("best", "Graft, `--recipe best`", ("--recipe", "best")),
    GraftRow("head", "Graft, `head`", ("--schedule", "head")),
    GraftRow("probe-then-tune", "Graft, `probe-then-tune`", ("--schedule", "probe-then-tune")),
    GraftRow("gradual", "Graft, `gradual`", ("--schedule", "gradual")),
    PythonRow("logistic", "scikit-learn, logistic regression on the frozen features", "logistic.py"),
    PythonRow("keras", "Keras, head and then all at 1e-5", "keras_recipe.py"),
    GraftRow("default-bf16", "Graft, `--precision bf16`", ("--precision", "bf16")),
    GraftRow("probe-then-tune-bf16", "Graft, `probe-then-tune`, `--precision bf16`",
             ("--schedule", "probe-then-tune", "--precision", "bf16")),
]
# What runs unless rows are named: single precision.
USUAL = [row for row in ROWS if not row.name.endswith("-bf16")]
