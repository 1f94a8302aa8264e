"""Gradients of whole networks, one of each family: Tests/Goldens/network-gradients.json.

Every activation with a kink is replaced by SiLU, every maximum pooling by the average, and dropout drops nothing: the
rounding of single precision cannot flip anything then, and both sides see the same function. The gradient that enters
at the output is "gradient"; of the parameters some are told, spread over the depth.
"""

import copy

import catalogue
import generator
import golden_file
import jax
import keras
import numpy as np

FAMILIES = [
    "xception", "vgg16", "resnet50", "resnet50v2", "inceptionv3", "inceptionresnetv2", "mobilenet", "mobilenetv2",
    "mobilenetv3small", "densenet121", "nasnetmobile", "efficientnetb0", "efficientnetv2b0", "convnexttiny",
    "squeezenet1.1", "efficientnet-lite0",
]
BATCH = 4
# Where the last images are a single pixel, the statistics of a batch of four say nothing that rounding would not change:
# these networks get larger pictures.
SIZES = {"inceptionv3": (139, 155), "inceptionresnetv2": (139, 155)}
# MobileNetV2's gradients grow from layer to layer with the gain that its outputs are compared at, and rounding with them:
# two orders of the same sums are several 1e-4 apart there.
GAINS = {"mobilenetv2": 0.8}
TOLD = 14
# How much of an array is written down; fewer than 1.62 numbers for each sample would let two samples meet.
SHORT = {"whole": 40, "samples": 24}
KINKS = {"relu", "relu6", "hard_sigmoid", "hard_silu", "hard_swish"}


def smooth(layer):
    """A layer like this one without kinks."""
    config = copy.deepcopy(layer.get_config())
    if isinstance(layer, keras.layers.ReLU):
        return keras.layers.Activation("silu", name=layer.name)
    if isinstance(layer, keras.layers.MaxPooling2D):
        names = ("name", "pool_size", "strides", "padding", "data_format")
        return keras.layers.AveragePooling2D(**{name: config[name] for name in names})
    if config.get("activation") in KINKS:
        config["activation"] = "silu"
    if isinstance(layer, keras.layers.Dropout):
        config["rate"] = 0.0
    return type(layer).from_config(config)


def told(paths):
    """Some of the parameters that train, spread over the depth, the first and the last among them."""
    places = sorted({round(k * (len(paths) - 1) / (TOLD - 1)) for k in range(TOLD)})
    return [paths[place] for place in places]


def case(network, training):
    shape = (BATCH, *SIZES.get(network.name, network.sizes[0]), 3)
    original = network.model(shape[1:], False)
    model = keras.models.clone_model(original, clone_function=smooth)
    gain = GAINS.get(network.name, network.gain)
    generator.fill(model, gain=gain)
    signal = generator.pixels if network.pixels else generator.signal
    x = signal("input", shape).astype(np.float64)
    upstream = generator.signal("gradient", (BATCH, *model.output_shape[1:])).astype(np.float64)
    values = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def loss(values):
        output, _ = model.stateless_call(values, fixed, x, training=training)
        return (output * upstream).sum(), output

    (_, output), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(values)
    places = {id(variable): place for place, variable in enumerate(model.trainable_variables)}
    paths = {path: places[id(variable)] for path, variable, _ in generator.weights(model) if id(variable) in places}
    print(f"  {network.name}, {'training' if training else 'frozen'} statistics: {np.abs(output).max():.3g}", flush=True)
    return {
        "family": network.name,
        "input": {"values": "255u" if network.pixels else "2u-1", "shape": shape},
        "training": training,
        "gain": gain,
        "output": golden_file.tensor(output, **SHORT),
        "gradients": {
            path: golden_file.tensor(gradients[paths[path]], **SHORT) for path in told(list(paths))
        },
    }


def make():
    networks = {network.name: network for network in catalogue.NETWORKS}
    with catalogue.no_random_values():
        cases = [case(networks[name], training) for name in FAMILIES for training in (False, True)]
    facts = {"versions": golden_file.versions("keras", "jax", "numpy"), "precision": "float64"}
    golden_file.write("network-gradients", facts, cases=cases)
