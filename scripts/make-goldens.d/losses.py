"""Softmax cross-entropy, plain and focal, from stock Keras in f64: its value, one for each sample and their mean, and its gradient.

The logits are 3(2u - 1) of the path "logits". A class weight multiplies the loss of each sample of the class, and the
mean is over the number of samples, as in Keras's `fit(class_weight=)`.
"""

import generator
import golden_file
import jax
import keras
import numpy as np

LABELS = (2, 0, 1, 2)
CLASS_WEIGHTS = (0.5, 1.0, 2.0)
SHAPE = (4, 3)


def case(name, smoothing, class_weights, gamma=None):
    logits = 3 * generator.signal("logits", SHAPE).astype(np.float64)
    targets = np.eye(SHAPE[1])[list(LABELS)]
    weights = np.asarray([class_weights[label] for label in LABELS])
    options = dict(from_logits=True, label_smoothing=smoothing)
    kind = keras.losses.CategoricalCrossentropy
    if gamma is not None:
        kind = keras.losses.CategoricalFocalCrossentropy
        options |= dict(alpha=1.0, gamma=gamma)
    mean = kind(**options)
    each = kind(**options, reduction=None)
    loss = lambda logits: mean(targets, logits, sample_weight=weights)
    value, gradient = jax.value_and_grad(loss)(jax.numpy.asarray(logits))
    return {
        "name": name,
        "labelSmoothing": smoothing,
        "classWeights": class_weights,
        "labels": LABELS,
        "logits": golden_file.rounded(logits),
        "samples": golden_file.rounded(each(targets, logits, sample_weight=weights)),
        "loss": golden_file.rounded(value)[0],
        "gradient": golden_file.rounded(gradient),
    } | ({} if gamma is None else {"gamma": gamma})


def make():
    """Tests/Goldens/losses.json"""
    ones = (1.0, 1.0, 1.0)
    facts = {"versions": golden_file.versions("keras", "jax", "numpy"), "precision": "float64", "shape": SHAPE}
    golden_file.write(
        "losses",
        facts,
        cases=[
            case("plain", 0.0, ones),
            case("label smoothing", 0.1, ones),
            case("class weights", 0.0, CLASS_WEIGHTS),
            case("label smoothing and class weights", 0.1, CLASS_WEIGHTS),
            case("focal", 0.0, ones, gamma=2.0),
            case("focal, gamma 0.5", 0.0, ones, gamma=0.5),
            case("focal, label smoothing and class weights", 0.1, CLASS_WEIGHTS, gamma=3.0),
        ],
    )
