"""Writes small files of Keras and what Keras predicts with them, for the tests of KerasFormats.

    modern.py 3 FOLDER    the files of Keras 3 (needs keras, jax and h5py)
    modern.py 2 FOLDER    the files of Keras 2 (needs tf-keras and tensorflow)
"""

import json
import os
import sys
import zipfile

import numpy
from generator import generated, weight

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
            depthwise = name == "depthwise_kernel" or type(layer).__name__ == "DepthwiseConv2D"
            variable.assign(weight(f"{prefix}{layer.name}/{name}", shape, depthwise))


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


def first():
    """Channels first, and every layer that has to know it."""
    keras.config.set_image_data_format("channels_first")
    image = keras.Input((3, 12, 9), name="image")
    x = layers.ZeroPadding2D(((1, 0), (0, 2)), name="frame")(image)
    x = layers.Conv2D(6, 3, padding="same", name="stem")(x)
    x = layers.BatchNormalization(axis=1, name="stem_norm")(x)
    x = layers.Activation("relu", name="stem_relu")(x)
    a = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    b = layers.SeparableConv2D(6, 3, padding="same", name="separable")(x)
    x = layers.Concatenate(axis=1, name="join")([layers.Add(name="sum")([a, b]), x])
    x = layers.MaxPooling2D(2, name="pool")(x)
    mean = layers.GlobalAveragePooling2D(name="mean")(x)
    apart = layers.Flatten(name="apart")(x)
    as_stored = layers.Flatten(data_format="channels_last", name="as_stored")(x)
    folded = layers.Flatten(name="folded_flat")(layers.Reshape((6, -1), name="folded")(x))
    rows = [layers.Dense(2, name=f"{name}_rows")(y) for name, y in (("a", apart), ("b", as_stored), ("c", folded))]
    x = layers.Concatenate(name="all")([mean, *rows])
    model = keras.Model(image, layers.Dense(3, name="classes")(x), name="first")
    keras.config.set_image_data_format("channels_last")
    return model


class Own(keras.Model):
    """A model of a class of its own: the parts of `plain`, and more."""

    def __init__(self):
        super().__init__(name="own")
        self.body = keras.Sequential(
            [
                layers.Conv2D(6, 3, padding="same", name="conv"),
                layers.BatchNormalization(scale=False, name="norm"),
                layers.ReLU(),
                layers.MaxPooling2D(),
                layers.Conv2D(8, (3, 2), strides=2, activation="silu", name="second"),
            ],
            name="body",
        )
        self.a_side = layers.Conv2D(1, 1, name="side")
        self.classifier = layers.Dense(5, name="classes")

    def call(self, image):
        x = self.body(image)
        return self.classifier(layers.Flatten()(x)), self.a_side(x)


def own():
    model = Own()
    model(numpy.zeros((1, 12, 12, 3), "float32"))
    for layer in [*model.body.layers, model.a_side, model.classifier]:
        for variable in layer.weights:
            name = variable.name.split("/")[-1].split(":")[0]
            variable.assign(weight(f"{layer.name}/{name}", tuple(variable.shape)))
    return model


def renamed():
    """A custom layer that is a known one under another name, and one that is more than that."""
    register = keras.saving.register_keras_serializable

    @register(package="mine")
    class Window(layers.Conv2D):
        pass

    @register(package="mine")
    class Sharper(layers.Dense):
        def __init__(self, units, sharpness=2.0, **options):
            super().__init__(units, **options)
            self.sharpness = sharpness

        def get_config(self):
            return {**super().get_config(), "sharpness": self.sharpness}

    image = image_input(6, "image")
    x = Window(4, 3, name="window")(image)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outer = keras.Model(image, layers.Dense(2, name="classes")(x), name="renamed")
    more = keras.Model(image, Sharper(2, name="sharper")(x), name="more")
    return outer, more


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


def operations():
    """What people write between layers, as Keras 3 and, with functions of TensorFlow, Keras 2 save it."""
    image = keras.Input((8, 6, 3), name="image")
    x = keras.applications.vgg16.preprocess_input(image)
    x = layers.Conv2D(4, 3, name="conv")(x / 64.0)
    if GENERATION == 3:
        ops = keras.ops
        x = ops.concatenate([ops.clip(x, -1, 2), ops.maximum(x[..., 1:3], -0.5)], axis=-1)
        places = [ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)]
        x = x * layers.Conv2D(1, 1, activation="sigmoid", name="places")(ops.concatenate(places, axis=-1))
        x = ops.image.resize(ops.cast(x, "float32"), (8, 8))
        x = x * ops.relu6(x + 3.0) / 6.0
        rows = ops.mean(ops.transpose(ops.reshape(x, (-1, 64, 6)), (0, 2, 1)), axis=2)
        return keras.Model(image, [rows, ops.mean(x, axis=(1, 2)), ops.minimum(0.3, x[:, 2, ::2])], name="operations")
    import tensorflow as tf

    x = tf.concat([tf.clip_by_value(x, -1, 2), tf.maximum(x[..., 1:3], -0.5)], axis=-1)
    places = [tf.reduce_mean(x, axis=-1, keepdims=True), tf.reduce_max(x, axis=-1, keepdims=True)]
    x = x * layers.Conv2D(1, 1, activation="sigmoid", name="places")(tf.concat(places, axis=-1))
    x = tf.image.resize(tf.cast(x, "float32"), (8, 8))
    x = x * tf.nn.relu6(x + 3.0) / 6.0
    rows = tf.reduce_mean(tf.transpose(tf.reshape(x, (-1, 64, 6)), (0, 2, 1)), axis=2)
    return keras.Model(image, [rows, tf.reduce_mean(x, [1, 2]), tf.minimum(0.3, x[:, 2, ::2])], name="operations")


def save_legacy_weights(model, path):
    if GENERATION == 2:
        model.save_weights(path)
        return
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def save(model, name, kinds, golden, sizes=None):
    fill(model)
    stem, name = name, f"{name}-{GENERATION}"
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
        # Images enter Graft with their channels last.
        if stem == "first":
            shape = [shape[0], shape[2], shape[3], shape[1]]
        inputs.append(generated(f"input/{index}", tuple(shape), 2, -1))
    fed = [value.transpose(0, 3, 1, 2) for value in inputs] if stem == "first" else inputs
    outputs = model(fed[0] if len(fed) == 1 else fed, training=False)
    if not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    golden[name] = {
        "files": [f"{name}.{kind}" for kind in kinds],
        "inputs": [list(value.shape) for value in inputs],
        "outputs": [[float(x) for x in numpy.asarray(value).reshape(-1)] for value in outputs],
        "parameters": int(model.count_params()),
    }


def save_narrow():
    """The chain with its weights in bfloat16."""
    keras.config.set_dtype_policy("bfloat16")
    model = plain()
    fill(model)
    model.save_weights(os.path.join(FOLDER, "narrow-3.weights.h5"))
    keras.config.set_dtype_policy("float32")


def check_keras1():
    """Keras 2's own loader has to find the same numbers in the files of Keras 1 as the tests do."""
    model = keras.Sequential(
        [
            layers.ZeroPadding2D(input_shape=(3, 10, 12), data_format="channels_first", name="frame"),
            layers.Conv2D(6, 3, padding="same", data_format="channels_first", name="conv"),
            layers.BatchNormalization(axis=1, name="norm"),
            layers.MaxPooling2D(data_format="channels_first", name="pool"),
            layers.Conv2D(8, (3, 2), strides=2, data_format="channels_first", name="second"),
            layers.Flatten(name="flat"),
            layers.Dense(5, name="classes"),
        ]
    )
    path = os.path.join(FOLDER, "plain-1.tensorflow.legacy.h5")
    model.load_weights(path, by_name=True)
    for layer in model.layers:
        for variable in layer.weights:
            name = variable.name.split("/")[-1].split(":")[0]
            expected = weight(f"{layer.name}/{name}", tuple(variable.shape))
            assert numpy.array_equal(variable.numpy(), expected), variable.name


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
        save(first(), "first", ["h5", "keras"], golden)
        save(operations(), "operations", ["h5", "keras"], golden)
        outer, more = renamed()
        save(outer, "renamed", ["keras", "h5"], golden)
        more.save(os.path.join(FOLDER, "more-3.keras"))
        own().save_weights(os.path.join(FOLDER, "own-3.weights.h5"))
        save_narrow()
        # Parts of 1.6 kB at most: a layer may begin in one and end in the next.
        plain_model = plain()
        fill(plain_model)
        plain_model.save_weights(os.path.join(FOLDER, "parts-3.weights.json"), max_shard_size=1.5e-6)
        save_bomb()
    else:
        save(plain(), "plain", ["h5", "legacy.h5"], golden)
        save(residual(), "residual", ["h5"], golden, sizes)
        save(shared(), "shared", ["h5"], golden)
        save(operations(), "operations", ["h5"], golden)
        save(wordy(), "wordy", ["legacy.h5"], golden)
        own().save_weights(os.path.join(FOLDER, "own-2.legacy.h5"))
        check_keras1()
    model = nested()
    model.compile("adam", "mse")
    save(model, "nested", ["h5", "keras", "weights.h5", "legacy.h5"], golden)
    golden["version"] = keras.__version__
    with open(os.path.join(FOLDER, f"golden-{GENERATION}.json"), "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
