"""Ten steps of stock Keras's optimizers in f64.

Parameter k begins at generated values of the path "parameter/k", and step s (from 0) gets the gradient of the path
"gradient/s/k"; both 2u - 1. A case with a pull adds pull * (parameter - where it began) to each gradient: the gradient of
pull/2 * |parameter - where it began|^2.
"""

import generator
import golden_file
import keras
import numpy as np
from keras import optimizers

STEPS = 10
SHAPES = ((5,), (3,))

CASES = {
    "sgd": lambda: optimizers.SGD(learning_rate=0.1),
    "sgd, momentum 0.9": lambda: optimizers.SGD(learning_rate=0.1, momentum=0.9),
    "sgd, nesterov 0.9": lambda: optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    "sgd, momentum 0.9, weight decay 0.01": lambda: optimizers.SGD(learning_rate=0.1, momentum=0.9, weight_decay=0.01),
    "sgd, clip by value 0.5": lambda: optimizers.SGD(learning_rate=0.1, clipvalue=0.5),
    "sgd, clip each norm to 0.5": lambda: optimizers.SGD(learning_rate=0.1, clipnorm=0.5),
    "sgd, clip the global norm to 0.5": lambda: optimizers.SGD(learning_rate=0.1, global_clipnorm=0.5),
    "adam": lambda: optimizers.Adam(learning_rate=0.01),
    "adam, betas 0.8 and 0.99, epsilon 1e-3": lambda: optimizers.Adam(
        learning_rate=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3
    ),
    "adamw, weight decay 0.01": lambda: optimizers.AdamW(learning_rate=0.01, weight_decay=0.01),
    "rmsprop": lambda: optimizers.RMSprop(learning_rate=0.01),
    "rmsprop, momentum 0.9, rho 0.95, epsilon 1e-3": lambda: optimizers.RMSprop(
        learning_rate=0.01, momentum=0.9, rho=0.95, epsilon=1e-3
    ),
    "rmsprop, weight decay 0.01": lambda: optimizers.RMSprop(learning_rate=0.01, weight_decay=0.01),
    "lion": lambda: optimizers.Lion(learning_rate=0.01),
    "lion, betas 0.95 and 0.98, weight decay 0.1": lambda: optimizers.Lion(
        learning_rate=0.01, beta_1=0.95, beta_2=0.98, weight_decay=0.1
    ),
    "lamb": lambda: optimizers.Lamb(learning_rate=0.01),
    "lamb, betas 0.8 and 0.99, epsilon 1e-3, weight decay 0.01": lambda: optimizers.Lamb(
        learning_rate=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3, weight_decay=0.01
    ),
}

PULLS = {"sgd, momentum 0.9": 0.1, "adam": 0.1}

SETTINGS = (
    "learning_rate momentum nesterov rho beta_1 beta_2 epsilon weight_decay clipnorm global_clipnorm clipvalue".split()
)


def steps(make_optimizer, pull=0.0):
    optimizer = make_optimizer()
    config = optimizer.get_config()
    variables = [
        keras.Variable(generator.signal(f"parameter/{index}", shape).astype(np.float64), name=f"parameter_{index}")
        for index, shape in enumerate(SHAPES)
    ]
    beginnings = [np.asarray(variable.value) for variable in variables]
    values = []
    for step in range(STEPS):
        gradients = [
            keras.ops.convert_to_tensor(
                generator.signal(f"gradient/{step}/{index}", shape).astype(np.float64)
                + pull * (np.asarray(variables[index].value) - beginnings[index])
            )
            for index, shape in enumerate(SHAPES)
        ]
        optimizer.apply(gradients, variables)
        values.append([golden_file.rounded(variable.value) for variable in variables])
    settings = {
        name: config[name] if isinstance(config[name], bool) else golden_file.rounded(config[name])[0]
        for name in SETTINGS
        if config.get(name) is not None
    }
    if pull:
        settings["pull"] = pull
    return {"optimizer": type(optimizer).__name__, "settings": settings, "steps": values}


def make():
    """Tests/Goldens/optimizers.json"""
    facts = {
        "versions": golden_file.versions("keras", "jax", "numpy"),
        "precision": "float64",
        "parameters": [{"path": f"parameter/{index}", "shape": shape} for index, shape in enumerate(SHAPES)],
        "gradients": "gradient/<step from 0>/<parameter>",
    }
    cases = [{"name": name} | steps(case) for name, case in CASES.items()]
    cases += [{"name": f"{name}, pull {pull}"} | steps(CASES[name], pull) for name, pull in PULLS.items()]
    golden_file.write("optimizers", facts, cases=cases)
