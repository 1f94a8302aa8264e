"""Normalisation by the numbers of each sample, and ConvNeXt's layers."""

from case import IMAGE, WIDE, Cases, of
from keras import layers
from keras.src.applications.convnext import LayerScale, StochasticDepth

CASES = Cases()
case = CASES.case


def layer_norm(name, shape, **options):
    case(f"layer normalization{name}", shape, body=of(layers.LayerNormalization, **options, name="norm"))


layer_norm("", WIDE)
layer_norm(", epsilon 1e-6, 17 channels", (4, 5, 17), epsilon=1e-6)
layer_norm(", no scale", IMAGE, scale=False)
layer_norm(", no center", IMAGE, center=False)
layer_norm(", neither", (19,), scale=False, center=False)
layer_norm(", long rows", (1100,), epsilon=1e-5)
layer_norm(", rms scaling", WIDE, rms_scaling=True)
layer_norm(", all axes", IMAGE, axis=[1, 2, 3])
layer_norm(", columns and channels", WIDE, axis=[-2, -1])
layer_norm(", rows and channels", IMAGE, axis=[1, -1])
layer_norm(", rows", WIDE, axis=1)
layer_norm(" of a sequence", (7, 8))


def group_norm(name, shape, *arguments, **options):
    case(f"group normalization{name}", shape, body=of(layers.GroupNormalization, *arguments, **options, name="norm"))


group_norm(" 4", (5, 4, 8), 4)
group_norm(" 17, one channel each", (5, 4, 17), -1)
group_norm(" 1", WIDE, 1, epsilon=1e-5)
group_norm(", no scale", (5, 4, 6), 3, scale=False)
group_norm(", no center", (5, 4, 16), 2, center=False)
group_norm(" of rows", (6, 4, 5), 2, axis=1)
group_norm(" of a sequence", (7, 8), 2)
group_norm(" of a vector", (24,), 4)
case("unit normalization", WIDE, body=of(layers.UnitNormalization, name="norm"))
case("unit normalization, rows and columns", IMAGE, body=of(layers.UnitNormalization, axis=[1, 2], name="norm"))
case("rms normalization", WIDE, body=of(layers.RMSNormalization, name="norm"))
case(
    "rms normalization, columns and channels",
    (5, 4, 8),
    body=of(layers.RMSNormalization, axis=[-2, -1], epsilon=1e-3, name="norm"),
)
case("batch normalization, rows", WIDE, body=of(layers.BatchNormalization, axis=1, name="norm"))
case("batch normalization, rows, training", WIDE, body=of(layers.BatchNormalization, axis=1, name="norm"), training=True)
case(
    "batch normalization, columns, training",
    (4, 3, 8),
    body=of(layers.BatchNormalization, axis=-2, momentum=0.9, name="norm"),
    training=True,
)
case("normalization by weights", IMAGE, body=of(layers.Normalization, name="normalization"))
case("normalization by weights, inverted", IMAGE, body=of(layers.Normalization, invert=True, name="normalization"))
case("normalization by one weight", IMAGE, body=of(layers.Normalization, axis=None, name="normalization"))
case("normalization by weights, rows", IMAGE, body=of(layers.Normalization, axis=1, name="normalization"))
case("normalization by weights, columns and channels", (4, 5, 3), body=of(layers.Normalization, axis=[2, 3], name="normalization"))
case(
    "normalization, columns, inverted",
    (3, 2, 5),
    body=of(layers.Normalization, axis=2, mean=[0.5, -0.5], variance=[2.0, 3.0], invert=True, name="normalization"),
)
case("layer scale", WIDE, body=of(LayerScale, 0.5, 19, name="scale"))
case("layer scale of few channels", IMAGE, body=of(LayerScale, 0.5, 3, name="scale"))


def convnext_block(x):
    y = layers.Conv2D(17, 7, padding="same", groups=17, name="depthwise")(x)
    y = layers.LayerNormalization(epsilon=1e-6, name="norm")(y)
    y = layers.Dense(24, name="expand")(y)
    y = layers.Activation("gelu", name="gelu")(y)
    y = layers.Dense(17, name="project")(y)
    y = LayerScale(1e-6, 17, name="layer_scale")(y)
    y = StochasticDepth(0.1, name="stochastic_depth")(y)
    return layers.Add(name="add")([x, y])


case("convnext block", (6, 7, 17), body=convnext_block)
case("stochastic depth in inference", IMAGE, body=of(StochasticDepth, 0.3, name="depth"))
