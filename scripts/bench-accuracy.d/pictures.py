"""The pictures of both data sets: their classes, which of them test, and what a seed draws for a column."""

import csv
import dataclasses
import gzip
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys

import numpy
from PIL import Image

import files

STAMPS = {  # as in scripts/quickstart
    "birds": "animals/birds", "mammals": "animals/mammals", "fruit": "food/fruit", "vegetables": "food/vegetables",
    "flowers": "plants/flowers", "insects": "animals/insects", "money": "symbols/money", "houses": "town/houses",
    "road signs": "town/roadsigns", "tools": "household/tools",
}
FASHION = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
FASHION_TEST_PER_CLASS = 100
TEST_SHARE = 0.15


@dataclasses.dataclass(frozen=True)
class Picture:
    path: str
    label: str
    part: str  # train, val or test


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    data: str
    count: int | None  # pictures a class for training and validation together; all there are where None
    size: int

    @property
    def title(self):
        return f"{'stamps' if self.data == 'stamps' else 'Fashion-MNIST'}, {self.count or 'all'}"


COLUMNS = [Column(f"stamps-{count or 'all'}", "stamps", count, 224) for count in (5, 10, 20, None)] + [
    Column(f"fashion-{count}", "fashion", count, 96) for count in (10, 50, 200)]


def validation_places(count):
    """Which of a class's pictures, in the order they were drawn, validate: every fifth, and so a fifth of them.

    The places of fewer pictures are among those of more, so that columns are nested in both parts.
    """
    return set(range(4, count, 5)) or {count - 1}


def shuffled(names, *seed):
    """Names in an order that depends on nothing but the names and the seed."""
    return sorted(names, key=lambda name: hashlib.sha256("\n".join(map(str, [*seed, name])).encode()).digest())


def drawn(order, label, column, path=lambda name: name):
    chosen = order[:column.count]
    validation = validation_places(len(chosen))
    return [Picture(path(name), label, "val" if place in validation else "train") for place, name in enumerate(chosen)]


class Stamps:
    def __init__(self, output):
        self.folder = pathlib.Path(os.environ.get("GRAFT_STAMPS", "/usr/share/tuxpaint/stamps"))
        self.classes = {}
        for label, folder in STAMPS.items():
            if not (self.folder / folder).is_dir():
                sys.exit(f"bench-accuracy: {self.folder / folder} is missing; install tuxpaint-stamps-default, as "
                         "scripts/setup does, or name its folder in GRAFT_STAMPS")
            self.classes[label] = sorted(
                str(path.relative_to(self.folder)) for path in (self.folder / folder).rglob("*.png"))

    def draw(self, column, seed):
        pictures = []
        path = lambda name: str(self.folder / name)
        for label, names in self.classes.items():
            order = shuffled(names, seed)
            test = max(1, round(TEST_SHARE * len(order)))
            pictures += [Picture(path(name), label, "test") for name in order[:test]]
            pictures += drawn(order[test:], label, column, path)
        return pictures


class Fashion:
    """Written as PNG files once; the same pictures of its test file test whatever the seed."""

    def __init__(self, output):
        source = pathlib.Path(os.environ.get("GRAFT_FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))
        if not source.is_dir() and "GRAFT_FASHION_MNIST" not in os.environ:
            install("dataset-fashion-mnist")
        self.folder = output / "fashion-mnist"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.images, self.classes = {}, {}
        for part, stem in [("train", "train"), ("test", "t10k")]:
            labels = numbers(source / f"{stem}-labels-idx1-ubyte.gz", offset=8)
            self.images[part] = numbers(source / f"{stem}-images-idx3-ubyte.gz", offset=16).reshape(-1, 28, 28)
            self.classes[part] = {
                label: [f"{part}-{place:05}.png" for place in numpy.flatnonzero(labels == number)]
                for number, label in enumerate(FASHION)}

    def draw(self, column, seed):
        pictures = []
        for label, names in self.classes["test"].items():
            pictures += [Picture(self.written(name), label, "test")
                         for name in shuffled(names, "test")[:FASHION_TEST_PER_CLASS]]
        for label, names in self.classes["train"].items():
            pictures += drawn(shuffled(names, seed), label, column, self.written)
        return pictures

    def written(self, name):
        path = self.folder / name
        if not path.exists():
            part, place = path.stem.split("-")
            draft = path.with_suffix(".partial")
            Image.fromarray(self.images[part][int(place)]).save(draft, "PNG")
            draft.replace(path)
        return str(path)


def numbers(path, offset):
    if not path.is_file():
        sys.exit(f"bench-accuracy: {path} is missing; install Debian's dataset-fashion-mnist, or name the folder of "
                 "Fashion-MNIST's four files in GRAFT_FASHION_MNIST")
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=offset)


def install(package):
    root = [] if os.geteuid() == 0 else ["sudo"]
    if not shutil.which("apt-get") or (root and not shutil.which("sudo")):
        sys.exit(f"bench-accuracy: install {package} as root, or name the folder of Fashion-MNIST's four files in "
                 "GRAFT_FASHION_MNIST")
    command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--quiet"]
    install = [*command, "install", "--no-install-recommends", package]
    # Lists of packages may be old or not there at all; only then are they fetched.
    if subprocess.run(install, stdout=sys.stderr).returncode:
        subprocess.run([*command, "update"], stdout=sys.stderr)
        if subprocess.run(install, stdout=sys.stderr).returncode:
            sys.exit(f"bench-accuracy: {package} cannot be installed; name the folder of Fashion-MNIST's four files in "
                     "GRAFT_FASHION_MNIST")


class Manifests:
    """The pictures of a column and a seed, and the CSV file that names them for Graft."""

    def __init__(self, output):
        self.output, self.data, self.known = output, {}, {}

    def pictures(self, column, seed):
        if (column, seed) not in self.known:
            if column.data not in self.data:
                self.data[column.data] = {"stamps": Stamps, "fashion": Fashion}[column.data](self.output)
            self.known[column, seed] = self.data[column.data].draw(column, seed)
        return self.known[column, seed]

    def path(self, column, seed):
        return self.output / "manifests" / f"{column.name}-{seed}.csv"

    def write(self, column, seed):
        """Writes the file and gives its digest."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["path", "class", "split"])
        path = self.path(column, seed)
        for picture in self.pictures(column, seed):
            # What this script wrote is named from the manifest's folder, so that the results stand if all moves.
            name = pathlib.Path(picture.path)
            own = name.is_relative_to(self.output)
            writer.writerow([os.path.relpath(name, path.parent) if own else name, picture.label, picture.part])
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, text.getvalue().encode())
        return hashlib.sha256(text.getvalue().encode()).hexdigest()


def pixels(path, size):
    """A picture as Graft shows it: on white, scaled by a bicubic filter to fit, white beside or above and below it."""
    with Image.open(path) as file:
        image = file.convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(paper, image).convert("RGB")
    scale = size / max(image.size)
    shown = tuple(min(size, max(1, round(length * scale))) for length in image.size)
    sheet = Image.new("RGB", (size, size), "white")
    sheet.paste(image.resize(shown, Image.Resampling.BICUBIC), ((size - shown[0]) // 2, (size - shown[1]) // 2))
    return numpy.asarray(sheet, numpy.float32)
