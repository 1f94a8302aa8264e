"""Every family that Graft has in code, built by stock Keras: their layers and sizes, and what they compute.

Tests/Goldens/catalogue.json says for each network, with its classifier, without it, and for grey pictures, how many
numbers it holds and a hash of its layers' names and shapes. Tests/Goldens/catalogue-outputs.json has outputs of small
pictures, in f64 with weights and inputs that are f32.
"""

import contextlib
import os
from unittest import mock

import generator
import golden_file
import keras
import networks
import numpy as np
from keras import applications
from keras.src.applications import efficientnet, imagenet_utils
from keras.src.initializers import random_initializers
from keras.src.models import Functional

# Pictures as (height, width), without the classifier and with it. The first is not square and partly odd, where padding
# goes wrong first; those of giants are as small as they can take.
USUAL = ((65, 80), (96, 96))
SMALL = ((33, 48), (64, 64))
INCEPTION = ((75, 91), (107, 107))


class Network:
    """A row of the catalogue."""

    def __init__(self, name, function, sizes=USUAL, own=224, gain=1.0, computes=True, pixels=False, **options):
        self.name = name
        # Height and width of the pictures that its published weights were trained on.
        self.own = own
        self.function = getattr(applications, function, None) or getattr(networks, function)
        self.options = options
        self.sizes = sizes
        # A factor for every gamma of a normalisation, so that a deep sum of branches stays within a few powers of ten.
        self.gain = gain
        # Whether its outputs are written down too, and whether it takes pictures of 0...255 or of -1...1.
        self.computes = computes
        self.pixels = pixels

    @property
    def is_published(self):
        """Whether a layer exists only where the official weights are loaded."""
        return self.function.__name__.startswith("EfficientNetB")

    def model(self, shape, include_top):
        keras.backend.clear_session()  # so that automatic names start from the beginning
        make = lambda weights: self.function(
            weights=weights, include_top=include_top, input_shape=shape, **self.options
        )
        if not self.is_published or shape[-1] != 3:
            return make(None)
        with (
            mock.patch.object(efficientnet.file_utils, "get_file", lambda *_, **__: ""),
            mock.patch.object(Functional, "load_weights", lambda *_: None),
            mock.patch.object(imagenet_utils, "obtain_input_shape", lambda shape, **_: shape),
        ):
            return make("imagenet")


def widths(name, function, alphas, **options):
    return [Network(name if a == 1 else f"{name}-{a}", function, alpha=float(a), **options) for a in alphas]


def minimalistic(size):
    return Network(
        f"mobilenetv3{size.lower()}-minimalistic", f"MobileNetV3{size}", gain=0.8, pixels=True, alpha=1.0, minimalistic=True
    )


NETWORKS = [
    Network("xception", "Xception", INCEPTION, own=299, gain=0.6),
    Network("vgg16", "VGG16", SMALL),
    Network("vgg19", "VGG19", SMALL),
    Network("resnet50", "ResNet50", gain=0.7),
    Network("resnet101", "ResNet101", SMALL, gain=0.65),
    Network("resnet152", "ResNet152", SMALL, gain=0.6),
    Network("resnet50v2", "ResNet50V2", gain=0.7),
    Network("resnet101v2", "ResNet101V2", SMALL, gain=0.65),
    Network("resnet152v2", "ResNet152V2", SMALL, gain=0.6),
    Network("inceptionv3", "InceptionV3", INCEPTION, own=299),
    Network("inceptionresnetv2", "InceptionResNetV2", INCEPTION, own=299),
    *widths("mobilenet", "MobileNet", [1, 0.75, 0.5, 0.25]),
    *widths("mobilenet", "MobileNet", [0.6, 1.5], computes=False),
    *widths("mobilenetv2", "MobileNetV2", [1, 0.35, 0.5, 0.75, 1.3, 1.4]),
    *widths("mobilenetv2", "MobileNetV2", [0.42, 2.0], computes=False),
    *widths("mobilenetv3small", "MobileNetV3Small", [1, 0.75], pixels=True, gain=0.8),
    *widths("mobilenetv3small", "MobileNetV3Small", [0.5, 1.25], pixels=True, computes=False),
    minimalistic("Small"),
    *widths("mobilenetv3large", "MobileNetV3Large", [1, 0.75], pixels=True, gain=0.8),
    *widths("mobilenetv3large", "MobileNetV3Large", [0.5, 1.25], pixels=True, computes=False),
    minimalistic("Large"),
    Network("densenet121", "DenseNet121"),
    Network("densenet169", "DenseNet169", SMALL),
    Network("densenet201", "DenseNet201", SMALL),
    Network("nasnetmobile", "NASNetMobile", gain=0.7),
    Network("nasnetlarge", "NASNetLarge", SMALL, own=331, gain=0.7),
    *[
        Network(f"efficientnetb{n}", f"EfficientNetB{n}", USUAL if n < 4 else SMALL, own, 0.8, pixels=True)
        for n, own in enumerate((224, 240, 260, 300, 380, 456, 528, 600))
    ],
    *[
        Network(f"efficientnetv2b{n}", f"EfficientNetV2B{n}", USUAL, own, 0.7, pixels=True)
        for n, own in enumerate((224, 240, 260, 300))
    ],
    *[
        Network(f"efficientnetv2{size.lower()}", f"EfficientNetV2{size}", SMALL, own, 0.55, pixels=True)
        for size, own in (("S", 384), ("M", 480), ("L", 480))
    ],
    *[
        Network(f"convnext{size.lower()}", f"ConvNeXt{size}", SMALL, pixels=True)
        for size in ("Tiny", "Small", "Base", "Large", "XLarge")
    ],
    Network("squeezenet1.1", "SqueezeNet", own=227),
    *[
        Network(f"efficientnet-lite{n}", f"EfficientNetLite{n}", USUAL if n < 3 else SMALL, own, pixels=True)
        for n, own in enumerate((224, 240, 260, 280, 300))
    ],
]


@contextlib.contextmanager
def no_random_values():
    """Variables begin as zeros: drawing hundreds of millions of numbers that nobody reads takes minutes."""
    zeros = lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype)
    with mock.patch.object(random_initializers.VarianceScaling, "__call__", zeros):
        yield


def operations(model, prefix=""):
    """Every layer and every operation between layers as (name, its output), in Keras's order; nested models opened."""
    for operation in getattr(model, "operations", None) or model.layers:
        if hasattr(operation, "layers"):
            yield from operations(operation, f"{prefix}{operation.name}/")
        else:
            yield f"{prefix}{operation.name}", operation.output


def description(model):
    """A line for each layer with its output's shape, then a line for each weight with its own."""
    lines = [f"{name} {list(output.shape[1:])}" for name, output in operations(model)]
    lines += [f"{path} {list(variable.shape)}" for path, variable, _ in generator.weights(model)]
    return lines


def row(network, shape, include_top):
    model = network.model(shape, include_top)
    lines = description(model)
    if folder := os.environ.get("GRAFT_CATALOGUE_LINES"):  # to look at where a hash differs
        with open(f"{folder}/{network.name}-{shape[-1]}-{include_top}.txt", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    text = "\n".join(lines)
    print(f"  {network.name} {shape} {include_top}: {model.count_params()}", flush=True)
    return {
        "family": network.name,
        "shape": shape,
        "includeTop": include_top,
        "layers": len(list(operations(model))),
        "parameters": sum(int(np.prod(v.shape)) for v in model.weights),
        "nonTrainable": sum(int(np.prod(v.shape)) for v in model.non_trainable_weights),
        "hash": f"{generator.fnv1a(text):016x}",
    }


def make_table():
    """Tests/Goldens/catalogue.json"""
    with no_random_values():
        rows = [
            row(network, shape, include_top)
            for network in NETWORKS
            for shape, include_top in (
                ((network.own, network.own, 3), True),
                ((*network.sizes[0], 3), False),
                ((*network.sizes[0], 1), False),
            )
        ]
    facts = {"versions": golden_file.versions("keras", "jax", "numpy")}
    golden_file.write("catalogue", facts, networks=rows)


def taps(model):
    """The names of four layers spread over the depth, and the last."""
    named = [layer.name for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    places = [len(named) * share // 16 for share in (2, 6, 10, 14)]
    return [*dict.fromkeys(named[place] for place in places), named[-1]]


def case(network, size, include_top):
    shape = (1, *size, 3)
    model = network.model(shape[1:], include_top)
    generator.fill(model, gain=network.gain)
    names = taps(model)
    signal = generator.pixels if network.pixels else generator.signal
    outputs = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])(
        signal("input", shape).astype(np.float64)
    )
    outputs = dict(zip(names, map(np.asarray, outputs)))
    scales = " ".join(f"{np.abs(value).max():.3g}" for value in outputs.values())
    print(f"  {network.name} {size}{' with classifier' if include_top else ''}: {scales}", flush=True)
    return {
        "family": network.name,
        "input": {"path": "input", "values": "255u" if network.pixels else "2u-1", "shape": shape},
        "includeTop": include_top,
        "gain": network.gain,
        "outputs": [
            {"layer": name, "output": golden_file.tensor(value, whole=60, samples=24)} for name, value in outputs.items()
        ],
    }


def make_outputs():
    """Tests/Goldens/catalogue-outputs.json"""
    cases = []
    wanted = os.environ.get("GRAFT_CATALOGUE_ONLY", "").split()
    with no_random_values():
        for network in NETWORKS:
            if network.computes and (not wanted or network.name in wanted):
                cases += [case(network, size, top) for size, top in zip(network.sizes, (False, True))]
    if not wanted:
        facts = {
            "versions": golden_file.versions("keras", keras.backend.backend(), "numpy"),
            "precision": "float64",
        }
        golden_file.write("catalogue-outputs", facts, cases=cases)
