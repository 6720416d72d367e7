"""News headlines: the GRU of 12.1, the averages of 12.2, the transformer of 12.7."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .attention import AttentionAvg
from .twin import Twin

WORDS, PAD, WIDTH, CLASSES = 20_647, 3, 128, 4


class News(Twin):
    """64 headlines of about 46 words, padded to the longest."""

    def batch(self, rng):
        lengths = np.clip(rng.normal(46, 12, 64).round().astype(int), 12, 90)
        x = rng.integers(4, WORDS, (64, lengths.max()), dtype="int32")
        x[np.arange(lengths.max()) >= lengths[:, None]] = PAD
        return {"x": x, "y": rng.integers(0, CLASSES, 64, dtype="int32")}


class Head(nn.Module):
    """Linear, leaky ReLU, batch norm, linear."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.output = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        return self.output(self.norm(F.leaky_relu(self.hidden(x))))


class GruNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.gru = nn.GRU(WIDTH, WIDTH, 3, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * WIDTH, CLASSES)

    def forward(self, words):
        _, last = self.gru(self.embedding(words))  # [6, B, H]
        return self.output(torch.cat((last[-2], last[-1]), 1))


class NewsGru(News):
    parameters = 3_434_884

    def model(self, dropout):
        return GruNet()


class AverageNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(3)])
        self.head = Head()

    def forward(self, words):
        x = self.embedding(words)  # [B, T, H]
        for layer in self.layers:
            x = F.leaky_relu(layer(x))
        return self.head(x.mean(1))


class NewsAverage(News):
    parameters = 2_709_636
    check_factor = 0.01

    def model(self, dropout):
        return AverageNet()


class PositionalEncoding(nn.Module):
    """x sqrt(d) + P, then dropout."""

    def __init__(self, width, dropout, longest=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(longest).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
        table = torch.stack((torch.sin(position * rate), torch.cos(position * rate)), 2).flatten(1)
        self.register_buffer("table", table, persistent=False)
        self.scale = math.sqrt(width)

    def forward(self, x):
        return self.dropout(x * self.scale + self.table[: x.shape[1]])


class TransformerNet(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.position = PositionalEncoding(WIDTH, dropout)
        self.layers = nn.ModuleList(
            [nn.TransformerEncoderLayer(WIDTH, 8, 2048, dropout, batch_first=True) for _ in range(3)]
        )
        self.attention = AttentionAvg(WIDTH)
        self.head = Head()

    def forward(self, words):
        valid = words != PAD  # [B, T]
        x = self.position(self.embedding(words))  # [B, T, H]
        for layer in self.layers:
            x = layer(x)
        context = x.sum(1) / valid.sum(1, keepdim=True)
        return self.head(self.attention(x, context, valid))


class NewsTransformer(News):
    parameters = 4_472_197
    check_factor = 0.01

    def model(self, dropout):
        return TransformerNet(0.1 if dropout else 0.0)
