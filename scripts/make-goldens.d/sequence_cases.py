"""Layers of sequences."""

from case import Cases, of
from keras import layers

CASES = Cases()
case = CASES.case
STEPS = (11, 3)
LONG = (12, 17)


def conv(name, shape, *arguments, **options):
    case(f"conv1d {name}", shape, body=of(layers.Conv1D, *arguments, **options, name="conv"))


conv("3 valid", STEPS, 8, 3)
conv("3 same stride 2", LONG, 8, 3, strides=2, padding="same")
conv("4 same with swish", STEPS, 17, 4, padding="same", activation="swish")
conv("3 causal dilation 2", STEPS, 8, 3, padding="causal", dilation_rate=2)
conv("5 causal stride 2", LONG, 8, 5, padding="causal", strides=2, use_bias=False)
conv("3 dilation 3 valid", LONG, 5, 3, dilation_rate=3)
conv("3 groups 2", (9, 8), 6, 3, groups=2, padding="same")
conv("1", LONG, 8, 1)

case("depthwise conv1d", LONG, body=of(layers.DepthwiseConv1D, 3, padding="same", name="depthwise"))
case(
    "depthwise conv1d, multiplier 2, stride 2",
    STEPS,
    body=of(layers.DepthwiseConv1D, 3, strides=2, depth_multiplier=2, padding="same", name="depthwise"),
)
case("separable conv1d", STEPS, body=of(layers.SeparableConv1D, 8, 3, padding="same", name="separable"))
case(
    "separable conv1d, multiplier 2, valid, relu",
    LONG,
    body=of(layers.SeparableConv1D, 5, 3, depth_multiplier=2, activation="relu", name="separable"),
)


def transposed(name, shape, *arguments, **options):
    case(f"conv1d transpose {name}", shape, body=of(layers.Conv1DTranspose, *arguments, **options, name="transpose"))


transposed("3 stride 2 same", (5, 8), 3, 3, strides=2, padding="same")
transposed("4 stride 2 valid", (5, 3), 8, 4, strides=2)
transposed("3 stride 2 same, output padding 1", (5, 8), 3, 3, strides=2, padding="same", output_padding=1)
transposed("3 dilation 2", (5, 17), 8, 3, dilation_rate=2)

for kind, name in ((layers.MaxPooling1D, "max"), (layers.AveragePooling1D, "average")):
    case(f"{name} pooling 1d", LONG, body=of(kind, 2, name="pool"))
    case(f"{name} pooling 1d 3 stride 2 same", STEPS, body=of(kind, 3, strides=2, padding="same", name="pool"))
for kind, name in ((layers.GlobalMaxPooling1D, "max"), (layers.GlobalAveragePooling1D, "average")):
    case(f"global {name} pooling 1d", LONG, body=of(kind, name="pool"))
    case(f"global {name} pooling 1d, keepdims", STEPS, body=of(kind, keepdims=True, name="pool"))

case("zero padding 1d", LONG, body=of(layers.ZeroPadding1D, (2, 1), name="pad"))
case("cropping 1d", LONG, body=of(layers.Cropping1D, (1, 3), name="crop"))
case("upsampling 1d", STEPS, body=of(layers.UpSampling1D, 3, name="up"))
case("batch normalization of a sequence", LONG, body=of(layers.BatchNormalization, name="norm"))
case("spatial dropout 1d in inference", STEPS, body=of(layers.SpatialDropout1D, 0.5, name="dropout"))
case("masking", STEPS, body=of(layers.Masking, name="masking"))
case("permute a sequence", LONG, body=of(layers.Permute, (2, 1), name="permute"))


def network(x):
    y = layers.Conv1D(17, 3, padding="causal", use_bias=False, name="conv1")(x)
    y = layers.BatchNormalization(name="bn1")(y)
    y = layers.Activation("swish", name="act1")(y)
    y = layers.MaxPooling1D(2, name="pool")(y)
    y = layers.Conv1D(8, 3, padding="same", name="conv2")(y)
    y = layers.BatchNormalization(name="bn2")(y)
    y = layers.GlobalAveragePooling1D(name="global")(y)
    return layers.Dense(3, activation="softmax", name="dense")(y)


case("network of sequences", STEPS, body=network)
case("network of sequences, training", STEPS, body=network, training=True)
