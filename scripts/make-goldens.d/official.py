"""The official weight files of keras.applications with their published hashes, for pretrained/manifest.json.

Nothing is fetched: every network is made with `weights="imagenet"` and what Keras asks for is written down.
"""

import sys
from pathlib import Path
from unittest import mock

import catalogue
import keras
from keras.src.models import Functional
from keras.src.utils import file_utils

sys.path.append(str(Path(__file__).parents[1] / "manifest"))
import manifest

MANIFEST = Path(__file__).resolve().parents[2] / "pretrained" / "manifest.json"

# Networks whose files differ by the size of the pictures that they were trained on.
SIZES = {"MobileNet": (224, 192, 160, 128), "MobileNetV2": (224, 192, 160, 128, 96)}


def asked_for(network, size, include_top):
    """The name of the file and its hash, if Keras knows one."""
    asked = []

    def get_file(name, origin=None, cache_subdir=None, file_hash=None, **_):
        asked.append((name, file_hash))
        return ""

    keras.backend.clear_session()
    with mock.patch.object(file_utils, "get_file", get_file), mock.patch.object(Functional, "load_weights", lambda *_: None):
        network.function(weights="imagenet", include_top=include_top, input_shape=(size, size, 3), **network.options)
    (result,) = asked
    return result


def entry(network, size, include_top):
    name, digest = asked_for(network, size, include_top)
    print(f"  {network.name}: {name}", flush=True)
    record = {"family": network.name, "file": name, "includeTop": include_top}
    if digest:
        record["md5" if len(digest) == 32 else "sha256"] = digest
    return record


def make():
    """The list `official` of pretrained/manifest.json"""
    published = [n for n in catalogue.NETWORKS if n.computes and hasattr(keras.applications, n.function.__name__)]
    with catalogue.no_random_values():
        official = [
            entry(network, size, include_top)
            for network in published
            for size in SIZES.get(network.function.__name__, (network.own,))
            for include_top in (True, False)
        ]
    manifest.write(MANIFEST, manifest.read(MANIFEST) | {"official": official})
