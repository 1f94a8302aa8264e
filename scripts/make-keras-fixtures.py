"""Writes small files of Keras and what Keras predicts with them, for the tests of KerasFormats.

    make-keras-fixtures.py 3 FOLDER    the files of Keras 3 (needs keras, jax and h5py)
    make-keras-fixtures.py 2 FOLDER    the files of Keras 2 (needs tf-keras and tensorflow)

Every weight is made from its path as `Weights.generated` in Sources/Graphs does it: with h the 64-bit FNV-1a hash of
`layer/variable`, element i comes from SplitMix64(h + (i + 1) * 0x9E3779B97F4A7C15), 24 bits of it, as u in 0...1:
kernels (2u - 1) * sqrt(6 / fan in), gammas and variances 0.5 + u, everything else (2u - 1) * 0.1. The input number n
(from 0) is made likewise from the name `input/n` as 2u - 1. So the tests can make the same numbers without any file.
"""

import json
import math
import os
import sys
import zipfile

import numpy

GENERATION = int(sys.argv[1])
FOLDER = sys.argv[2]

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if GENERATION == 3:
    os.environ["KERAS_BACKEND"] = "jax"
    import h5py
    import keras
    from keras.src.legacy.saving import legacy_h5_format
else:
    import tf_keras as keras

layers = keras.layers


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


def fill(model, prefix=""):
    """Gives every weight of the model the numbers that belong to its path."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            fill(layer, f"{prefix}{layer.name}/")
            continue
        for variable in layer.weights:
            name = variable.name.split("/")[-1].split(":")[0]
            # Keras 2 says depthwise_kernel in both layers that have one.
            if type(layer).__name__ == "DepthwiseConv2D" and name == "depthwise_kernel":
                name = "kernel"
            shape = tuple(variable.shape)
            if name.endswith("kernel"):
                fan_in = math.prod(shape[:-1])
                if name == "depthwise_kernel" or type(layer).__name__ == "DepthwiseConv2D":
                    fan_in = shape[0] * shape[1]
                factor, summand = 2 * math.sqrt(6 / fan_in), -math.sqrt(6 / fan_in)
            elif name in ("gamma", "moving_variance", "variance"):
                factor, summand = 1, 0.5
            else:
                factor, summand = 0.2, -0.1
            variable.assign(generated(f"{prefix}{layer.name}/{name}", shape, factor, summand))


def image_input(size, name):
    return keras.Input((size, size, 3), name=name)


def plain():
    """A chain; one batch normalisation lacks its gamma."""
    return keras.Sequential(
        [
            image_input(12, "image"),
            layers.Conv2D(6, 3, padding="same", name="conv"),
            layers.BatchNormalization(scale=False, name="norm"),
            layers.ReLU(name="relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(8, (3, 2), strides=2, activation="silu", name="second"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, name="drop"),
            layers.Dense(5, activation="softmax", name="classes"),
        ],
        name="plain",
    )


def residual():
    """Branches, every kind of layer that has weights, and an input of any size."""
    image = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling([1 / 64, 1 / 32, 1 / 16], offset=[0.1, 0.2, -0.3], name="scale")(image)
    x = layers.ZeroPadding2D(((1, 2), (0, 1)), name="frame")(x)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="stem_norm")(x)
    x = layers.Activation("relu", name="stem_relu")(x)
    y = layers.SeparableConv2D(8, 3, padding="same", depth_multiplier=2, activation="tanh", name="separable")(x)
    z = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    z = layers.BatchNormalization(center=False, name="depthwise_norm")(z)
    z = layers.ReLU(6.0, name="relu6")(z)
    x = layers.Add(name="sum")([x, y, z])
    a = layers.Conv2D(4, 1, groups=2, name="grouped")(x)
    a = layers.LeakyReLU(**({"negative_slope": 0.1} if GENERATION == 3 else {"alpha": 0.1}), name="leaky")(a)
    b = layers.Conv2D(4, 3, dilation_rate=2, padding="same", name="dilated")(x)
    b = layers.ELU(0.7, name="elu")(b)
    x = layers.Concatenate(name="join")([a, b])
    g = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    g = layers.Conv2D(8, 1, activation="hard_sigmoid", name="excite")(g)
    x = layers.Multiply(name="weigh")([x, g])
    x = layers.AveragePooling2D(2, strides=1, padding="same", name="smooth")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear", name="enlarge")(x)
    x = layers.Cropping2D(((1, 0), (0, 1)), name="crop")(x)
    x = layers.Activation("gelu", name="gelu")(x)
    x = layers.GlobalMaxPooling2D(name="top")(x)
    x = layers.Reshape((2, 4), name="fold")(x)
    x = layers.Permute((2, 1), name="turn")(x)
    x = layers.Flatten(name="flat")(x)
    return keras.Model(image, layers.Dense(3, name="classes")(x), name="residual")


def trunk(size):
    image = image_input(size, "pixels")
    x = layers.Conv2D(4, 3, name="first")(image)
    x = layers.BatchNormalization(name="first_norm")(x)
    x = layers.ReLU(name="first_relu")(x)
    x = layers.Conv2D(4, 3, name="second")(x)
    x = layers.BatchNormalization(name="second_norm")(x)
    model = keras.Model(image, x, name="trunk")
    model.get_layer("second").trainable = False
    return model


def nested():
    """A network in a network, and a chain whose layers have equal names."""
    image = image_input(12, "image")
    x = trunk(12)(image)
    head = keras.Sequential(
        [
            keras.Input((8, 8, 4), name="features"),
            layers.Conv2D(6, 3, name="first"),
            layers.BatchNormalization(name="first_norm"),
            layers.GlobalAveragePooling2D(name="pool"),
        ],
        name="head",
    )
    return keras.Model(image, layers.Dense(4, name="classes")(head(x)), name="nested")


def shared():
    """Two inputs and two outputs through one trunk and one convolution."""
    left, right = image_input(10, "left"), image_input(10, "right")
    tower = trunk(10)
    mix = layers.Conv2D(4, 3, padding="same", name="mix")
    a, b = mix(tower(left)), mix(tower(right))
    a = mix(a)
    both = layers.Add(name="sum")([a, b])
    x = layers.GlobalAveragePooling2D(name="pool")(both)
    y = layers.GlobalMaxPooling2D(name="peak")(a)
    outputs = [layers.Dense(2, name="one")(x), layers.Dense(3, name="other")(y)]
    return keras.Model([left, right], outputs, name="shared")


def wordy():
    """Names so long that lists of them are split over several attributes."""
    tail = "x" * 1690
    inner = keras.Sequential([keras.Input((3,), name="row")], name="inner")
    for index in range(20):
        inner.add(layers.Dense(3, name=f"dense{index:02}_{tail}"))
    row = keras.Input((3,), name="row")
    x = inner(row)
    for index in range(40):
        x = layers.Activation("tanh", name=f"tanh{index:02}_{tail}")(x)
    return keras.Model(row, layers.Dense(2, name="classes")(x), name="wordy")


def save_legacy_weights(model, path):
    if GENERATION == 2:
        model.save_weights(path)
        return
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def save(model, name, kinds, golden, sizes=None):
    fill(model)
    name = f"{name}-{GENERATION}"
    for kind in kinds:
        path = os.path.join(FOLDER, f"{name}.{kind}")
        if kind == "legacy.h5":
            save_legacy_weights(model, path)
        elif kind == "weights.h5":
            model.save_weights(path)
        else:
            model.save(path)
    inputs = []
    for index, tensor in enumerate(model.inputs):
        shape = [1] + [extent or size for extent, size in zip(tensor.shape[1:], sizes or tensor.shape[1:])]
        inputs.append(generated(f"input/{index}", tuple(shape), 2, -1))
    outputs = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
    if not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    golden[name] = {
        "files": [f"{name}.{kind}" for kind in kinds],
        "inputs": [list(value.shape) for value in inputs],
        "outputs": [[float(x) for x in numpy.asarray(value).reshape(-1)] for value in outputs],
        "parameters": int(model.count_params()),
    }


def save_bomb():
    """An archive whose description is forty megabytes of spaces, packed a thousandfold."""
    with zipfile.ZipFile(os.path.join(FOLDER, "bomb.keras"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(zipfile.ZipInfo("config.json"), b" " * (40 << 20), zipfile.ZIP_DEFLATED)


def main():
    golden = {}
    sizes = (17, 14, 3)
    if GENERATION == 3:
        save(plain(), "plain", ["h5", "keras", "legacy.h5"], golden)
        save(residual(), "residual", ["h5", "keras", "weights.h5"], golden, sizes)
        save(shared(), "shared", ["h5", "keras"], golden)
        save_bomb()
    else:
        save(plain(), "plain", ["h5", "legacy.h5"], golden)
        save(residual(), "residual", ["h5"], golden, sizes)
        save(shared(), "shared", ["h5"], golden)
        save(wordy(), "wordy", ["legacy.h5"], golden)
    model = nested()
    model.compile("adam", "mse")
    save(model, "nested", ["h5", "keras", "weights.h5", "legacy.h5"], golden)
    golden["version"] = keras.__version__
    with open(os.path.join(FOLDER, f"golden-{GENERATION}.json"), "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
