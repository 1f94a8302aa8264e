"""The generator of weights and inputs that scripts/make-goldens describes."""

import math

import numpy as np
from keras import layers

MASK = (1 << 64) - 1


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def uniform(path, shape):
    """u in [0, 1) for every element of the array with this path, in f64."""
    count = math.prod(shape)
    z = np.uint64(fnv1a(path)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) * 2.0**-24).reshape(shape)


def signal(path, shape):
    """2u - 1: inputs of layers, and gradients."""
    return (2 * uniform(path, shape) - 1).astype(np.float32)


def pixels(path, shape):
    """255u: images."""
    return (255 * uniform(path, shape)).astype(np.float32)


def numbered(stem, count):
    """The paths of several arrays of one kind."""
    return [stem] if count == 1 else [f"{stem}/{index}" for index in range(count)]


def weight(path, shape, depthwise=False, gain=1.0):
    u = uniform(path, shape)
    name = path.rsplit("/", 1)[1]
    if name.endswith("kernel"):
        fan_in = math.prod(shape[:-2] if depthwise or name == "depthwise_kernel" else shape[:-1])
        values = (2 * u - 1) * math.sqrt(6 / fan_in)
    elif name in ("gamma", "scale", "moving_variance", "variance"):
        values = (0.5 + u) * (gain if name == "gamma" else 1)
    else:
        assert name in ("alpha", "bias", "beta", "moving_mean", "mean"), path
        values = (2 * u - 1) * 0.1
    return values.astype(np.float32)


def weights(model, prefix=""):
    """Every variable of a model as (path, variable, layer), layer by layer; a layer that is applied twice comes once."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from weights(layer, f"{prefix}{layer.name}/")
        else:
            for variable in layer.weights:
                # Keras leaves the only variable of this class without a name.
                name = "gamma" if type(layer).__name__ == "LayerScale" else variable.name
                yield f"{prefix}{layer.name}/{name}", variable, layer


def fill(model, gain=1.0):
    """Gives every variable of the model its generated values; `gain` multiplies the gamma of batch normalisations."""
    depthwise = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    for path, variable, layer in weights(model):
        own_gain = gain if isinstance(layer, layers.BatchNormalization) else 1.0
        if variable.name != "count":
            values = weight(path, tuple(variable.shape), isinstance(layer, depthwise), own_gain)
            variable.assign(values.astype(variable.dtype))
        # What it computes with follows its variables only when it is told to, as it is after weights are loaded.
        if isinstance(layer, layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()
