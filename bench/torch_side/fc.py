"""Fully connected networks: 2.9, 5.1 and 7.4."""

import numpy as np
from torch import nn
from torch.nn import functional as F

from .twin import Classifier, Twin, sgd


class MoonsMlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 30)
        self.second = nn.Linear(30, 30)
        self.output = nn.Linear(30, 2)

    def forward(self, x):
        return self.output(self.second(self.first(x).tanh()).tanh())


class Moons(Classifier):
    batch_size, shape, classes = 32, (2,), 2
    parameters = 1082
    optimizer = sgd(1e-3)

    def model(self, dropout):
        return MoonsMlp()

    def dataset(self, rng):
        y = np.arange(8000) % 2
        t = rng.random(8000) * np.pi
        x = np.where(y[:, None] == 0, np.stack([np.cos(t), np.sin(t)], 1), np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1))
        x = x + rng.normal(0, 0.4, x.shape)
        return {"x": x.astype("float32"), "y": y.astype("uint8"), "epochs": 21}


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(784, 128), nn.Linear(128, 128), nn.Linear(128, 128)])
        self.output = nn.Linear(128, 10)

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.hidden:
            x = layer(x).tanh()
        return self.output(x)


class FashionMlp(Classifier):
    batch_size = 256
    parameters = 134_794
    optimizer = sgd(0.1)

    def model(self, dropout):
        return Mlp()

    def dataset(self, rng):
        return {
            "x": rng.integers(0, 256, (60_000, 1, 28, 28), dtype="uint8"),
            "y": rng.integers(0, 10, 60_000, dtype="uint8"),
            "epochs": 3,
        }


class LinearNorm(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.linear(x)))


class AutoencoderNet(nn.Module):
    def __init__(self):
        super().__init__()
        pixels, wide = 784, 1568
        self.encoder = nn.ModuleList([LinearNorm(pixels, wide), LinearNorm(wide, wide), LinearNorm(wide, wide)])
        self.code = nn.Linear(wide, wide)
        self.decoder = nn.ModuleList([LinearNorm(wide, wide) for _ in range(3)])
        self.output = nn.Linear(wide, pixels)

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.encoder:
            x = layer(x)
        x = self.code(x)
        for layer in self.decoder:
            x = layer(x)
        return self.output(x)


class Autoencoder(Twin):
    parameters = 17_240_944
    check_factor = 0.01

    def model(self, dropout):
        return AutoencoderNet()

    def batch(self, rng):
        return {"x": rng.random((128, 1, 28, 28), dtype="float32")}

    def loss(self, model, batch):
        return F.mse_loss(model(batch["x"]), batch["x"].flatten(1))
