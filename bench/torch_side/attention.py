"""Attention over a bag of digits: 10.5, and the pooling that 12.7 shares."""

import torch
from torch import nn
from torch.nn import functional as F

from .twin import Twin


class AdditiveAttentionScore(nn.Module):
    """v^T tanh(W [h; c])"""

    def __init__(self, width):
        super().__init__()
        self.w = nn.Linear(2 * width, width)
        self.v = nn.Linear(width, 1)

    def forward(self, h, context):
        context = context.unsqueeze(1).expand_as(h)
        return self.v(torch.tanh(self.w(torch.cat((h, context), 2)))).squeeze(2)  # [B, T]


class AttentionAvg(nn.Module):
    """The average of states weighted by a score against a context."""

    def __init__(self, width):
        super().__init__()
        self.score = AdditiveAttentionScore(width)

    def forward(self, h, context, valid):
        weights = self.score(h, context).masked_fill(~valid, -10_000.0).softmax(1)
        return (h * weights.unsqueeze(2)).sum(1)  # [B, H]


class Backbone(nn.Module):
    """A network per digit."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(784, width), nn.Linear(width, width), nn.Linear(width, width)])

    def forward(self, x):
        for layer in self.layers:
            x = F.leaky_relu(layer(x))
        return x


class Head(nn.Module):
    """From the average of the digits to a score for each class."""

    def __init__(self, width):
        super().__init__()
        self.norm_1 = nn.BatchNorm1d(width)
        self.hidden = nn.Linear(width, width)
        self.norm_2 = nn.BatchNorm1d(width)
        self.output = nn.Linear(width, 10)

    def forward(self, x):
        return self.output(self.norm_2(F.leaky_relu(self.hidden(self.norm_1(x)))))


class BagNet(nn.Module):
    """A network per digit, attention over the digits of a bag, a classifier."""

    def __init__(self, width=256):
        super().__init__()
        self.backbone = Backbone(width)
        self.attention = AttentionAvg(width)
        self.head = Head(width)

    def forward(self, bags):
        x = bags.flatten(2)  # [B, T, 784]
        valid = (x != 0).any(2)  # [B, T]
        x = self.backbone(x)  # [B, T, H]
        mask = valid.float().unsqueeze(2)
        context = (x * mask).sum(1) / (mask.sum(1) + 1e-10)
        return self.head(self.attention(x, context, valid))


class Bags(Twin):
    parameters = 533_515
    check_factor = 0.01

    def model(self, dropout):
        return BagNet()

    def batch(self, rng):
        return {
            "x": rng.random((128, 3, 1, 28, 28), dtype="float32"),
            "y": rng.integers(0, 10, 128, dtype="int32"),
        }
