"""Test accuracy with few pictures a class, over several seeds; writes accuracy.md and accuracy.json."""

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import pathlib
import statistics
import sys
import time

import features
import files
import pictures
import rows


def seeds(text):
    found = []
    for word in text.split(","):
        first, _, last = word.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def parse():
    parser = argparse.ArgumentParser(prog="bench-accuracy", description=__doc__)
    words = lambda text: text.split(",")
    all_rows, all_columns = [row.name for row in rows.ROWS], [column.name for column in pictures.COLUMNS]
    parser.add_argument("--root", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--graft", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=words, default=[row.name for row in rows.USUAL],
                        help="with commas, of " + ", ".join(all_rows))
    parser.add_argument("--columns", type=words, default=all_columns, help="with commas, of " + ", ".join(all_columns))
    parser.add_argument("--seeds", type=seeds, default=seeds("1-10"), help="such as 1-10 or 1,4,7; 1-10 unless given")
    parser.add_argument("--again", action="store_true", help="run what has a result too")
    parser.add_argument("--keep", action="store_true",
                        help="add what is found to the results that are committed, of whatever machine they are")
    parser.add_argument("--output", type=pathlib.Path, help="folder of everything; runs/accuracy unless given")
    arguments = parser.parse_args()
    for option, known in [("rows", all_rows), ("columns", all_columns)]:
        for name in getattr(arguments, option):
            if name not in known:
                sys.exit(f"bench-accuracy: --{option} has no {name}: expected some of {', '.join(known)}")
    arguments.rows = [row for row in rows.ROWS if row.name in arguments.rows]
    arguments.columns = [column for column in pictures.COLUMNS if column.name in arguments.columns]
    return arguments


class Results:
    """Finished runs, a line each, committed ones and this machine's; of two with one key the later stands."""

    COMMITTED = pathlib.Path(__file__).parent / "results.jsonl"

    def __init__(self, path, keeps):
        self.paths, self.known = [path] + ([self.COMMITTED] if keeps else []), {}
        for file in [self.COMMITTED, path]:
            for line in file.read_text().splitlines() if file.exists() else []:
                try:
                    result = json.loads(line)
                except ValueError:
                    continue  # a line that was not finished
                self.known[self.key(result)] = result

    @staticmethod
    def key(result):
        return tuple(result[name] for name in ("row", "column", "seed", "digest"))

    def add(self, result):
        self.known[self.key(result)] = result
        for path in self.paths:
            cut_off = path.exists() and not path.read_bytes().endswith(b"\n")
            with open(path, "a") as file:
                file.write("\n" * cut_off + json.dumps(result) + "\n")


def run_all(arguments, output):
    """The results of all cells that were asked for, those of earlier runs among them."""
    bench = rows.Bench(output, arguments.graft, arguments.root / "pretrained/efficientnet-lite0.h5")
    results = Results(output / "results.jsonl", arguments.keep)
    manifests = pictures.Manifests(output)
    program = hashlib.sha256(arguments.graft.read_bytes()).hexdigest()[:12]
    kept, tables, begun = [], {}, time.perf_counter()
    cells = [(row, column, seed) for row in arguments.rows for seed in arguments.seeds for column in arguments.columns]
    for place, (row, column, seed) in enumerate(cells):
        manifest = manifests.write(column, seed)
        digest = hashlib.sha256(f"{row.digest(column)}\n{manifest}".encode()).hexdigest()[:16]
        key = (row.name, column.name, seed, digest)
        if key not in results.known or arguments.again:
            chosen = manifests.pictures(column, seed)
            table = None
            if row.needs_features:
                of = (column.data, column.size)
                table = tables.get(of) or features.Features(output, arguments.graft, bench.backbone, *of)
                tables[of] = table
                # For all seeds at once, as the file is written anew whenever it grows.
                table.compute(picture.path for other in arguments.columns if (other.data, other.size) == of
                              for each in arguments.seeds for picture in manifests.pictures(other, each))
            start = time.perf_counter()
            try:
                found = row.run(bench, rows.Run(column, seed, manifests.path(column, seed), chosen, table))
            except RuntimeError as error:
                sys.exit(f"bench-accuracy: {row.name}, {column.name}, seed {seed}: {error}")
            results.add({"row": row.name, "column": column.name, "seed": seed, "digest": digest, "program": program,
                         "seconds": round(time.perf_counter() - start, 2), **found})
        result = results.known[key]
        kept.append(result)
        print(f"{place + 1}/{len(cells)} {row.name}, {column.name}, seed {seed}: {100 * result['accuracy']:.1f} %, "
              f"{result['seconds']:.1f} s", file=sys.stderr)
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return kept


def figures(values):
    """Mean and standard error in percent."""
    values = [100 * value for value in values]
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return {"mean": statistics.mean(values), "standardError": error, "count": len(values)}


def summary(arguments, results):
    """For each row its columns, its mean over columns (the error is that of the seeds' means), and its time."""
    by_cell = {(result["row"], result["column"], result["seed"]): result for result in results}
    table = {}
    for row in arguments.rows:
        of = lambda column, seed: by_cell[row.name, column.name, seed]
        accuracies = lambda column: [of(column, seed)["accuracy"] for seed in arguments.seeds]
        means = [statistics.mean(of(column, seed)["accuracy"] for column in arguments.columns)
                 for seed in arguments.seeds]
        entry = {
            "columns": {column.name: figures(accuracies(column)) for column in arguments.columns},
            "mean": figures(means),
            "medianSeconds": statistics.median(
                of(column, seed)["seconds"] for column in arguments.columns for seed in arguments.seeds),
            "seconds": {column.name: statistics.median(of(column, seed)["seconds"] for seed in arguments.seeds)
                        for column in arguments.columns},
        }
        if any(other.name == "default" for other in arguments.rows) and row.name != "default":
            # Seed by seed on the same pictures, which says more than the difference of two means.
            lead = lambda column, seed: (
                by_cell["default", column.name, seed]["accuracy"] - of(column, seed)["accuracy"])
            entry["defaultIsAhead"] = {
                **{column.name: figures([lead(column, seed) for seed in arguments.seeds])
                   for column in arguments.columns},
                "mean": figures([statistics.mean(lead(column, seed) for column in arguments.columns)
                                 for seed in arguments.seeds])}
        table[row.name] = entry
    return table


def cell(value, sign=""):
    error = "" if value["standardError"] is None else f" ± {value['standardError']:.1f}"
    return f"{value['mean']:{sign}.1f}{error}"


def markdown(arguments, document):
    table = document["rows"]
    names = [column.name for column in arguments.columns]
    rule = "| --- |" + " --- |" * len(names)
    head = "| | " + " | ".join(column.title for column in arguments.columns)
    lines = [f"Test accuracy in percent, mean ± standard error over {len(arguments.seeds)} "
             f"{'seeds' if len(arguments.seeds) > 1 else 'seed'}, {document['date']}; "
             + ", ".join(f"{name} {version}" for name, version in document["versions"].items()) + ".", "",
             head + " | mean | median s a run |", rule + " --- | --- |"]
    for row in arguments.rows:
        entry = table[row.name]
        lines.append("| " + " | ".join([row.title, *(cell(entry["columns"][name]) for name in names),
                                        cell(entry["mean"]), f"{entry['medianSeconds']:.1f}"]) + " |")
    leads = [row for row in arguments.rows if "defaultIsAhead" in table[row.name]]
    if leads:
        lines += ["", "By how much Graft's default is better, seed by seed on the same pictures:", "",
                  head + " | mean |", rule + " --- |"]
        for row in leads:
            entry = table[row.name]["defaultIsAhead"]
            lines.append("| " + " | ".join([row.title, *(cell(entry[name], "+") for name in [*names, "mean"])]) + " |")
    if len(document["programs"]) > 1:
        lines += ["", f"These are results of {len(document['programs'])} builds of `graft`; --again runs all with one."]
    return "\n".join([*lines, ""])


def main():
    arguments = parse()
    arguments.graft = arguments.graft.resolve()
    output = (arguments.output or arguments.root / "runs/accuracy").resolve()
    output.mkdir(parents=True, exist_ok=True)
    results = run_all(arguments, output)
    document = {
        "date": datetime.date.today().isoformat(),
        "versions": {name: importlib.metadata.version(name) for name in ["scikit-learn", "keras", "tensorflow_cpu"]},
        "programs": sorted({result["program"] for result in results
                            if isinstance(next(row for row in rows.ROWS if row.name == result["row"]), rows.GraftRow)}),
        "seeds": arguments.seeds, "rows": summary(arguments, results), "results": results,
    }
    files.write(output / "accuracy.json", (json.dumps(document, indent=2) + "\n").encode())
    files.write(output / "accuracy.md", markdown(arguments, document).encode())
    print((output / "accuracy.md").read_text(), end="")


main()
