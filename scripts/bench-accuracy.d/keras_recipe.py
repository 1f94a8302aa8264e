"""Stock Keras by the recipe of its guide to transfer learning: a new head on the frozen base, then all at a low rate.

The base is the backbone's file, its BatchNormalization in inference mode throughout. The first step trains on features
that were computed once, of the pictures and of their mirror images, one of which is drawn for each picture in each
epoch: in inference mode that is what RandomFlip before the frozen base would give.
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import keras
import numpy

import pictures
from given import answer, given

BATCH = 16
HEAD_EPOCHS, HEAD_RATE = 20, 1e-3
ALL_EPOCHS, ALL_RATE = 10, 1e-5


class Drawn(keras.utils.PyDataset):
    """Features in another order each epoch, each picture as it is or mirrored."""

    def __init__(self, part, seed):
        super().__init__()
        self.part, self.random = part, numpy.random.default_rng(seed)
        self.on_epoch_end()

    def on_epoch_end(self):
        count = len(self.part.labels)
        order = self.random.permutation(count)
        self.x = self.part.features[order, self.random.integers(0, 2, count)]
        self.y = self.part.labels[order]

    def __len__(self):
        return -(-len(self.y) // BATCH)

    def __getitem__(self, index):
        part = slice(index * BATCH, (index + 1) * BATCH)
        return self.x[part], self.y[part]


def fit(model, rate, training, validation, epochs, **options):
    """Trains and leaves the model with the weights of its best epoch."""
    # Compiling by XLA takes longer than all steps of a run.
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  jit_compile=False)
    best = keras.callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True)
    return model.fit(*training, validation_data=validation, epochs=epochs, callbacks=[best],
                     verbose=0, **options).history["val_loss"]


def main():
    data = given()
    keras.utils.set_random_seed(data.seed)
    top = keras.Sequential([keras.Input(data.training.features.shape[2:]), keras.layers.Dropout(0.2),
                            keras.layers.Dense(len(data.classes))])
    losses = fit(top, HEAD_RATE, [Drawn(data.training, data.seed)],
                 (data.validation.features[:, 0], data.validation.labels), HEAD_EPOCHS)

    whole = keras.models.load_model(data.backbone, compile=False)
    base = keras.Model(whole.inputs, whole.get_layer("avg_pool").output)
    entrance = keras.Input((data.size, data.size, 3))
    if base.input_shape[1:] != entrance.shape[1:]:
        resized = keras.models.clone_model(base, input_tensors=[entrance])
        resized.set_weights(base.get_weights())
        base = resized
    model = keras.Model(entrance, top(base(keras.layers.RandomFlip("horizontal")(entrance), training=False)))
    images = lambda part: numpy.stack([pictures.pixels(path, data.size) for path in part.paths])
    # A tolerance, as two programs add in different orders: this is the network that the features are of.
    shown = images(data.validation)
    difference = numpy.abs(base.predict(shown, verbose=0) - data.validation.features[:, 0]).max()
    assert difference < 1e-3, f"the features are not those of this network: they differ by {difference}"
    losses += fit(model, ALL_RATE, [images(data.training), data.training.labels], (shown, data.validation.labels),
                  ALL_EPOCHS, batch_size=BATCH)

    predicted = model.predict(images(data.test), batch_size=BATCH, verbose=0).argmax(1)
    answer(accuracy=float(numpy.mean(predicted == data.test.labels)), validationLosses=losses)


main()
