"""The rate of every step of a phase, from Keras's schedules and callback and from PyTorch's schedulers.

Runs in the environment of scripts/bench-peers, which has PyTorch too. The shapes are Graft's: where a schedule of Keras or
PyTorch counts steps, the share of the phase that is meant is beside it.
"""

import golden_file
import keras
import numpy as np
import torch
from keras.optimizers import schedules

TOTAL = 60


def keras_rates(schedule, total=TOTAL):
    return [float(schedule(step)) for step in range(total)]


def torch_rates(make, total=TOTAL, rate=1.0):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=rate)
    scheduler = make(optimizer)
    rates = []
    for step in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < total - 1:
            scheduler.step()
    return rates


def plateau_rates(losses, peak, **options):
    """What Keras's callback makes of a metric after each epoch."""

    class Model:
        pass

    model = Model()
    model.optimizer = keras.optimizers.SGD(learning_rate=peak)
    callback = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", mode="min", **options)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
    return rates


def cases():
    yield {
        "name": "exponential",
        "rate": {"exponential": {"peak": 0.1, "final": 0.05}},
        "values": keras_rates(schedules.ExponentialDecay(0.1, TOTAL, 0.05)),
    }
    yield {
        "name": "polynomial",
        "rate": {"polynomial": {"peak": 0.1, "power": 2, "final": 0.01}},
        "values": keras_rates(schedules.PolynomialDecay(0.1, TOTAL, end_learning_rate=0.001, power=2)),
    }
    yield {
        "name": "cosine",
        "rate": {"cosine": {"peak": 0.1, "final": 0.02}},
        "values": keras_rates(schedules.CosineDecay(0.1, TOTAL, alpha=0.02)),
    }
    yield {
        "name": "cosine with restarts",
        "rate": {"cosine": {"peak": 0.1, "final": 0.02, "period": 0.25}},
        "values": keras_rates(schedules.CosineDecayRestarts(0.1, TOTAL // 4, t_mul=1.0, m_mul=1.0, alpha=0.02)),
    }
    yield {
        "name": "cosine with growing cycles",
        "rate": {"cosine": {"peak": 0.1, "period": 0.1, "growth": 2}},
        "values": keras_rates(schedules.CosineDecayRestarts(0.1, TOTAL // 10, t_mul=2.0, m_mul=1.0)),
    }
    yield {
        "name": "step",
        "rate": {"step": {"peak": 0.1, "factor": 0.1, "at": [0.5, 0.75]}},
        "values": torch_rates(
            lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [TOTAL // 2, TOTAL * 3 // 4], gamma=0.1), rate=0.1
        ),
    }
    yield {
        "name": "one cycle",
        "rate": {"oneCycle": {"peak": 0.1}},
        "values": torch_rates(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=TOTAL)),
    }
    yield {
        "name": "one cycle as fastai begins it",
        "rate": {"oneCycle": {"peak": 0.1, "warmUp": 0.25, "start": 0.2, "final": 1e-5}},
        "values": torch_rates(
            lambda o: torch.optim.lr_scheduler.OneCycleLR(
                o, 0.1, total_steps=TOTAL, pct_start=0.25, div_factor=5, final_div_factor=2e4
            )
        ),
    }


def make():
    """Tests/Goldens/learning-rates.json"""
    losses = [3, 2, 1.99995, 2.5, 2.1, 1.5, 1.5, 1.6, 1.7, 1.5, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4]
    options = {"factor": 0.3, "patience": 2, "min_delta": 1e-4, "min_lr": 0.002}
    plateau = {
        "rate": {
            "reduceOnPlateau": {"peak": 0.1, "factor": 0.3, "patience": 2, "minimumDelta": 1e-4, "minimum": 0.002}
        },
        "losses": losses,
        "values": golden_file.rounded(plateau_rates(losses, 0.1, **options)),
    }
    facts = {
        "versions": golden_file.versions("keras", "torch", "numpy"),
        "total": TOTAL,
        "plateau": plateau,
    }
    golden_file.write(
        "learning-rates", facts, cases=[case | {"values": golden_file.rounded(case["values"])} for case in cases()]
    )
