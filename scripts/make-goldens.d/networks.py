"""Published networks that keras.applications lacks, in stock Keras."""

import math

from keras import Model, layers

# EfficientNet-Lite: repeats, window, stride, expansion, channels in, channels out.
LITE_RUNS = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


def lite_channels(count, width):
    count *= width
    rounded = max(8, int(count + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * count else rounded


def efficientnet_lite(name, width, depth, dropout):
    """Stem and top keep their width, the first and last run their length; no squeeze-and-excitation; ReLU6."""

    def make(weights, include_top, input_shape):
        def conv(x, filters, window, stride, conv_name):
            return layers.Conv2D(
                filters, window, strides=stride, padding="same", use_bias=False, name=conv_name
            )(x)

        def activated(x, norm_name, activation_name):
            return layers.ReLU(6.0, name=activation_name)(layers.BatchNormalization(name=norm_name)(x))

        image = layers.Input(input_shape, name="input")
        x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(image)
        x = activated(conv(x, 32, 3, 2, "stem_conv"), "stem_bn", "stem_activation")
        for run, (repeats, window, stride, expansion, before, after) in enumerate(LITE_RUNS):
            isEnd = run in (0, len(LITE_RUNS) - 1)
            channels = before if run == 0 else lite_channels(before, width)
            filters = lite_channels(after, width)
            for block in range(repeats if isEnd else math.ceil(repeats * depth)):
                prefix = f"block{run + 1}{chr(97 + block)}_"
                start = x
                if expansion > 1:
                    x = conv(x, channels * expansion, 1, 1, f"{prefix}expand_conv")
                    x = activated(x, f"{prefix}expand_bn", f"{prefix}expand_activation")
                x = layers.DepthwiseConv2D(
                    window, strides=1 if block else stride, padding="same", use_bias=False, name=f"{prefix}dwconv"
                )(x)
                x = activated(x, f"{prefix}bn", f"{prefix}activation")
                x = conv(x, filters, 1, 1, f"{prefix}project_conv")
                x = layers.BatchNormalization(name=f"{prefix}project_bn")(x)
                if channels == filters and (block or stride == 1):
                    x = layers.Add(name=f"{prefix}add")([x, start])
                channels = filters
        x = activated(conv(x, 1280, 1, 1, "top_conv"), "top_bn", "top_activation")
        if include_top:
            x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
            x = layers.Dropout(dropout, name="top_dropout")(x)
            x = layers.Dense(1000, activation="softmax", name="predictions")(x)
        return Model(image, x, name=name)

    make.__name__ = name
    return make


EfficientNetLite0 = efficientnet_lite("efficientnet-lite0", 1.0, 1.0, 0.2)
EfficientNetLite1 = efficientnet_lite("efficientnet-lite1", 1.0, 1.1, 0.2)
EfficientNetLite2 = efficientnet_lite("efficientnet-lite2", 1.1, 1.2, 0.3)
EfficientNetLite3 = efficientnet_lite("efficientnet-lite3", 1.2, 1.4, 0.3)
EfficientNetLite4 = efficientnet_lite("efficientnet-lite4", 1.4, 1.8, 0.3)


def SqueezeNet(weights, include_top, input_shape):
    """SqueezeNet 1.1: fire modules of a squeezing 1x1 convolution and two expanding ones side by side."""

    def fire(x, number, squeezed, expanded):
        def conv(x, filters, window, name):
            return layers.Conv2D(filters, window, padding="same", activation="relu", name=f"fire{number}_{name}")(x)

        x = conv(x, squeezed, 1, "squeeze1x1")
        sides = [conv(x, expanded, 1, "expand1x1"), conv(x, expanded, 3, "expand3x3")]
        return layers.Concatenate(name=f"fire{number}_concat")(sides)

    def pool(x, name):
        return layers.MaxPooling2D(3, strides=2, name=name)(x)

    image = layers.Input(input_shape, name="input")
    x = layers.Conv2D(64, 3, strides=2, activation="relu", name="conv1")(image)
    x = pool(x, "pool1")
    x = fire(fire(x, 2, 16, 64), 3, 16, 64)
    x = pool(x, "pool3")
    x = fire(fire(x, 4, 32, 128), 5, 32, 128)
    x = pool(x, "pool5")
    x = fire(fire(x, 6, 48, 192), 7, 48, 192)
    x = fire(fire(x, 8, 64, 256), 9, 64, 256)
    if include_top:
        x = layers.Dropout(0.5, name="drop9")(x)
        x = layers.Conv2D(1000, 1, activation="relu", name="conv10")(x)
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Activation("softmax", name="predictions")(x)
    return Model(image, x, name="squeezenet1.1")
