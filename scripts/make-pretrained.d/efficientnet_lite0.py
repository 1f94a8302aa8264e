"""EfficientNet-Lite0 as a Keras model, and the road of its weights from the torch file.

The network is EfficientNet-B0 without squeeze-and-excitation, with ReLU6 for swish, and with a stem and a top that no
width or depth multiplier touches. Layers are named as keras.applications names those of EfficientNet. Two things are
said more simply than there: `same` padding with stride 2 is asymmetric in Keras as it was in training, so no padding
layer stands before those convolutions; stochastic depth, which does nothing in inference, is left out.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

IMAGE_SIZE = 224
EPSILON = 1e-3
MOMENTUM = 0.99


@dataclass(frozen=True)
class Stage:
    """A run of inverted residual blocks; the stride is that of the first block."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STEM_FILTERS = 32
TOP_FILTERS = 1280
STAGES = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, filters=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, filters=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, filters=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, filters=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, filters=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, filters=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, filters=320),
)


def convolution(x, filters, size, stride, name):
    return layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False, name=name)(x)


def normalization(x, name):
    return layers.BatchNormalization(epsilon=EPSILON, momentum=MOMENTUM, name=name)(x)


def relu6(x, name):
    return layers.ReLU(max_value=6.0, name=name)(x)


def block(x, stage, stride, name):
    inputs = x
    channels = x.shape[-1]
    if stage.expansion != 1:
        x = convolution(x, channels * stage.expansion, 1, 1, f"{name}expand_conv")
        x = relu6(normalization(x, f"{name}expand_bn"), f"{name}expand_activation")
    x = layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}dwconv"
    )(x)
    x = relu6(normalization(x, f"{name}bn"), f"{name}activation")
    x = normalization(convolution(x, stage.filters, 1, 1, f"{name}project_conv"), f"{name}project_bn")
    if stride == 1 and channels == stage.filters:
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


def build(class_count):
    """The model, with Keras's own initial weights, and its stages as (name, last layer)."""
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="input")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(inputs)
    x = relu6(normalization(convolution(x, STEM_FILTERS, 3, 2, "stem_conv"), "stem_bn"), "stem_activation")
    stages = [("stem", "stem_activation")]
    for number, stage in enumerate(STAGES, 1):
        for index in range(stage.blocks):
            x = block(x, stage, stage.stride if index == 0 else 1, f"block{number}{chr(ord('a') + index)}_")
        stages.append((f"stage{number}", x._keras_history.operation.name))
    x = relu6(normalization(convolution(x, TOP_FILTERS, 1, 1, "top_conv"), "top_bn"), "top_activation")
    stages.append(("top", "top_activation"))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.2, name="top_dropout")(x)
    x = layers.Dense(class_count, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="efficientnet-lite0"), stages


def torch_names():
    """Keras layer → the prefix of its tensors in the torch file."""
    names = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    names["predictions"] = "_fc"
    running = 0
    for number, stage in enumerate(STAGES, 1):
        for index in range(stage.blocks):
            ours, theirs = f"block{number}{chr(ord('a') + index)}_", f"_blocks.{running}."
            if stage.expansion != 1:
                names |= {f"{ours}expand_conv": f"{theirs}_expand_conv", f"{ours}expand_bn": f"{theirs}_bn0"}
            names |= {f"{ours}dwconv": f"{theirs}_depthwise_conv", f"{ours}bn": f"{theirs}_bn1"}
            names |= {f"{ours}project_conv": f"{theirs}_project_conv", f"{ours}project_bn": f"{theirs}_bn2"}
            running += 1
    return names


def fill(model, tensors):
    """Sets every weight of the model from the torch tensors; each tensor must be used once, each weight set."""
    tensors = dict(tensors)
    names = torch_names()
    for layer in model.layers:
        if not layer.weights:
            continue
        prefix = names.pop(layer.name)
        take = lambda suffix: tensors.pop(f"{prefix}.{suffix}")
        if isinstance(layer, layers.BatchNormalization):
            values = [take(suffix) for suffix in ("weight", "bias", "running_mean", "running_var")]
            take("num_batches_tracked")
        elif isinstance(layer, layers.DepthwiseConv2D):
            values = [take("weight").transpose(2, 3, 0, 1)]  # [C, 1, KH, KW] → [KH, KW, C, 1]
        elif isinstance(layer, layers.Conv2D):
            values = [take("weight").transpose(2, 3, 1, 0)]  # [Cout, Cin, KH, KW] → [KH, KW, Cin, Cout]
        else:
            values = [take("weight").transpose(1, 0), take("bias")]
        assert all(np.isfinite(value).all() for value in values), layer.name
        layer.set_weights(values)
    assert not tensors and not names, (list(tensors), list(names))
