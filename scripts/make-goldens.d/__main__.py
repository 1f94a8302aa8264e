"""Makes golden files: see scripts/make-goldens. Each runs in a process of its own, for it sets Keras's precision."""

import argparse
import os
import subprocess
import sys

# Name of the file → module, function, its arguments, precision.
PARTS = {
    "efficientnet-lite0": ("backbone", "make_model", (), "float32"),
    "foolbox-imagenet": ("backbone", "make_photos", (), "float32"),
    "vgg16": ("families", "make", ("vgg16",), "float64"),
    "resnet50": ("families", "make", ("resnet50",), "float64"),
    "inceptionv3": ("families", "make", ("inceptionv3",), "float64"),
    "mobilenetv2": ("families", "make", ("mobilenetv2",), "float64"),
    "catalogue": ("catalogue", "make_table", (), "float32"),
    "catalogue-outputs": ("catalogue", "make_outputs", (), "float64"),
    "official-weights": ("official", "make", (), "float32"),
    "layers": ("layers", "make", ("layers",), "float64"),
    "layers-normalization": ("layers", "make", ("layers-normalization",), "float64"),
    "layers-activation": ("layers", "make", ("layers-activation",), "float64"),
    "layers-merging": ("layers", "make", ("layers-merging",), "float64"),
    "layers-sequence": ("layers", "make", ("layers-sequence",), "float64"),
    "layers-size": ("layers", "make", ("layers-size",), "float64"),
    "layers-operator": ("layers", "make", ("layers-operator",), "float64"),
    "optimizers": ("optimizers", "make", (), "float64"),
    "learning-rates": ("learning_rates", "make", (), "float64"),
    "real-files": ("real_files", "make", (), "float32"),
    "losses": ("losses", "make", (), "float64"),
}

# Parts that need PyTorch beside Keras, with the script in whose environment both are.
ENVIRONMENTS = {"learning-rates": "bench-peers"}


def make(part):
    module, function, arguments, precision = PARTS[part]
    os.environ["JAX_ENABLE_X64"] = "1" if precision == "float64" else "0"
    import importlib

    import keras
    from keras.src.backend.common import dtypes

    keras.config.set_floatx(precision)
    # On JAX, Keras meets f64 with f32 (its BatchNormalization does so always) unless this table says otherwise.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = precision
    getattr(importlib.import_module(module), function)(*arguments)


def command(part):
    """How a part is made, and in which environment."""
    folder = os.path.dirname(os.path.abspath(__file__))
    arguments = [folder, "--here", part]
    if part not in ENVIRONMENTS:
        return [sys.executable, *arguments], os.environ
    name = ENVIRONMENTS[part]
    scripts = os.path.dirname(folder)
    environment = [f"{scripts}/python-environment", name, f"{scripts}/{name}.d/requirements.txt"]
    python = subprocess.run(environment, check=True, capture_output=True, text=True).stdout.strip()
    return [python, *arguments], os.environ | {"KERAS_BACKEND": "torch"}


def main():
    parser = argparse.ArgumentParser(prog="make-goldens")
    parser.add_argument("part", nargs="*", help="a file of Tests/Goldens without .json; all by default")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = [part for part in arguments.part if part not in PARTS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: not among {', '.join(PARTS)}")
    if arguments.list:
        print("\n".join(PARTS))
    elif arguments.here:
        make(*arguments.part)
    else:
        for part in arguments.part or PARTS:
            line, environment = command(part)
            status = subprocess.run(line, env=environment).returncode
            if status:
                sys.exit(f"make-goldens: {part} was not made")


main()
