"""PyTorch as its tuning guide advises: channels last, one thread a core, memory that is kept.

The networks are those of keras.applications: ResNet50 strides the first convolution of a block.
"""

import os

import torch
from torch import nn

import cells


def unit(inputs, outputs, size, stride=1, groups=1, activation=None):
    parts = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*parts, activation) if activation else nn.Sequential(*parts)


class Residual(nn.Module):
    def __init__(self, path, shortcut=None, last=None):
        super().__init__()
        self.path, self.shortcut, self.last = path, shortcut, last

    def forward(self, x):
        y = self.path(x) + (x if self.shortcut is None else self.shortcut(x))
        return y if self.last is None else self.last(y)


def resnet50():
    """All blocks in order, and how many modules at the end come after the last fall in resolution."""
    blocks = [unit(3, 64, 7, 2, activation=nn.ReLU(True)), nn.MaxPool2d(3, 2, 1)]
    width = 64
    for stage, count in enumerate([3, 4, 6, 3]):
        middle = 64 << stage
        for block in range(count):
            stride = 2 if stage and block == 0 else 1
            path = nn.Sequential(
                unit(width, middle, 1, stride, activation=nn.ReLU(True)),
                unit(middle, middle, 3, activation=nn.ReLU(True)),
                unit(middle, 4 * middle, 1),
            )
            shortcut = unit(width, 4 * middle, 1, stride) if block == 0 else None
            blocks.append(Residual(path, shortcut, nn.ReLU(True)))
            width = 4 * middle
    return blocks, blocks[-3:], width


def mobilenetv2():
    blocks = [unit(3, 32, 3, 2, activation=nn.ReLU6(True))]
    width, tail = 32, []
    for factor, outputs, count, first in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]:
        for block in range(count):
            stride, inner = (first if block == 0 else 1), factor * width
            parts = [unit(width, inner, 1, activation=nn.ReLU6(True))] if factor > 1 else []
            after = [unit(inner, inner, 3, stride, inner, nn.ReLU6(True)), unit(inner, outputs, 1)]
            path = nn.Sequential(*parts, *after)
            blocks.append(Residual(path) if stride == 1 and width == outputs else path)
            # The first convolution of a block that strides still has the finer resolution.
            tail = after if stride == 2 else [*tail, blocks[-1]]
            width = outputs
    blocks.append(unit(width, 1280, 1, activation=nn.ReLU6(True)))
    return blocks, [*tail, blocks[-1]], 1280


class Network(nn.Module):
    def __init__(self, name):
        super().__init__()
        blocks, self.tail, width = {"resnet50": resnet50, "mobilenetv2": mobilenetv2}[name]()
        self.trunk = nn.Sequential(*blocks)
        self.head = nn.Linear(width, cells.CLASSES)

    def forward(self, x):
        return self.head(self.trunk(x).mean((2, 3)))


def network(name):
    torch.manual_seed(0)
    return Network(name).to(memory_format=torch.channels_last).eval()


def pictures(count, size):
    return torch.rand(count, 3, size, size).to(memory_format=torch.channels_last)


def program(arguments):
    torch.set_num_threads(os.cpu_count())
    cell = cells.cell_named(arguments.cell)
    net = network(arguments.network)
    trained = {"none": [], "head": [net.head], "last-stage": [net.head, *net.tail], "all": [net]}[cell.train]
    net.requires_grad_(False)
    for module in trained:
        module.requires_grad_(True)
    if cell.training_statistics:
        net.train()
    cast = lambda: torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16")
    function = torch.compile(net) if arguments.peer == "torch-compiled" else net
    x = pictures(cells.STEP, arguments.size)
    labels = torch.randint(0, cells.CLASSES, (cells.STEP,))
    update = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(update, lr=1e-6, momentum=cells.MOMENTUM) if update else None

    def prepare(batch):
        parts = [slice(at, at + batch) for at in range(0, cells.STEP, batch)]
        inputs = [x[part].contiguous(memory_format=torch.channels_last) for part in parts]
        targets = [labels[part] for part in parts]

        def infer():
            with torch.inference_mode(), cast():
                for part in inputs:
                    function(part)

        def train():
            optimizer.zero_grad()
            for part, target in zip(inputs, targets):
                with cast():
                    loss = nn.functional.cross_entropy(function(part).float(), target) / len(inputs)
                loss.backward()
            optimizer.step()

        return train if update else infer

    # Statistics of the batch forbid cutting it.
    return prepare, [cells.STEP] if cell.training_statistics else cells.BATCHES[::-1][: 5 if not update else 3]


def export(name, size, path):
    """Writes a network for inference as ONNX, with a free batch size."""
    torch.onnx.export(
        network(name), (pictures(2, size),), path, dynamo=False, input_names=["pictures"], output_names=["logits"],
        dynamic_axes={"pictures": {0: "n"}, "logits": {0: "n"}})
