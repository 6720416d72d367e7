"""Writes golden.json: what PyTorch computes with the chapter's networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

Parameters and images are made by a formula that both languages have (SplitMix64), so the file holds results only, and of
large gradients only the first values and two sums. Computed in float64 from numbers that are exact in float32, so that what
differs in the test is Burn's rounding alone.
"""

import json

import numpy as np
import torch
from torch import nn

STEPS = 5
LEARNING_RATE = 0.01
SHOWN = 12
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'"
NAMES = ["frank", "x", "o'neal", "dostoevsky"]
LABELS = [6, 1, 8, 9]


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


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


def set_parameters(model):
    """The k-th parameter is noise(k + 1) times 1 / sqrt(fan in), a power of two at most as large as that."""
    fan_in = 1
    for k, parameter in enumerate(model.parameters()):
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
        bound = 2.0 ** np.floor(np.log2(fan_in**-0.5))
        values = bound * noise(k + 1, parameter.numel())
        parameter.data = torch.from_numpy(values).reshape(parameter.shape)


def described(gradient):
    values = gradient.flatten().numpy()
    return {
        "first": values[:SHOWN].tolist(),
        "length": float(np.sqrt((values**2).sum())),
        "absolute": float(np.abs(values).sum()),
        "projection": float((values * noise(99, values.size)).sum()),
    }


def golden(model, inputs):
    set_parameters(model)
    labels = torch.tensor(LABELS)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    result = {"parameters": sum(p.numel() for p in model.parameters()), "losses": []}
    for step in range(STEPS):
        logits = model(inputs)
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            result["logits"] = logits.detach().flatten().tolist()
            result["gradients"] = [described(p.grad) for p in model.parameters()]
        optimizer.step()
        result["losses"].append(loss.item())
    return result


images = torch.from_numpy((noise(1000, 4 * 784) + 1) / 2).reshape(4, 1, 28, 28)
names = [torch.tensor([ALPHABET.index(letter) for letter in name]) for name in NAMES]
results = {
    "Mlp": golden(Mlp(shared=False), images),
    "SharedMlp": golden(Mlp(shared=True), images),
    "one layer": golden(NameClassifier(1, False), names),
    "three layers": golden(NameClassifier(3, False), names),
    "both directions": golden(NameClassifier(3, True), names),
}


def shorter(value):
    """Nine digits are all that float32 has."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [shorter(v) for v in value]
    if isinstance(value, dict):
        return {key: shorter(v) for key, v in value.items()}
    return value


with open("golden.json", "w") as file:
    json.dump(shorter(results), file, indent=1)
    file.write("\n")
for name, result in results.items():
    print(name, result["parameters"], result["losses"])
