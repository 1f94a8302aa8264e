"""Writes small files of Keras 1 and what it predicts with them, for the tests of KerasFormats.

    keras1.py FOLDER    needs Keras 1.2.2 and Theano 1.0.5: see keras1-build-requirements.txt

Keras 1.2.2 on Theano itself makes them, in pure Python; both are older than this Python, so that a few names have to be
put back where they look for them. Kernels are written so that after Graft's conversion they are the numbers that belong to
their paths. Files as TensorFlow had them differ in the names of variables and in the orientation of kernels; they are made
from those of Theano.
"""

import collections
import collections.abc
import inspect
import json
import os
import sys
import tempfile

FOLDER = sys.argv[1]

for name in ("Callable", "Iterable", "Mapping", "MutableMapping", "MutableSet", "Sequence", "Set", "Hashable"):
    setattr(collections, name, getattr(collections.abc, name))
inspect.getargspec = inspect.getfullargspec

import scipy.signal._signaltools
import scipy.signal._sigtools
import scipy.signal.signaltools

for name in ("_valfrommode", "_bvalfromboundary"):
    setattr(scipy.signal.signaltools, name, getattr(scipy.signal._signaltools, name))
sys.modules["scipy.signal.sigtools"] = scipy.signal._sigtools

cache = tempfile.TemporaryDirectory()
os.environ["KERAS_BACKEND"] = "theano"
os.environ["THEANO_FLAGS"] = f"cxx=,blas.ldflags=,linker=py,optimizer=None,floatX=float32,device=cpu,base_compiledir={cache.name}"

import h5py
import numpy
import theano.ifelse
import theano.tensor.signal.pool as pool

# numpy no longer takes a list of slices for an index.
source = inspect.getsource(pool.Pool.perform).replace(
    "yk[[region_slices[i][r[i]] for i in xrange(nd)]]", "yk[tuple(region_slices[i][r[i]] for i in xrange(nd))]"
)
scope = dict(vars(pool))
exec(inspect.cleandoc("class Patched:\n") + "\n" + source, scope)
pool.Pool.perform = scope["Patched"].perform

import keras
from generator import generated, weight
from keras import layers, models

VARIABLES = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}


def fill(model, prefix=""):
    """Gives every weight of the model the numbers that belong to its path."""
    for layer in getattr(model, "flattened_layers", None) or model.layers:
        if isinstance(layer, models.Model):
            fill(layer, f"{prefix}{layer.name}/")
            continue
        for variable in layer.weights:
            name = variable.name[len(layer.name) + 1 :]
            path = f"{prefix}{layer.name}/{VARIABLES.get(name, name)}"
            shape = variable.get_value().shape
            if len(shape) != 4:
                variable.set_value(weight(path, shape))
            elif isinstance(layer, layers.Deconvolution2D):
                # Graft's kernels of these have the filters before the channels of the input.
                isFirst = layer.dim_ordering == "th"
                order = (2, 3, 0, 1) if isFirst else (0, 1, 3, 2)
                values = weight(path, tuple(shape[axis] for axis in order)).transpose(order)
                variable.set_value((values[:, :, ::-1, ::-1] if isFirst else values[::-1, ::-1]).copy())
            elif getattr(layer, "dim_ordering", "tf") == "th":
                filters, channels, rows, columns = shape
                values = weight(path, (rows, columns, channels, filters))
                variable.set_value(values.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1].copy())
            else:
                variable.set_value(weight(path, shape)[::-1, ::-1].copy())


def plain():
    """A chain with its channels first, whose classifier sees them in that order."""
    return models.Sequential(
        [
            layers.ZeroPadding2D((1, 1), input_shape=(3, 10, 12), dim_ordering="th", name="frame"),
            layers.Convolution2D(6, 3, 3, border_mode="same", dim_ordering="th", name="conv"),
            layers.BatchNormalization(axis=1, mode=0, name="norm"),
            layers.Activation("relu", name="relu"),
            layers.MaxPooling2D((2, 2), dim_ordering="th", name="pool"),
            layers.Convolution2D(
                8, 3, 2, subsample=(2, 2), activation="hard_sigmoid", W_regularizer="l2", dim_ordering="th", name="second"
            ),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, name="drop"),
            layers.Dense(5, activation="softmax", name="classes"),
        ],
        name="plain",
    )


def branches(ordering):
    """Merges of every kind that Keras 2 has too, a nested network, and a layer that is applied twice."""
    shape, axis = ((3, 9, 11), 1) if ordering == "th" else ((9, 11, 3), -1)
    image = layers.Input(shape, name="image")
    convolution = lambda count, size, name, **more: layers.Convolution2D(
        count, size, size, border_mode="same", dim_ordering=ordering, name=name, **more
    )
    x = convolution(4, 3, "stem", bias=False)(image)
    x = layers.BatchNormalization(axis=axis, epsilon=1e-4, momentum=0.9, name="stem_norm")(x)
    a = layers.LeakyReLU(0.1, name="leaky")(convolution(4, 1, "left")(x))
    b = layers.ELU(0.7, name="elu")(
        layers.AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2), border_mode="same", dim_ordering=ordering, name="dilated")(x)
    )
    x = layers.Merge(mode="sum", name="sum")([a, b])
    x = layers.Merge(mode="concat", concat_axis=axis, name="join")([x, a])
    inner_shape = (8, 9, 11) if ordering == "th" else (9, 11, 8)
    inner = models.Sequential(
        [
            layers.Convolution2D(
                4, 2, 3, activation="tanh", input_shape=inner_shape, dim_ordering=ordering, name="first"
            ),
            layers.BatchNormalization(axis=axis, name="first_norm"),
        ],
        name="inner",
    )
    x = inner(x)
    mix = convolution(4, 3, "mix")
    x = layers.Merge(mode="mul", name="product")([mix(x), mix(mix(x))])
    x = layers.AveragePooling2D((2, 2), strides=(1, 1), dim_ordering=ordering, name="smooth")(x)
    x = layers.UpSampling2D((2, 2), dim_ordering=ordering, name="enlarge")(x)
    pooled = layers.GlobalAveragePooling2D(dim_ordering=ordering, name="mean")(x)
    flat = layers.Dense(4, name="rows")(layers.Flatten(name="flat")(x))
    x = layers.Merge(mode="concat", name="both")([pooled, flat])
    return models.Model(image, layers.Dense(3, name="classes")(x), name="branches")


def strided():
    """Windows that lie elsewhere on Theano than on TensorFlow: with strides, and of an even extent."""
    convolution = lambda count, rows, columns, name, **more: layers.Convolution2D(
        count, rows, columns, border_mode="same", dim_ordering="th", name=name, **more
    )
    return models.Sequential(
        [
            convolution(4, 3, 5, "first", subsample=(2, 2), input_shape=(3, 12, 11)),
            convolution(4, 2, 4, "second"),
            convolution(4, 4, 3, "third", subsample=(1, 3), activation="tanh"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="classes"),
        ],
        name="strided",
    )


def enlarged(ordering):
    """Transposed convolutions whose output is declared, some to sizes that no later Keras gives by itself."""
    shape = lambda *image: (None, *image) if ordering == "th" else (None, *image[1:], image[0])
    transposed = lambda count, rows, columns, out, name, **more: layers.Deconvolution2D(
        count, rows, columns, output_shape=shape(count, *out), dim_ordering=ordering, name=name, **more
    )
    return models.Sequential(
        [
            transposed(
                4, 3, 5, (6, 10), "same", border_mode="same", subsample=(2, 3), input_shape=shape(3, 3, 4)[1:]
            ),
            transposed(3, 3, 3, (11, 19), "odd", border_mode="same", subsample=(2, 2), activation="tanh"),
            transposed(2, 3, 2, (13, 20), "valid", border_mode="valid"),
            transposed(3, 2, 3, (27, 62), "wide", border_mode="valid", subsample=(2, 3), bias=False),
            layers.AveragePooling2D((3, 2), dim_ordering=ordering, name="pool"),
            layers.Flatten(name="flat"),
        ],
        name="enlarged",
    )


def merged():
    """A chain that begins with a merge of two chains."""
    left = models.Sequential([layers.Dense(4, input_dim=3, activation="tanh", name="left")])
    right = models.Sequential(
        [layers.Dense(6, input_dim=5, name="right"), layers.BatchNormalization(name="right_norm"), layers.Dense(4, name="more")]
    )
    return models.Sequential(
        [layers.Merge([left, right], mode="concat", name="join"), layers.Dense(2, name="classes")], name="merged"
    )


def as_tensorflow(source, target):
    """The same weights as Keras 1 on TensorFlow would have saved them."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        new.attrs["layer_names"] = old.attrs["layer_names"]
        for layer in old:
            group = new.create_group(layer)
            names = [f"{name}:0" for name in old[layer].attrs["weight_names"]]
            group.attrs["weight_names"] = numpy.array(names, dtype="S") if names else []
            for name in names:
                values = old[layer][name[:-2]][()]
                group[name] = values[:, :, ::-1, ::-1] if values.ndim == 4 else values


def save(model, name, kinds, golden):
    fill(model)
    model.compile("adam", "mse")
    for kind in kinds:
        path = os.path.join(FOLDER, f"{name}.{kind}")
        if os.path.exists(path):
            os.remove(path)
        if kind == "tensorflow.legacy.h5":
            as_tensorflow(os.path.join(FOLDER, f"{name}.legacy.h5"), path)
        elif kind == "legacy.h5":
            model.save_weights(path)
        else:
            model.save(path)
    shapes = [[1, *tensor._keras_shape[1:]] for tensor in model.inputs]
    # Images enter Graft with their channels last.
    isFirst = keras1_ordering(model) == "th"
    turned = [[1, s[2], s[3], s[1]] if isFirst and len(s) == 4 else s for s in shapes]
    inputs = [generated(f"input/{index}", tuple(shape), 2, -1) for index, shape in enumerate(turned)]
    fed = [value.transpose(0, 3, 1, 2) if isFirst and value.ndim == 4 else value for value in inputs]
    outputs = model.predict(fed)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    golden[name] = {
        "files": [f"{name}.{kind}" for kind in kinds],
        "inputs": [list(value.shape) for value in inputs],
        "outputs": [[float(x) for x in value.reshape(-1)] for value in outputs],
        "parameters": int(model.count_params()),
    }


def keras1_ordering(model):
    return next((layer.dim_ordering for layer in model.layers if hasattr(layer, "dim_ordering")), "tf")


def main():
    golden = {}
    save(plain(), "plain-1", ["h5", "legacy.h5", "tensorflow.legacy.h5"], golden)
    save(branches("th"), "branches-th-1", ["h5"], golden)
    save(branches("tf"), "branches-tf-1", ["h5"], golden)
    save(strided(), "strided-1", ["h5"], golden)
    save(enlarged("th"), "enlarged-th-1", ["h5"], golden)
    save(enlarged("tf"), "enlarged-tf-1", ["h5"], golden)
    save(merged(), "merged-1", ["h5"], golden)
    golden["version"] = keras.__version__
    with open(os.path.join(FOLDER, "golden-1.json"), "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
