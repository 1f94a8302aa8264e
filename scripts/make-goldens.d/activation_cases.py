"""Activations beyond those of the usual networks; the factor brings the bends of each function into reach."""

import keras
from case import IMAGE, Cases, of
from keras import layers

CASES = Cases()
case = CASES.case
BEND = (4, 5, 5)


def bent(layer, factor=8.0):
    return lambda x: layer()(layers.Rescaling(factor, name="scale")(x))


for function in (
    "celu hard_tanh hard_shrink soft_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid log_sigmoid log_softmax "
    "sparsemax"
).split():
    case(f"activation {function}", BEND, body=bent(lambda f=function: layers.Activation(f, name="activation"), 5.0))

case("dense with mish", (17,), body=of(layers.Dense, 8, activation="mish", name="dense"))
case("conv2d with selu", IMAGE, body=of(layers.Conv2D, 8, 3, activation="selu", name="conv"))
case("conv2d with log_softmax", IMAGE, body=of(layers.Conv2D, 5, 1, activation="log_softmax", name="conv"))
case("softmax layer, two axes", BEND, body=bent(lambda: layers.Softmax(axis=(1, 2), name="softmax")))
case("softmax layer, axis 2", BEND, body=bent(lambda: layers.Softmax(axis=2, name="softmax")))
case("softmax of a sequence", (6, 5), body=bent(lambda: layers.Softmax(axis=1, name="softmax")))
case("prelu", IMAGE, body=of(layers.PReLU, name="prelu"))
case("prelu, shared over the image", (5, 4, 17), body=of(layers.PReLU, shared_axes=[1, 2], name="prelu"))
case("prelu, shared over columns", (5, 4, 8), body=of(layers.PReLU, shared_axes=[2], name="prelu"))
case("prelu of a vector", (17,), body=of(layers.PReLU, name="prelu"))
