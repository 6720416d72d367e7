"""Writes golden.json: what PyTorch computes with the chapter's layers, blocks and networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import computed, golden as of_noise, prepared, write

SLOPE = 0.1
DISTANCE = 4e-6
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'"
NAMES = ["frank", "x", "o'neal", "dostoevsky"]


def conv(inputs, outputs, window=3):
    return nn.Conv2d(inputs, outputs, window, padding=window // 2)


def hidden(style, shape):
    """What follows a layer whose output for one example has this shape."""
    if style == "tanh":
        return nn.Tanh()
    norm = {
        "leaky relu": nn.Identity,
        "batch norm": lambda: (nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d)(shape[0]),
        "layer norm": lambda: nn.LayerNorm(shape),
    }
    return nn.Sequential(norm[style](), nn.LeakyReLU(SLOPE))


def linear_norm(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.LeakyReLU(SLOPE))


def conv_norm(inputs, outputs, window=3, slope=SLOPE):
    return nn.Sequential(conv(inputs, outputs, window), nn.BatchNorm2d(outputs), nn.LeakyReLU(slope))


class Skip(nn.Module):
    """6.3: the last layer sees the outputs of all others; `layer` is `linear_norm` or `conv_norm`."""

    def __init__(self, layer, layers, inputs, outputs):
        super().__init__()
        self.hidden = nn.ModuleList(layer(inputs, inputs) for _ in range(layers - 1))
        self.output = layer(inputs * (layers - 1), outputs)

    def forward(self, x):
        seen = []
        for layer in self.hidden:
            x = layer(x)
            seen.append(x)
        return self.output(torch.cat(seen, dim=1))


def info_share(channels):
    return nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.LeakyReLU())


class ResidualBlockE(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.f = nn.Sequential(conv_norm(channels, channels), conv_norm(channels, channels))

    def forward(self, x):
        return x + self.f(x)


class ResidualBottleNeck(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        narrow = max(outputs // 4, inputs)
        parts = []
        for i, o, window in ((inputs, narrow, 1), (narrow, narrow, 3), (narrow, outputs, 1)):
            parts += [nn.BatchNorm2d(i), nn.LeakyReLU(SLOPE), conv(i, o, window)]
        self.f = nn.Sequential(*parts)
        self.shortcut = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return self.shortcut(x) + self.f(x)


def mlp(style):
    parts = [nn.Flatten()]
    for inputs in (784, 256, 256, 256, 256, 256):
        parts += [nn.Linear(inputs, 256), hidden(style, [256])]
    return nn.Sequential(*parts, nn.Linear(256, 10))


def cnn(style, share=False):
    parts, inputs = [], 1
    for filters, side, depth in ((32, 28, 3), (64, 14, 3), (128, 7, 2)):
        if side < 28:
            parts.append(nn.MaxPool2d(2))
        for i in range(depth):
            parts += [conv(inputs, filters), hidden(style, [filters, side, side])]
            inputs = filters
            if share and i == 1:
                parts.append(info_share(filters))
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(6272, 10))


def skip_mlp():
    blocks = [Skip(linear_norm, 2, inputs, 256) for inputs in (784, 256, 256)]
    return nn.Sequential(nn.Flatten(), *blocks, nn.Linear(256, 10))


def skip_cnn():
    return nn.Sequential(
        conv(1, 32),
        Skip(conv_norm, 3, 32, 64),
        nn.MaxPool2d(2),
        nn.LeakyReLU(),
        Skip(conv_norm, 3, 64, 128),
        nn.MaxPool2d(2),
        Skip(conv_norm, 2, 128, 128),
        nn.Flatten(),
        nn.Linear(6272, 10),
    )


def residual_cnn():
    parts = []
    for inputs, outputs in ((1, 32), (32, 64), (64, 128)):
        if inputs > 1:
            parts.append(nn.MaxPool2d(2))
        parts += [ResidualBottleNeck(inputs, outputs), nn.LeakyReLU(SLOPE)]
        parts += [ResidualBlockE(outputs), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(6272, 10))


class NameClassifier(nn.Module):
    """6.10, with packed sequences; `memory` is nn.RNN or nn.LSTM."""

    def __init__(self, memory):
        super().__init__()
        self.embedding = nn.Embedding(57, 64)
        self.memory = memory(64, 256, 3, batch_first=True)
        self.output = nn.Linear(256, 18)

    def forward(self, names):
        lengths = torch.tensor([len(name) for name in names])
        padded = nn.utils.rnn.pad_sequence(names, batch_first=True)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(padded), lengths, batch_first=True, enforce_sorted=False
        )
        _, state = self.memory(packed)
        h = state[0] if isinstance(state, tuple) else state  # (3, B, 256)
        return self.output(h[-1])


def golden(model, inputs):
    """What a model computes from names, or from noise of a shape."""
    return of_noise(model, inputs, DISTANCE) if isinstance(inputs, tuple) else computed(prepared(model), inputs)


names = [torch.tensor([ALPHABET.index(letter) for letter in name]) for name in NAMES]
results = {"LeakyRelu": golden(nn.LeakyReLU(SLOPE), (3, 4, 5))}
for style in ("tanh", "leaky relu", "batch norm", "layer norm"):
    results[f"hidden vectors, {style}"] = golden(hidden(style, [7]), (5, 7))
    results[f"hidden images, {style}"] = golden(hidden(style, [3, 5, 4]), (4, 3, 5, 4))
    results[f"Mlp, {style}"] = golden(mlp(style), (16, 1, 28, 28))
    results[f"Cnn, {style}"] = golden(cnn(style), (2, 1, 28, 28))
results |= {
    "LinearNorm": golden(linear_norm(6, 9), (5, 6)),
    "ConvNorm": golden(conv_norm(3, 5, slope=0.3), (4, 3, 6, 5)),
    "SkipFc of 2": golden(Skip(linear_norm, 2, 6, 9), (5, 6)),
    "SkipFc of 4": golden(Skip(linear_norm, 4, 6, 9), (5, 6)),
    "SkipConv2d of 2": golden(Skip(conv_norm, 2, 3, 5), (4, 3, 6, 5)),
    "SkipConv2d of 4": golden(Skip(conv_norm, 4, 3, 5), (4, 3, 6, 5)),
    "InfoShare": golden(info_share(6), (4, 6, 5, 4)),
    "ResidualBlockE": golden(ResidualBlockE(6), (4, 6, 5, 4)),
    "ResidualBottleNeck 3 to 16": golden(ResidualBottleNeck(3, 16), (4, 3, 6, 5)),
    "ResidualBottleNeck 8 to 8": golden(ResidualBottleNeck(8, 8), (4, 8, 6, 5)),
    "ResidualBottleNeck 6 to 3": golden(ResidualBottleNeck(6, 3), (4, 6, 5, 4)),
    "Cnn, sharing": golden(cnn("batch norm", share=True), (2, 1, 28, 28)),
    "SkipMlp": golden(skip_mlp(), (16, 1, 28, 28)),
    "SkipCnn": golden(skip_cnn(), (2, 1, 28, 28)),
    "ResidualCnn": golden(residual_cnn(), (2, 1, 28, 28)),
    "NameClassifier, RNN": golden(NameClassifier(nn.RNN), names),
    "NameClassifier, LSTM": golden(NameClassifier(nn.LSTM), names),
}
write(results)
