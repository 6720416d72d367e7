"""Convolutional networks without skips: 3.5 and 6.4."""

from torch import nn
from torch.nn import functional as F

from .twin import Classifier, sgd


class PooledCnn(nn.Module):
    def __init__(self):
        super().__init__()

        def block(inputs, filters):
            sizes = [(inputs, filters), (filters, filters), (filters, filters)]
            return nn.ModuleList([nn.Conv2d(i, o, 3, padding=1) for i, o in sizes])

        self.first = block(1, 16)
        self.second = block(16, 32)
        self.output = nn.Linear(32 * 7 * 7, 10)

    def forward(self, x):
        for block in (self.first, self.second):
            for conv in block:
                x = conv(x).tanh()
            x = F.max_pool2d(x, 2)
        return self.output(x.flatten(1))


class Pooled(Classifier):
    batch_size = 32
    parameters = 43_626
    optimizer = sgd(1e-3)

    def model(self, dropout):
        return PooledCnn()

    def dataset(self, rng):
        return {
            "x": rng.integers(0, 256, (12_000, 1, 28, 28), dtype="uint8"),
            "y": rng.integers(0, 10, 12_000, dtype="uint8"),
            "epochs": 1,
        }


class ConvNorm(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.hidden = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.leaky_relu(self.hidden(self.conv(x)), 0.1)


class NormedCnn(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [[(1, 32), (32, 32), (32, 32)], [(32, 64), (64, 64), (64, 64)], [(64, 128), (128, 128)]]
        self.stages = nn.ModuleList([nn.ModuleList([ConvNorm(i, o) for i, o in stage]) for stage in sizes])
        self.output = nn.Linear(128 * 7 * 7, 10)

    def forward(self, x):
        for number, stage in enumerate(self.stages):
            if number > 0:
                x = F.max_pool2d(x, 2)
            for layer in stage:
                x = layer(x)
        return self.output(x.flatten(1))


class Normed(Classifier):
    parameters = 396_426
    check_factor = 0.01

    def model(self, dropout):
        return NormedCnn()
