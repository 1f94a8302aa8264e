"""Operators between layers, which Keras saves as nodes of their own, and layers that stand for them."""

import keras
import numpy as np
from case import IMAGE, WIDE, Cases, of
from keras import applications, layers, ops
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

CASES = Cases()
case = CASES.case

case("scaled residual", WIDE, WIDE, body=of(CustomScaleLayer, scale=0.17, name="scaled"))
case("operator: add a number", IMAGE, body=lambda x: x + 3.0)
case("operator: a number subtracted and subtracted from", IMAGE, body=lambda x: 2.0 - (x - 0.5))
case("operator: divide by a number", IMAGE, body=lambda x: x / 6.0)
case("operator: negate", IMAGE, body=lambda x: -x)
case("operator: a number for each channel", IMAGE, body=lambda x: x * np.array([0.5, -1.0, 2.0]))
case("operator: sum and product of tensors", WIDE, WIDE, body=lambda x, y: (x + y) * y)
case(
    "operator: functions", (4, 5, 5), body=lambda x: keras.ops.leaky_relu(keras.ops.relu6(x * 8.0 + 3.0) - 2.0)
)
case(
    "operator: hard sigmoid and hard swish",
    (4, 5, 17),
    body=lambda x: layers.Multiply(name="swish")([x, layers.ReLU(6.0, name="relu6")(x * 8.0 + 3.0) * (1.0 / 6.0)]),
)

# What people apply to a symbolic input before a network of keras.applications.
case("operator: preprocessing of VGG", IMAGE, body=lambda x: applications.vgg16.preprocess_input(x) * (1 / 128.0))
case("operator: preprocessing of MobileNet", IMAGE, body=applications.mobilenet.preprocess_input)
case("operator: preprocessing of DenseNet", IMAGE, body=applications.densenet.preprocess_input)

case("operator: channels turned round by a slice", IMAGE, body=lambda x: x[..., ::-1])
case("operator: channels turned round by flip", WIDE, body=lambda x: ops.flip(x, axis=-1))
case("operator: channels turned round by take", IMAGE, body=lambda x: ops.take(x, [2, 1, 0], axis=-1))
case("operator: rows turned round", WIDE, body=lambda x: ops.flip(x, axis=1))
case("operator: rows and columns turned round", WIDE, body=lambda x: ops.flip(x, axis=(1, 2)))
case("operator: one channel", WIDE, body=lambda x: x[..., 4])
case("operator: one channel from behind", WIDE, body=lambda x: x[:, :, :, -2])
case("operator: one row", WIDE, body=lambda x: x[:, 2])
case("operator: a part of every axis", WIDE, body=lambda x: x[:, 1:6:2, -4:, :7])
case("operator: a falling slice", WIDE, body=lambda x: x[..., 11:2:-3])
case(
    "operator: halves of the channels, exchanged",
    (4, 5, 8),
    body=lambda x: ops.concatenate([x[..., 4:], x[..., :4]], axis=-1),
)
case("operator: stacked channels", WIDE, body=lambda x: ops.stack([x[..., 3], x[..., 0], x[..., 7]], axis=-1))
case("operator: stacked in front", (4, 5), (4, 5), body=lambda x, y: ops.stack([x, y], axis=1))
case("operator: squeeze and expand", (5, 1, 3), body=lambda x: ops.expand_dims(ops.squeeze(x, axis=2), axis=1))

case("operator: clip", IMAGE, body=lambda x: ops.clip(x, -0.3, 0.6))
case("operator: clip behind a convolution", IMAGE, body=lambda x: ops.clip(layers.Conv2D(5, 3, name="conv")(x), 0, 0.5))
case("operator: largest of a number and smallest of another", IMAGE, body=lambda x: ops.minimum(0.7, ops.maximum(x, -0.2)))
case("operator: smallest of a number", WIDE, body=lambda x: ops.minimum(x * 3.0 + 1.0, 0.25))
case("operator: largest of a number, zero", IMAGE, body=lambda x: ops.maximum(x, 0.0))
case("operator: hard swish by hand", WIDE, body=lambda x: x * ops.relu6(x * 4.0 + 3.0) / 6.0)
case("operator: hard swish by hand with clip", WIDE, body=lambda x: x * ops.clip(x * 4.0 + 3.0, 0, 6) * (1 / 6))

case("operator: mean of the pixels", WIDE, body=lambda x: ops.mean(x, axis=(1, 2)))
case("operator: mean of the pixels, axes kept", WIDE, body=lambda x: ops.mean(x, axis=[1, 2], keepdims=True))
case("operator: largest pixel", WIDE, body=lambda x: ops.max(x, axis=(1, 2)))
case("operator: sum of the pixels", WIDE, body=lambda x: ops.sum(x, axis=(-3, -2)))
case("operator: mean of the channels, axis kept", WIDE, body=lambda x: ops.mean(x, axis=-1, keepdims=True))
case("operator: largest channel, axis kept", WIDE, body=lambda x: ops.max(x, axis=3, keepdims=True))
case("operator: smallest channel", WIDE, body=lambda x: ops.min(x, axis=-1))
case("operator: mean of the rows", WIDE, body=lambda x: ops.mean(x, axis=1))
case("operator: mean of a sequence", (6, 5), body=lambda x: ops.mean(x, axis=1))
case("operator: mean of a whole sample, axes kept", IMAGE, body=lambda x: ops.mean(x, axis=(1, 2, 3), keepdims=True))
case(
    "operator: attention to places",
    (4, 5, 8),
    body=lambda x: x
    * layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="places")(
        ops.concatenate([ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)], axis=-1)
    ),
)

case("operator: concatenate", IMAGE, WIDE[:2] + (5,), body=lambda x, y: ops.concatenate([x[:, :7, :6], y], axis=-1))
case("operator: concatenate rows", (3, 5), (4, 5), body=lambda x, y: ops.concatenate([x, y], axis=1))
case("operator: reshape", IMAGE, body=lambda x: ops.reshape(x, (-1, 72, 3)))
case("operator: transpose", IMAGE, body=lambda x: ops.transpose(x, (0, 3, 1, 2)))
case("operator: cast", IMAGE, body=lambda x: ops.cast(x, "float64") * 2.0)
case("operator: resize", (4, 5, 8), body=lambda x: ops.image.resize(x, (7, 9)))
case("operator: resize, nearest", (4, 5, 8), body=lambda x: ops.image.resize(x, (8, 15), interpolation="nearest"))
