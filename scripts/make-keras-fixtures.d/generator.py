"""The numbers of the fixtures, which the tests can make again without any file.

Every weight is made from its path as `Weights.generated` in Sources/Graphs does it: with h the 64-bit FNV-1a hash of
`layer/variable`, element i comes from SplitMix64(h + (i + 1) * 0x9E3779B97F4A7C15), 24 bits of it, as u in 0...1:
kernels (2u - 1) * sqrt(6 / fan in), gammas and variances 0.5 + u, everything else (2u - 1) * 0.1. The input number n
(from 0) is made likewise from the name `input/n` as 2u - 1.
"""

import math

import numpy


def generated(name, shape, factor, summand):
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = (start ^ byte) * 0x100000001B3 % 2**64
    count = math.prod(shape)
    with numpy.errstate(over="ignore"):
        steps = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        bits = steps + numpy.uint64(start)
        bits = (bits ^ (bits >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        bits ^= bits >> numpy.uint64(31)
    values = (bits >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-24 * factor + summand
    return values.astype(numpy.float32).reshape(shape)


def weight(path, shape, depthwise=False):
    """The weight of a path, `layer/variable`."""
    name = path.rsplit("/", 1)[1]
    if name.endswith("kernel"):
        fan_in = math.prod(shape[:2] if depthwise else shape[:-1])
        factor, summand = 2 * math.sqrt(6 / fan_in), -math.sqrt(6 / fan_in)
    elif name in ("gamma", "moving_variance", "variance"):
        factor, summand = 1, 0.5
    else:
        factor, summand = 0.2, -0.1
    return generated(path, shape, factor, summand)
