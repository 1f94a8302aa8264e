"""Keras on TensorFlow, its own networks with generated weights, each step one compiled function."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")

import keras
import tensorflow as tf

import cells


def frozen_before_last_stage(model):
    """Layers before the last fall in resolution do not train."""
    size = None
    first = 0
    for place, layer in enumerate(model.layers):
        shape = layer.output.shape
        # Padding grows an image before the convolution that halves it.
        if len(shape) == 4 and shape[1] > 1 and not isinstance(layer, keras.layers.ZeroPadding2D):
            if size is not None and shape[1] < size:
                first = place
            size = shape[1]
    for layer in model.layers[:first]:
        layer.trainable = False


def program(arguments):
    cell = cells.cell_named(arguments.cell)
    if arguments.precision == "bf16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, cells.NETWORKS[arguments.network])(
        weights=None, input_shape=(arguments.size, arguments.size, 3), classes=cells.CLASSES,
        classifier_activation=None)
    if cell.train == "head":
        for layer in model.layers[:-1]:
            layer.trainable = False
    elif cell.train == "last-stage":
        frozen_before_last_stage(model)
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(1e-6, momentum=cells.MOMENTUM)
    x = tf.random.uniform((cells.STEP, arguments.size, arguments.size, 3))
    labels = tf.random.uniform((cells.STEP,), 0, cells.CLASSES, tf.int32)

    @tf.function
    def infer(pictures):
        return model(pictures, training=False)

    @tf.function
    def train(pictures, targets):
        with tf.GradientTape() as tape:
            loss = loss_function(targets, model(pictures, training=cell.training_statistics))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    def prepare(batch):
        if cell.train != "none":
            return lambda: train(x, labels).numpy()
        parts = [x[at : at + batch] for at in range(0, cells.STEP, batch)]
        return lambda: [infer(part).numpy() for part in parts]

    return prepare, cells.BATCHES[::-1] if cell.train == "none" else [cells.STEP]
