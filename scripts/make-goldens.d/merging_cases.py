"""Merging layers."""

from case import IMAGE, WIDE, Cases, of
from keras import layers

CASES = Cases()
case = CASES.case

case("subtract", WIDE, WIDE, body=of(layers.Subtract, name="subtract"))
case("subtract, broadcast", (4, 5, 8), (1, 1, 8), body=of(layers.Subtract, name="subtract"))
case("average", WIDE, WIDE, body=of(layers.Average, name="average"))
case("average of three", IMAGE, IMAGE, IMAGE, body=of(layers.Average, name="average"))
case("maximum", WIDE, WIDE, body=of(layers.Maximum, name="maximum"))
case("maximum of three, broadcast", (4, 5, 8), (1, 1, 8), (4, 5, 8), body=of(layers.Maximum, name="maximum"))
case("minimum", IMAGE, IMAGE, body=of(layers.Minimum, name="minimum"))
case("minimum, broadcast both ways", (4, 1, 8), (1, 5, 8), body=of(layers.Minimum, name="minimum"))
case("add an image and a vector", (4, 5, 8), (8,), body=of(layers.Add, name="add"))
case("multiply a vector and an image", (17,), (4, 5, 17), body=of(layers.Multiply, name="multiply"))
case("add a sequence and a vector", (6, 5), (5,), body=of(layers.Add, name="add"))
case("dot of vectors", (17,), (17,), body=of(layers.Dot, axes=1, name="dot"))
case("dot of vectors, normalized", (8,), (8,), body=of(layers.Dot, axes=-1, normalize=True, name="dot"))
case("dot of sequences", (6, 5), (4, 5), body=of(layers.Dot, axes=2, name="dot"))
case("dot of sequences, other axes", (3, 5), (8, 3), body=of(layers.Dot, axes=(1, 2), name="dot"))
case("dot of a sequence and a vector", (6, 5), (5,), body=of(layers.Dot, axes=(2, 1), name="dot"))
case("concatenate sequences", (3, 5), (4, 5), body=of(layers.Concatenate, axis=1, name="concatenate"))
case("repeat vector", (17,), body=of(layers.RepeatVector, 3, name="repeat"))
