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
SHOWN = 64


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class FullyConnected(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 256)
        self.output = nn.Linear(256, 10)

    def forward(self, x):
        return self.output(torch.tanh(self.hidden(x.flatten(1))))


class SimpleCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = conv(1, 16)
        self.output = nn.Linear(16 * 784, 10)

    def forward(self, x):
        return self.output(torch.tanh(self.conv(x)).flatten(1))


class PooledCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.ModuleList([conv(1, 16), conv(16, 16), conv(16, 16)])
        self.second = nn.ModuleList([conv(16, 32), conv(32, 32), conv(32, 32)])
        self.output = nn.Linear(32 * 49, 10)

    def forward(self, x):
        for block in (self.first, self.second):
            for layer in block:
                x = torch.tanh(layer(x))
            x = nn.functional.max_pool2d(x, 2)
        return self.output(x.flatten(1))


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


def golden(model):
    set_parameters(model)
    images = torch.from_numpy((noise(1000, 4 * 784) + 1) / 2).reshape(4, 1, 28, 28)
    labels = torch.tensor([3, 1, 4, 1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    result = {"parameters": sum(p.numel() for p in model.parameters()), "losses": []}
    for step in range(STEPS):
        logits = model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            result["logits"] = logits.detach().flatten().tolist()
            result["gradients"] = [described(p.grad) for p in model.parameters()]
        optimizer.step()
        result["losses"].append(loss.item())
    return result


networks = {"FullyConnected": FullyConnected(), "SimpleCnn": SimpleCnn(), "PooledCnn": PooledCnn()}
results = {name: golden(model) for name, model in networks.items()}


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
