"""Operators between layers, which Keras saves as nodes of their own, and layers that stand for them."""

import keras
import numpy as np
from case import IMAGE, WIDE, Cases, of
from keras import layers
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
