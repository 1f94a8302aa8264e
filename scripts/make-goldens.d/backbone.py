"""The embedded EfficientNet-Lite0, opened by stock Keras: on generated pixels and on real photos. In f32."""

import hashlib
import json
from importlib import metadata
from pathlib import Path

import generator
import golden_file
import keras
import numpy as np
from PIL import Image

PRETRAINED = Path(__file__).resolve().parents[2] / "pretrained"
INPUT_SHAPE = (2, 224, 224, 3)
TAPS = ("rescaling", "stem_activation", "block2b_add", "block4a_bn", "block5c_add", "block7a_project_bn", "top_activation")


def manifest():
    return json.loads((PRETRAINED / "manifest.json").read_text(encoding="utf-8"))["models"][0]


def load():
    return keras.models.load_model(PRETRAINED / manifest()["file"], compile=False)


def facts():
    entry = manifest()
    return {
        "versions": golden_file.versions("keras", "jax", "numpy", "pillow"),
        "precision": "float32",
        "file": entry["file"],
        "sha256": entry["sha256"],
    }


def make_model():
    """Tests/Goldens/efficientnet-lite0.json"""
    model = load()
    head = model.get_layer("predictions")
    taps = [model.get_layer(name).output for name in TAPS]
    features = model.get_layer("top_dropout").output
    *tapped, features, probabilities = keras.Model(model.inputs[0], [*taps, features, model.output])(
        generator.pixels("input", INPUT_SHAPE)
    )
    kernel, bias = (np.asarray(value) for value in head.weights)
    logits = np.asarray(features) @ kernel + bias
    golden_file.write(
        "efficientnet-lite0",
        facts() | {"input": {"path": "input", "values": "255u", "shape": INPUT_SHAPE}},
        layers=[{"name": name, "output": golden_file.tensor(value)} for name, value in zip(TAPS, tapped)],
        logits=[golden_file.rounded(row) for row in logits],
        probabilities=[golden_file.rounded(row) for row in np.asarray(probabilities)],
    )


def photo(path):
    """Short side to 224 by Lanczos, then the middle 224 x 224."""
    image = Image.open(path).convert("RGB")
    size = INPUT_SHAPE[1]
    scale = size / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.LANCZOS)
    left, top = ((side - size) // 2 for side in image.size)
    return np.asarray(image.crop((left, top, left + size, top + size)), np.float32)


def make_photos():
    """Tests/Goldens/foolbox-imagenet.json"""
    folder = Path(metadata.distribution("foolbox").locate_file("foolbox/data"))
    paths = sorted(folder.glob("imagenet_*.jpg"))
    assert len(paths) == 20
    labels = [int(path.stem.rsplit("_", 1)[1]) for path in paths]
    names = (PRETRAINED / manifest()["classNames"]["file"]).read_text(encoding="utf-8").splitlines()
    probabilities = np.asarray(load()(np.stack([photo(path) for path in paths])))
    best = np.argsort(-probabilities, axis=1)[:, :5]
    right = {
        "top1": sum(label == row[0] for label, row in zip(labels, best)),
        "top5": sum(label in row for label, row in zip(labels, best)),
    }
    assert right["top1"] >= 17 and right["top5"] == 20, right
    golden_file.write(
        "foolbox-imagenet",
        facts()
        | {
            "package": {"name": "foolbox", "version": metadata.version("foolbox"), "folder": "foolbox/data"},
            "resize": "short side to 224 by Lanczos (Pillow), then the middle 224 x 224",
        }
        | {key: int(value) for key, value in right.items()},
        photos=[
            {
                "file": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "label": label,
                "class": names[label],
                "top": [
                    {"index": int(index), "class": names[index], "probability": golden_file.rounded(row[index])[0]}
                    for index in order
                ],
            }
            for path, label, order, row in zip(paths, labels, best, probabilities)
        ],
    )
