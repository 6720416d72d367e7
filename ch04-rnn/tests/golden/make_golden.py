"""Writes golden.json: what PyTorch computes with the chapter's networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import tensor, trained, write

STEPS = 5
LEARNING_RATE = 0.01
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'"
NAMES = ["frank", "x", "o'neal", "dostoevsky"]
LABELS = [6, 1, 8, 9]


class Mlp(nn.Module):
    """4.1; with `shared` the second layer is used twice."""

    def __init__(self, shared):
        super().__init__()
        self.first = nn.Linear(784, 256)
        self.second = nn.Linear(256, 256)
        self.third = self.second if shared else nn.Linear(256, 256)
        self.output = nn.Linear(256, 10)

    def forward(self, x):
        x = x.flatten(1)
        for layer in (self.first, self.second, self.third):
            x = torch.tanh(layer(x))
        return self.output(x)


class NameClassifier(nn.Module):
    """4.3 to 4.6, with packed sequences."""

    def __init__(self, layers, bidirectional):
        super().__init__()
        self.directions = 2 if bidirectional else 1
        self.embedding = nn.Embedding(57, 64)
        self.rnn = nn.RNN(64, 256, layers, batch_first=True, bidirectional=bidirectional)
        self.output = nn.Linear(256 * self.directions, 18)

    def forward(self, names):
        lengths = torch.tensor([len(name) for name in names])
        padded = nn.utils.rnn.pad_sequence(names, batch_first=True)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(padded), lengths, batch_first=True, enforce_sorted=False
        )
        _, h = self.rnn(packed)  # (layers * directions, B, H)
        last = h[-self.directions :].transpose(0, 1).flatten(1)
        return self.output(last)


def golden(model, inputs):
    return trained(model, inputs, LABELS, STEPS, LEARNING_RATE, 12)


images = (tensor(1000, 4, 1, 28, 28) + 1) / 2
names = [torch.tensor([ALPHABET.index(letter) for letter in name]) for name in NAMES]
results = {
    "Mlp": golden(Mlp(shared=False), images),
    "SharedMlp": golden(Mlp(shared=True), images),
    "one layer": golden(NameClassifier(1, False), names),
    "three layers": golden(NameClassifier(3, False), names),
    "both directions": golden(NameClassifier(3, True), names),
}
write(results)
