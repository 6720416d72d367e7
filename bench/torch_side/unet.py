"""The U-Net of 8.3."""

import torch
from torch import nn
from torch.nn import functional as F

from .twin import Twin


class ConvNorm(nn.Module):
    """Convolution, batch norm, leaky ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)))


class UNetBlock2d(nn.Module):
    """Layers, a network on the halved image, layers over both."""

    def __init__(self, inputs, mid, out=None, layers=1, sub=None):
        super().__init__()

        def side(first):
            return nn.ModuleList([ConvNorm(first if i == 0 else mid, mid) for i in range(layers)])

        self.into = side(inputs)
        self.sub = nn.ModuleList([sub] if sub else [])
        self.enlarge = nn.ConvTranspose2d(mid, mid, 3, 2, 1, 1) if sub else None
        self.out_of = side(2 * mid if sub else mid)
        self.narrow = nn.Conv2d(mid, out, 1) if out else None

    def forward(self, x):
        for layer in self.into:
            x = layer(x)
        for sub in self.sub:
            x = torch.cat((x, self.enlarge(sub(F.max_pool2d(x, 2)))), 1)
        for layer in self.out_of:
            x = layer(x)
        return x if self.narrow is None else self.narrow(x)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        deepest = UNetBlock2d(64, 128, 64, 2)
        self.levels = UNetBlock2d(3, 32, None, 2, UNetBlock2d(32, 64, 32, 2, deepest))
        self.output = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, x):
        return self.output(self.levels(x))


class Nuclei(Twin):
    """16 pictures of 256x256 and their masks."""

    parameters = 779_201

    def model(self, dropout):
        return UNet()

    def batch(self, rng):
        return {
            "x": rng.random((16, 3, 256, 256), dtype="float32"),
            "y": (rng.random((16, 1, 256, 256)) < 0.2).astype("float32"),
        }

    def loss(self, model, batch):
        return F.binary_cross_entropy_with_logits(model(batch["x"]), batch["y"])
