"""Small models, one or more for each kind of layer and each option that changes a number.

Channel counts such as 3, 5, 19 do not fill the blocks of blocked layouts; heights and widths differ.
"""

import keras
from case import IMAGE, WIDE, Cases, of
from keras import Input, Model, layers

CASES = Cases()
case = CASES.case

# Convolutions


def conv(name, shape, *arguments, **options):
    case(name, shape, body=of(layers.Conv2D, *arguments, **options, name="conv"))


conv("conv2d 3x3 valid", IMAGE, 5, 3)
conv("conv2d 3x3 same", IMAGE, 16, 3, padding="same")
conv("conv2d 3x3 same stride 2, odd height and even width", IMAGE, 8, 3, strides=2, padding="same")
conv("conv2d 3x3 valid stride 2", WIDE, 16, 3, strides=2)
conv("conv2d 2x2 same stride 2", IMAGE, 5, 2, strides=2, padding="same")
conv("conv2d 4x4 same", IMAGE, 5, 4, padding="same")
conv("conv2d 4x4 same stride 2", IMAGE, 5, 4, strides=2, padding="same")
conv("conv2d 5x3 same strides 3 and 2", IMAGE, 8, (5, 3), strides=(3, 2), padding="same")
conv("conv2d 1x1", WIDE, 8, 1)
conv("conv2d 1x1 stride 2", WIDE, 8, 1, strides=2, padding="same")
conv("conv2d 1x1 stride 3 valid", WIDE, 8, 1, strides=3)
conv("conv2d 1x7", WIDE, 5, (1, 7), padding="same")
conv("conv2d 7x7 stride 2", (11, 13, 3), 16, 7, strides=2, padding="same")
conv("conv2d dilation 2 same", WIDE, 8, 3, dilation_rate=2, padding="same")
conv("conv2d dilation 2 and 3 valid", (9, 11, 5), 8, 3, dilation_rate=(2, 3))
conv("conv2d groups 2", (6, 5, 8), 6, 3, groups=2, padding="same")
conv("conv2d groups 4 stride 2", (6, 5, 16), 8, 3, groups=4, strides=2, padding="same")
conv("conv2d groups 19, one channel each", WIDE, 19, 3, groups=19, padding="same")
conv("conv2d without bias", IMAGE, 16, 3, use_bias=False)
conv("conv2d with relu", IMAGE, 16, 3, activation="relu", padding="same")
conv("conv2d with swish", WIDE, 5, 3, activation="swish", padding="same")
conv("conv2d with softmax", IMAGE, 5, 1, activation="softmax")


def depthwise(name, shape, *arguments, **options):
    case(name, shape, body=of(layers.DepthwiseConv2D, *arguments, **options, name="depthwise"))


depthwise("depthwise 3x3 same", WIDE, 3, padding="same")
depthwise("depthwise 3x3 valid", (6, 5, 16), 3)
depthwise("depthwise 3x3 same stride 2", IMAGE, 3, strides=2, padding="same")
depthwise("depthwise 5x5 same stride 2 without bias", (8, 7, 16), 5, strides=2, padding="same", use_bias=False)
depthwise("depthwise multiplier 2", (6, 5, 5), 3, depth_multiplier=2, padding="same")
depthwise("depthwise multiplier 3 stride 2 with relu6", IMAGE, 3, 2, "same", depth_multiplier=3, activation="relu6")
depthwise("depthwise dilation 2", WIDE, 3, dilation_rate=2, padding="same")


def separable(name, shape, *arguments, **options):
    case(name, shape, body=of(layers.SeparableConv2D, *arguments, **options, name="separable"))


separable("separable 3x3 same", IMAGE, 8, 3, padding="same")
separable("separable multiplier 2 stride 2 without bias", (8, 7, 5), 16, 3, 2, "same", depth_multiplier=2, use_bias=False)
separable("separable valid with relu", WIDE, 5, 3, activation="relu")

# Dense

case("dense", (19,), body=of(layers.Dense, 5, name="dense"))
case("dense without bias", (8,), body=of(layers.Dense, 16, use_bias=False, name="dense"))
case("dense with softmax", (19,), body=of(layers.Dense, 7, activation="softmax", name="dense"))
case("dense with tanh on three axes", (4, 5), body=of(layers.Dense, 3, activation="tanh", name="dense"))
case("dense on an image", (3, 4, 5), body=of(layers.Dense, 8, name="dense"))

# Normalization


def normalization(name, shape, training=False, **options):
    case(name, shape, body=of(layers.BatchNormalization, **options, name="norm"), training=training)


normalization("batch normalization, inference", WIDE)
normalization("batch normalization, inference, epsilon 1e-5", (4, 5, 16), epsilon=1e-5)
normalization("batch normalization, inference, no scale", IMAGE, scale=False)
normalization("batch normalization, inference, no center", IMAGE, center=False)
normalization("batch normalization, inference, neither", (5,), scale=False, center=False)
normalization("batch normalization, training", WIDE, training=True)
normalization("batch normalization, training, momentum 0.9", (4, 5, 16), training=True, momentum=0.9, epsilon=1e-5)
normalization("batch normalization, training, no scale", IMAGE, training=True, scale=False)
normalization("batch normalization, training, no center", IMAGE, training=True, center=False)
normalization("batch normalization, training, neither", IMAGE, training=True, scale=False, center=False)
normalization("batch normalization, training, but not trainable", IMAGE, training=True, trainable=False)
case("rescaling", IMAGE, body=of(layers.Rescaling, 1 / 128, offset=-127 / 128, name="rescaling"))
case(
    "rescaling per channel",
    IMAGE,
    body=of(layers.Rescaling, [0.5, 2.0, 4.0], offset=[0.25, -0.5, 1.0], name="rescaling"),
)
case(
    "normalization",
    IMAGE,
    body=of(layers.Normalization, mean=[0.1, -0.2, 0.3], variance=[0.25, 1.5, 4.0], name="normalization"),
)
case("normalization, scalar", IMAGE, body=of(layers.Normalization, axis=None, mean=0.25, variance=0.5, name="normalization"))
case(
    "normalization, invert",
    IMAGE,
    body=of(layers.Normalization, mean=[0.1, -0.2, 0.3], variance=[0.25, 1.5, 4.0], invert=True, name="normalization"),
)

# Activations; the factor brings the bends of each function into reach of inputs in [-1, 1).

BEND = (4, 5, 5)


def bent(layer, factor=8.0):
    return lambda x: layer()(layers.Rescaling(factor, name="scale")(x))


for function in (
    "linear relu relu6 leaky_relu elu selu sigmoid silu swish hard_silu hard_swish hard_sigmoid tanh gelu softplus softsign "
    "exponential mish softmax"
).split():
    factor = 3.0 if function == "exponential" else 8.0
    case(f"activation {function}", BEND, body=bent(lambda f=function: layers.Activation(f, name="activation"), factor))

case("relu layer", BEND, body=bent(lambda: layers.ReLU(name="relu")))
case("relu layer, max value", BEND, body=bent(lambda: layers.ReLU(max_value=4.5, name="relu")))
case("relu layer, negative slope", BEND, body=bent(lambda: layers.ReLU(negative_slope=0.2, name="relu")))
case("relu layer, threshold", BEND, body=bent(lambda: layers.ReLU(threshold=1.5, name="relu")))
case(
    "relu layer, max value, negative slope and threshold",
    BEND,
    body=bent(lambda: layers.ReLU(max_value=5.0, negative_slope=0.1, threshold=1.25, name="relu")),
)
case("leaky relu layer", BEND, body=bent(lambda: layers.LeakyReLU(negative_slope=0.15, name="leaky")))
case("elu layer, alpha 0.7", BEND, body=bent(lambda: layers.ELU(alpha=0.7, name="elu")))
case("softmax layer", BEND, body=bent(lambda: layers.Softmax(name="softmax")))
case("softmax layer, axis 1", BEND, body=bent(lambda: layers.Softmax(axis=1, name="softmax")))

# Pooling

for kind, name in ((layers.MaxPooling2D, "max pooling"), (layers.AveragePooling2D, "average pooling")):
    for title, shape, options in (
        ("2x2", WIDE, dict(pool_size=2)),
        ("3x3 stride 2 valid", IMAGE, dict(pool_size=3, strides=2)),
        ("3x3 stride 2 same", IMAGE, dict(pool_size=3, strides=2, padding="same")),
        ("3x3 stride 1 same", (5, 6, 16), dict(pool_size=3, strides=1, padding="same")),
        ("2x3 strides 3 and 1", WIDE, dict(pool_size=(2, 3), strides=(3, 1))),
        ("2x2 stride 2 same, odd size", (5, 7, 5), dict(pool_size=2, padding="same")),
    ):
        case(f"{name} {title}", shape, body=of(kind, **options, name="pool"))

for kind, name in ((layers.GlobalMaxPooling2D, "max"), (layers.GlobalAveragePooling2D, "average")):
    case(f"global {name} pooling", WIDE, body=of(kind, name="pool"))
    case(f"global {name} pooling, keepdims", IMAGE, body=of(kind, keepdims=True, name="pool"))

# Borders and sizes

case("zero padding 2", IMAGE, body=of(layers.ZeroPadding2D, 2, name="pad"))
case("zero padding, each side its own", WIDE, body=of(layers.ZeroPadding2D, ((0, 1), (3, 2)), name="pad"))
case("cropping, each side its own", WIDE, body=of(layers.Cropping2D, ((1, 2), (0, 3)), name="crop"))
case("upsampling nearest", (3, 4, 5), body=of(layers.UpSampling2D, 2, name="up"))
case("upsampling nearest 3x2", (3, 4, 19), body=of(layers.UpSampling2D, (3, 2), name="up"))
case("upsampling bilinear", (3, 4, 5), body=of(layers.UpSampling2D, 2, interpolation="bilinear", name="up"))
case("upsampling bilinear 3x2", (3, 4, 5), body=of(layers.UpSampling2D, (3, 2), interpolation="bilinear", name="up"))

# Merging

case("add", WIDE, WIDE, body=of(layers.Add, name="add"))
case("add three", IMAGE, IMAGE, IMAGE, body=of(layers.Add, name="add"))
case("add, broadcast", (4, 5, 8), (1, 1, 8), body=of(layers.Add, name="add"))
case("add a tensor to itself", IMAGE, body=lambda x: layers.Add(name="add")([x, x]))
case("multiply", IMAGE, IMAGE, body=of(layers.Multiply, name="multiply"))
case("multiply three", IMAGE, IMAGE, IMAGE, body=of(layers.Multiply, name="multiply"))
case("multiply, broadcast over the image", WIDE, (1, 1, 19), body=of(layers.Multiply, name="multiply"))
case("multiply, broadcast over the channels", (4, 5, 8), (4, 5, 1), body=of(layers.Multiply, name="multiply"))
case("concatenate channels", (4, 5, 3), (4, 5, 19), (4, 5, 8), body=of(layers.Concatenate, name="concatenate"))
case("concatenate rows", (3, 5, 8), (2, 5, 8), body=of(layers.Concatenate, axis=1, name="concatenate"))
case("concatenate columns", (3, 5, 5), (3, 2, 5), body=of(layers.Concatenate, axis=2, name="concatenate"))
case("concatenate vectors", (3,), (5,), body=of(layers.Concatenate, name="concatenate"))

# Shapes

case("dropout in inference", IMAGE, body=of(layers.Dropout, 0.5, name="dropout"))
case("flatten", WIDE, body=of(layers.Flatten, name="flatten"))
case("reshape", (4, 6, 5), body=of(layers.Reshape, (8, 15), name="reshape"))
case("reshape with one free axis", (4, 6, 5), body=of(layers.Reshape, (-1, 10), name="reshape"))
case("reshape a vector to an image", (24,), body=of(layers.Reshape, (2, 3, 4), name="reshape"))
case("permute", (4, 6, 5), body=of(layers.Permute, (3, 1, 2), name="permute"))

# Networks


def residual(x):
    y = layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv1")(x)
    y = layers.BatchNormalization(name="bn1")(y)
    y = layers.Activation("swish", name="act1")(y)
    y = layers.Conv2D(5, 3, padding="same", name="conv2")(y)
    y = layers.BatchNormalization(epsilon=1e-5, scale=False, name="bn2")(y)
    y = layers.Add(name="add")([x, y])
    y = layers.ReLU(name="act2")(y)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    y = layers.Dropout(0.0, name="dropout")(y)
    return layers.Dense(3, activation="softmax", name="dense")(y)


def squeeze_excite(x):
    y = layers.GlobalAveragePooling2D(name="squeeze")(x)
    y = layers.Reshape((1, 1, 16), name="reshape")(y)
    y = layers.Conv2D(5, 1, activation="swish", name="reduce")(y)
    y = layers.Conv2D(16, 1, activation="sigmoid", name="expand")(y)
    return layers.Multiply(name="excite")([x, y])


def inverted_residual(x):
    y = layers.Conv2D(48, 1, use_bias=False, name="expand")(x)
    y = layers.BatchNormalization(name="expand_bn")(y)
    y = layers.ReLU(max_value=6.0, name="expand_relu")(y)
    y = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(y)
    y = layers.DepthwiseConv2D(3, strides=2, use_bias=False, name="depthwise")(y)
    y = layers.BatchNormalization(name="depthwise_bn")(y)
    y = layers.ReLU(max_value=6.0, name="depthwise_relu")(y)
    y = layers.Conv2D(8, 1, use_bias=False, name="project")(y)
    return layers.BatchNormalization(name="project_bn")(y)


def pre_activation(x):
    y = layers.BatchNormalization(name="bn")(x)
    y = layers.Activation("relu", name="relu")(y)
    shortcut = layers.Conv2D(8, 1, strides=2, name="shortcut")(y)
    y = layers.Conv2D(8, 3, strides=2, padding="same", name="conv")(y)
    return layers.Add(name="add")([shortcut, y])


def dense_block(x):
    for index in range(3):
        y = layers.BatchNormalization(name=f"bn{index}")(x)
        y = layers.Activation("relu", name=f"relu{index}")(y)
        y = layers.Conv2D(5, 3, padding="same", name=f"conv{index}")(y)
        x = layers.Concatenate(name=f"concatenate{index}")([x, y])
    return x


def inception(x):
    a = layers.Conv2D(5, 1, activation="relu", name="a")(x)
    b = layers.Conv2D(8, 3, padding="same", activation="relu", name="b2")(layers.Conv2D(3, 1, name="b1")(x))
    c = layers.Conv2D(3, 1, name="c2")(layers.AveragePooling2D(3, strides=1, padding="same", name="c1")(x))
    d = layers.MaxPooling2D(3, strides=1, padding="same", name="d")(x)
    return layers.Concatenate(name="mixed")([a, b, c, d])


def shared(x, y):
    conv = layers.Conv2D(5, 3, padding="same", name="shared")
    return layers.Add(name="add")([conv(x), layers.Activation("tanh", name="tanh")(conv(y))])


def shared_in_a_row(x):
    conv = layers.Conv2D(5, 3, padding="same", name="shared")
    return conv(layers.Activation("sigmoid", name="sigmoid")(conv(x)))


def inner(shape):
    inputs = Input(shape, name="inner_input")
    x = layers.Conv2D(8, 3, padding="same", name="conv")(inputs)
    x = layers.BatchNormalization(name="bn")(x)
    return Model(inputs, layers.Activation("swish", name="act")(x), name="inner")


def nested(x):
    y = inner(x.shape[1:])(x)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return layers.Dense(4, name="dense")(y)


def nested_twice(x, y):
    trunk = inner(x.shape[1:])
    return layers.Concatenate(name="concatenate")([trunk(x), trunk(y)])


def nested_sequential(x):
    trunk = keras.Sequential(
        [Input(x.shape[1:], name="trunk_input"), layers.Conv2D(5, 3, name="conv"), layers.ReLU(name="relu")], name="trunk"
    )
    return layers.Flatten(name="flatten")(trunk(x))


def two_outputs(x):
    y = layers.Conv2D(8, 3, padding="same", activation="tanh", name="conv")(x)
    z = layers.GlobalAveragePooling2D(name="pool")(y)
    return [layers.Dense(3, name="left")(z), layers.MaxPooling2D(2, name="right")(y)]


case("residual block", (6, 7, 5), body=residual)
case("residual block, training", (6, 7, 5), body=residual, training=True)
case("squeeze and excite", (4, 5, 16), body=squeeze_excite)
case("inverted residual, stride 2", (7, 8, 8), body=inverted_residual)
case("inverted residual, stride 2, training", (7, 8, 8), body=inverted_residual, training=True)
case("pre-activation block", (7, 6, 5), body=pre_activation)
case("dense block", (4, 5, 3), body=dense_block)
case("inception block", (5, 6, 5), body=inception)
case("a layer applied to two inputs", (5, 4, 3), (5, 4, 3), body=shared)
case("a layer applied twice in a row", (5, 4, 5), body=shared_in_a_row)
case("a model inside a model", (5, 6, 3), body=nested)
case("a model inside a model, training", (5, 6, 3), body=nested, training=True)
case("a model inside a model, applied twice", (4, 5, 3), (4, 5, 3), body=nested_twice)
case("a sequential model inside a model", (5, 6, 3), body=nested_sequential)
case("two outputs", (6, 5, 3), body=two_outputs)
