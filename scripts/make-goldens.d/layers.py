"""Outputs and gradients of small models, in f64 with weights and inputs that are f32."""

import importlib
import json

import generator
import golden_file
import jax
import numpy as np
from case import BATCH

# A shift of every input that is larger than the rounding of f32, and how far it may move a gradient (relative L2). More
# would mean that some value lies at the bend of a function, where f32 cannot be asked for the same gradient.
SHIFT = 2e-6
MOVED = 3e-4


def run(model, inputs, training):
    """Outputs, updated non-trainable values, and gradients for (trainable weights, inputs)."""
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def forward(trainable, inputs):
        arguments = inputs if len(inputs) > 1 else inputs[0]
        outputs, updated = model.stateless_call(trainable, fixed, arguments, training=training)
        return jax.tree.leaves(outputs), updated

    @jax.jit
    def forward_and_backward(trainable, inputs):
        outputs, backward, updated = jax.vjp(forward, trainable, inputs, has_aux=True)
        return outputs, updated, backward(gradients(outputs))

    return forward_and_backward(trainable, inputs)


def gradients(outputs):
    paths = generator.numbered("gradient", len(outputs))
    return [jax.numpy.asarray(generator.signal(p, y.shape), y.dtype) for p, y in zip(paths, outputs)]


def distance(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return np.linalg.norm(a - b) / max(np.linalg.norm(a), 1e-30)


def entry(case):
    model = case.model()
    generator.fill(model)
    paths = {id(variable): path for path, variable, _ in generator.weights(model)}
    path = lambda variable: paths[id(variable)]

    shapes = [(BATCH, *shape) for shape in case.inputs]
    names = generator.numbered("input", len(shapes))
    inputs = [jax.numpy.asarray(generator.signal(n, s), np.float64) for n, s in zip(names, shapes)]
    outputs, updated, (weight_gradients, input_gradients) = run(model, inputs, case.training)

    shifted = [x + SHIFT * generator.signal(f"shift/{n}", x.shape) for n, x in zip(names, inputs)]
    _, _, moved = run(model, shifted, case.training)
    for a, b in zip(jax.tree.leaves((weight_gradients, input_gradients)), jax.tree.leaves(moved)):
        if np.linalg.norm(a) > 1e-9:
            assert distance(a, b) < MOVED, f"{case.name}: a gradient moves by {distance(a, b):.2g}"

    record = {
        "name": case.name,
        "training": case.training,
        "config": json.loads(model.to_json()),
        "inputs": [{"path": n, "shape": s} for n, s in zip(names, shapes)],
        "weights": [
            {"path": p, "shape": list(variable.shape), "trainable": variable.trainable}
            for p, variable, _ in generator.weights(model)
        ],
        "outputs": [golden_file.tensor(y, whole=4000) for y in outputs],
        "gradients": {
            "inputs": [golden_file.tensor(gradient) for gradient in input_gradients],
            "weights": {
                path(variable): golden_file.tensor(gradient)
                for variable, gradient in zip(model.trainable_variables, weight_gradients)
            },
        },
    }
    if case.training:
        record["updated"] = {
            path(variable): golden_file.tensor(value)
            for variable, value in zip(model.non_trainable_variables, updated)
            if path(variable).endswith(("moving_mean", "moving_variance"))
        }
    return record


def make(name):
    """Tests/Goldens/layers*.json; layers-x.json has the cases of the module x_cases."""
    cases = importlib.import_module(f"{name.removeprefix('layers-') if '-' in name else 'layer'}_cases").CASES
    assert len({case.name for case in cases}) == len(cases)
    facts = {"versions": golden_file.versions("keras", "jax", "numpy"), "precision": "float64", "batch": BATCH}
    golden_file.write(name, facts, cases=[entry(case) for case in cases])
