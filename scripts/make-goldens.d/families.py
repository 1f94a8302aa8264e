"""The families of keras.applications with generated weights: tables of layers and weights, and outputs along the depth.

In f64 with weights and inputs that are f32, so that what differs is the other side's rounding.
"""

import generator
import golden_file
import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

# Family → its function, (input shape, with the head) for each case, and the layers that are looked at. The small inputs
# are not square and partly odd, where padding goes wrong first.
FAMILIES = {
    "vgg16": (
        keras.applications.VGG16,
        [((2, 64, 48, 3), False), ((1, 224, 224, 3), True)],
        ["block1_conv1", "block1_pool", "block2_conv2", "block3_pool", "block4_conv2", "block5_pool", "fc2", "predictions"],
    ),
    "resnet50": (
        keras.applications.ResNet50,
        [((2, 65, 80, 3), False), ((1, 224, 224, 3), True)],
        [
            "conv1_conv",
            "pool1_pool",
            "conv2_block1_add",
            "conv2_block3_out",
            "conv3_block1_0_bn",
            "conv4_block6_out",
            "conv5_block3_out",
            "avg_pool",
            "predictions",
        ],
    ),
    "inceptionv3": (
        keras.applications.InceptionV3,
        [((2, 75, 91, 3), False), ((1, 299, 299, 3), True)],
        [
            "conv2d",
            "batch_normalization_3",
            "max_pooling2d_1",
            "mixed0",
            "average_pooling2d_1",
            "mixed3",
            "mixed8",
            "mixed10",
            "avg_pool",
            "predictions",
        ],
    ),
    "mobilenetv2": (
        keras.applications.MobileNetV2,
        [((2, 97, 64, 3), False), ((1, 224, 224, 3), True)],
        [
            "Conv1_relu",
            "expanded_conv_project_BN",
            "block_1_depthwise_relu",
            "block_2_add",
            "block_6_project_BN",
            "block_12_add",
            "out_relu",
            "global_average_pooling2d",
            "predictions",
        ],
    ),
}


def layer_table(model):
    return [
        {
            "name": layer.name,
            "class": type(layer).__name__,
            "outputShape": list(layer.output.shape),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]


def legacy_table(model):
    """Layers with weights in the order of a weights-only .h5 file, each with its `weight_names`, read back from a file."""
    with h5py.File("legacy.h5", "w", driver="core", backing_store=False) as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
        text = lambda name: name.decode() if isinstance(name, bytes) else name
        order = [text(name) for name in legacy_h5_format.load_attributes_from_hdf5_group(file, "layer_names")]
        names = lambda layer: legacy_h5_format.load_attributes_from_hdf5_group(file[layer], "weight_names")
        table = [[layer, [text(name) for name in names(layer)]] for layer in order]
    return [row for row in table if row[1]]


def case(function, shape, include_top, taps):
    keras.backend.clear_session()  # so that automatic names start from the beginning
    model = function(weights=None, include_top=include_top, input_shape=shape[1:])
    generator.fill(model)
    last = model.layers[-1].name
    here = [name for name in taps if name in {layer.name for layer in model.layers}]
    if last not in here:
        here.append(last)
    outputs = keras.Model(model.inputs[0], [model.get_layer(name).output for name in here])(
        generator.signal("input", shape).astype(np.float64)
    )
    for name, value in zip(here, outputs):
        value = np.asarray(value)
        print(f"  {name}: largest {np.abs(value).max():.4g}, deviation {value.std():.4g}", flush=True)
    return {
        "input": {"path": "input", "values": "2u-1", "shape": shape},
        "includeTop": include_top,
        "parameters": model.count_params(),
        "layers": layer_table(model),
        "weights": [
            {"path": path, "shape": list(variable.shape)} for path, variable, _ in generator.weights(model)
        ],
        "legacy": legacy_table(model) if include_top else None,
        "outputs": [
            {"layer": name, "output": golden_file.tensor(value)} for name, value in zip(here, outputs)
        ],
    }


def make(name):
    """Tests/Goldens/<family>.json"""
    function, cases, taps = FAMILIES[name]
    facts = {
        "versions": golden_file.versions("keras", "jax", "numpy"),
        "precision": "float64",
        "family": function.__name__,
    }
    golden_file.write(name, facts, cases=[case(function, shape, top, taps) for shape, top in cases])
