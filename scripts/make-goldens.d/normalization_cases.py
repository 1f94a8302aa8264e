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
