"""The U-Net of 8.3."""

import torch
from torch import nn
from torch.nn import functional as F

from .cnn import ConvNorm
from .twin import Twin


class Level(nn.Module):
    """Two convolutions, room for the next level on the halved image, two convolutions over both."""

    def __init__(self, inputs, mid, outputs=None, deepest=False):
        super().__init__()
        self.down = nn.ModuleList([ConvNorm(inputs, mid, 0.01), ConvNorm(mid, mid, 0.01)])
        self.grow = None if deepest else nn.ConvTranspose2d(mid, mid, 3, 2, 1, 1)
        self.up = nn.ModuleList([ConvNorm(mid if deepest else 2 * mid, mid, 0.01), ConvNorm(mid, mid, 0.01)])
        self.narrow = nn.Conv2d(mid, outputs, 1) if outputs else None


class UNetNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.levels = nn.ModuleList([Level(3, 32), Level(32, 64, 32), Level(64, 128, 64, deepest=True)])
        self.output = nn.Conv2d(32, 1, 3, padding=1)

    def from_level(self, depth, x):
        level = self.levels[depth]
        for layer in level.down:
            x = layer(x)
        if level.grow is not None:
            below = self.from_level(depth + 1, F.max_pool2d(x, 2))
            x = torch.cat((x, level.grow(below)), 1)
        for layer in level.up:
            x = layer(x)
        return x if level.narrow is None else level.narrow(x)

    def forward(self, x):
        return self.output(self.from_level(0, x))


class Nuclei(Twin):
    """16 pictures of 256x256 and their masks."""

    parameters = 779_201

    def model(self, dropout):
        return UNetNet()

    def batch(self, rng):
        return {
            "x": rng.random((16, 3, 256, 256), dtype="float32"),
            "y": (rng.random((16, 1, 256, 256)) < 0.2).astype("float32"),
        }

    def loss(self, model, batch):
        return F.binary_cross_entropy_with_logits(model(batch["x"]), batch["y"])
