"""What a Python row is given on its command line."""

import csv
import dataclasses
import json
import os
import pathlib
import sys

import numpy


@dataclasses.dataclass
class Part:
    paths: list
    features: numpy.ndarray  # [N, 2, channels]: of the pictures as they are, and mirrored
    labels: numpy.ndarray


class Given:
    def __init__(self, manifest, features, size, seed, backbone):
        self.size, self.seed, self.backbone = int(size), int(seed), backbone
        folder = pathlib.Path(manifest).parent
        with open(manifest, newline="") as file:
            lines = list(csv.DictReader(file))
        for line in lines:
            line["path"] = os.path.normpath(folder / line["path"])
        self.classes = sorted({line["class"] for line in lines})
        numbers = {name: number for number, name in enumerate(self.classes)}
        rows = numpy.load(features, mmap_mode="r")
        places = {name: place for place, name in enumerate(
            pathlib.Path(features).with_suffix(".txt").read_text().splitlines())}
        for part, name in [("training", "train"), ("validation", "val"), ("test", "test")]:
            chosen = [line for line in lines if line["split"] == name]
            paths = [line["path"] for line in chosen]
            setattr(self, part, Part(
                paths, numpy.asarray(rows[[places[path] for path in paths]]),
                numpy.array([numbers[line["class"]] for line in chosen])))


def given():
    return Given(*sys.argv[1:])


def answer(**values):
    print(json.dumps(values))
