"""Writes golden.json: what PyTorch computes with the chapter's layers and networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import count, described, distance, golden as of_noise, prepared, tensor, write

DISTANCE = 4e-6
SYMBOLS = 36
TEXTS, LENGTH = 3, 20


class Bias(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(values))


class Tied(nn.Module):
    """A linear layer, tanh, and the same matrix transposed with a bias of its own."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)
        self.transposed = Bias(inputs)

    def forward(self, x):
        return F.linear(self.layer(x).tanh(), self.layer.weight.T, self.transposed.bias)


class Pca(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(784, 2, bias=False)

    def forward(self, images):
        return F.linear(self.encoder(images.flatten(1)), self.encoder.weight.T)

    def penalty(self):
        w = self.encoder.weight
        return F.mse_loss(w @ w.T, torch.eye(2, dtype=w.dtype))


def non_linear_pca():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 2), nn.Tanh(), nn.Linear(2, 784))


def deep(*sizes):
    """784 - sizes and back, as the book's getLayer has it."""
    parts, inputs = [nn.Flatten()], 784
    for i, outputs in enumerate([*sizes, *sizes[-2::-1], 784]):
        parts.append(nn.Linear(inputs, outputs))
        if i not in (len(sizes) - 1, 2 * len(sizes) - 1):
            parts += [nn.BatchNorm1d(outputs), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*parts)


class AutoRegressive(nn.Module):
    """Step by step, the head in each step."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, 32)
        self.cells = nn.ModuleList([nn.GRUCell(32, 128), nn.GRUCell(128, 128)])
        self.norms = nn.ModuleList([nn.LayerNorm(128), nn.LayerNorm(128)])
        self.head = nn.Sequential(nn.Linear(128, 128), nn.LeakyReLU(), nn.LayerNorm(128), nn.Linear(128, SYMBOLS))

    def forward(self, text):
        states = [torch.zeros(len(text), 128, dtype=torch.float64) for _ in self.cells]
        logits = []
        for t in range(text.shape[1]):
            h = self.embedding(text[:, t])
            for i, (cell, norm) in enumerate(zip(self.cells, self.norms, strict=True)):
                h = states[i] = norm(cell(h, states[i]))
            logits.append(self.head(h))
        return torch.stack(logits, 1)


def golden(model, *shape):
    return of_noise(model, shape, DISTANCE)


def gradients(model):
    return [described(p.grad) for p in model.parameters()]


def pca_loss():
    """The loss of 7.1: mean squared error + 0.1 penalty."""
    model = prepared(Pca())
    images = tensor(1000, 7, 1, 28, 28)
    loss = F.mse_loss(model(images), images.flatten(1)) + 0.1 * model.penalty()
    loss.backward()
    penalty = model.penalty().item()
    return {"parameters": count(model), "loss": loss.item(), "penalty": penalty, "gradients": gradients(model)}


def auto_regressive():
    """The loss of 7.7: cross-entropy summed over the steps."""
    model = prepared(AutoRegressive())
    i, t = np.arange(TEXTS)[:, None], np.arange(LENGTH + 1)
    text = torch.from_numpy((7 * i + 5 * t + i * t) % SYMBOLS)
    x, y = text[:, :-1], text[:, 1:]
    assert distance(model, x) > DISTANCE
    logits = model(x)
    loss = sum(F.cross_entropy(logits[:, t], y[:, t]) for t in range(LENGTH))
    loss.backward()
    return {
        "parameters": count(model),
        "loss": loss.item(),
        "logits": described(logits),
        "gradients": gradients(model),
    }


results = {
    "TransposeLinear": golden(Tied(6, 4), 5, 6),
    "Pca": golden(Pca(), 7, 1, 28, 28),
    "PcaRegressor": pca_loss(),
    "NonLinearPca": golden(non_linear_pca(), 7, 1, 28, 28),
    "DeepAutoencoder, narrow": golden(deep(392, 261, 196, 2), 16, 1, 28, 28),
    "DeepAutoencoder, wide": golden(deep(1568, 1568, 1568, 1568), 16, 1, 28, 28),
    "AutoRegressive": auto_regressive(),
}
write(results)
