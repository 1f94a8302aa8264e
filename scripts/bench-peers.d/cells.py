"""What is measured: networks, and what trains in each cell."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Cell:
    """One row of the table."""

    name: str
    title: str
    train: str  # what `graft bench --train` calls it
    training_statistics: bool = False


CELLS = [
    Cell("inference", "inference", "none"),
    Cell("head", "head, trunk run each step", "head"),
    Cell("last-stage", "last stage", "last-stage"),
    Cell("full", "full, frozen statistics", "all"),
    Cell("full-training", "full, training statistics", "all", training_statistics=True),
]

# Keras's class of each network; the first two are also written in PyTorch.
NETWORKS = {
    "resnet50": "ResNet50",
    "mobilenetv2": "MobileNetV2",
    "vgg16": "VGG16",
    "inceptionv3": "InceptionV3",
    "densenet121": "DenseNet121",
    "xception": "Xception",
}

STEP = 16  # pictures of one optimizer step
CLASSES = 1000
MOMENTUM = 0.9
BATCHES = [1, 2, 4, 8, 16]


def cell_named(name):
    return next(cell for cell in CELLS if cell.name == name)
