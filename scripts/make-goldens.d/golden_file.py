"""How numbers are written down."""

import json
import math
import platform
from importlib import metadata
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "Tests" / "Goldens"


def rounded(values):
    """Nine significant digits: enough to tell any two f32 apart."""
    return [float(f"{value:.9g}") for value in np.asarray(values, np.float64).ravel()]


def tensor(array, whole=2000, samples=256):
    """An array as JSON: all of it if it has at most `whole` elements, or else samples spread over it.

    The samples are one at a changing place in each of equal stretches, so that no channel or column is left out.
    """
    array = np.asarray(array, np.float64)
    assert np.isfinite(array).all()
    flat = array.ravel()
    record = {
        "shape": list(array.shape),
        "norm": rounded(np.linalg.norm(flat))[0],
        "largest": rounded(np.abs(flat).max())[0],
        "mean": rounded(flat.mean())[0],
    }
    if flat.size > whole:
        stretch = flat.size / samples
        indices = [int((k + math.modf(k * 0.6180339887498949)[0]) * stretch) for k in range(samples)]
        assert sorted(set(indices)) == indices
        record["indices"] = indices
        flat = flat[indices]
    record["values"] = rounded(flat)
    return record


def versions(*packages):
    """What the numbers were made with."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def write(name, facts, **lists):
    """Writes a file with one line for each fact and for each element of each list."""
    lines = [f"{json.dumps(key)}: {compact(value)}" for key, value in facts.items()]
    for key, elements in lists.items():
        body = ",\n".join(compact(element) for element in elements)
        lines.append(f"{json.dumps(key)}: [\n{body}\n]")
    path = FOLDER / f"{name}.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
