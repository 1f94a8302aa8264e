"""A small model for a golden file, and lists of them."""

from dataclasses import dataclass

import keras
from keras import Input, Model

BATCH = 2


@dataclass
class Case:
    """A model to be made; its inputs are shapes without the batch."""

    name: str
    inputs: tuple
    body: object
    training: bool = False

    def model(self):
        keras.backend.clear_session()
        inputs = [Input(shape, name=f"input_{index}") for index, shape in enumerate(self.inputs)]
        return Model(inputs if len(inputs) > 1 else inputs[0], self.body(*inputs), name="case")


class Cases(list):
    def case(self, name, *inputs, body, training=False):
        self.append(Case(name, inputs, body, training))


# A layer belongs to one model, so each body makes its own.
def of(kind, *arguments, **options):
    return lambda *inputs: kind(*arguments, **options)(inputs if len(inputs) > 1 else inputs[0])


# Shapes whose channels do not fill the blocks of blocked layouts, and whose heights and widths differ.
IMAGE = (9, 8, 3)
WIDE = (7, 6, 19)
