"""Writes golden.json: what PyTorch computes with the chapter's layers and networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

Parameters and inputs are made by a formula that both languages have (SplitMix64), so the file holds results only, and of each
tensor only the first values and three sums. Computed in float64 from numbers that are exact in float32, so that what differs in
the test is Burn's rounding alone.
"""

import copy
import json

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(2)
SHOWN = 5
DISTANCE = 4e-6
SYMBOLS = 36
TEXTS, LENGTH = 3, 20


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


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


def set_parameters(model):
    """The k-th parameter is noise(k), in layers with weights times 1 / sqrt(fan in), a power of two at most as large as that."""
    fan_in, k = 1, 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            k += 1
            if parameter.dim() == 2:
                fan_in = parameter[0].numel()
            bound = 2.0 ** np.floor(np.log2(fan_in**-0.5))
            if isinstance(module, (nn.BatchNorm1d, nn.LayerNorm)):
                bound = 1.0
            values = bound * noise(k, parameter.numel())
            parameter.data = torch.from_numpy(values).reshape(parameter.shape)


def described(tensor):
    values = tensor.detach().flatten().numpy()
    return {
        "first": values[:SHOWN].tolist(),
        "length": float(np.sqrt((values**2).sum())),
        "absolute": float(np.abs(values).sum()),
        "projection": float((values * noise(99, values.size)).sum()),
    }


def prepared(model):
    model = model.double()
    set_parameters(model)
    return model, {"parameters": sum(p.numel() for p in model.parameters())}


def gradients(model):
    return [described(p.grad) for p in model.parameters()]


def distance(model, inputs):
    """How near the input of a rectifier comes to its kink at 0, in parts of the typical size."""
    distances = []

    def measure(module, inputs):
        (x,) = inputs
        distances.append((x.abs().min() / x.square().mean().sqrt()).item())

    rectifiers = (nn.ReLU, nn.LeakyReLU)
    hooks = [m.register_forward_pre_hook(measure) for m in model.modules() if isinstance(m, rectifiers)]
    with torch.no_grad():
        copy.deepcopy(model)(inputs)
    for hook in hooks:
        hook.remove()
    return min(distances, default=1.0)


def golden(model, *shape):
    """Output and gradients of sum(output * noise) in training, then the output in evaluation with the running statistics.

    The seed of the input is the first one that brings no rectifier so near to 0 that a rounding error could change the side, and
    with it the gradients.
    """
    model, result = prepared(model)
    for seed in range(1000, 2000):
        inputs = torch.from_numpy(noise(seed, int(np.prod(shape)))).reshape(shape)
        if distance(model, inputs) > DISTANCE:
            break
    else:
        raise ValueError("no seed keeps all rectifiers away from 0")
    result["seed"] = seed
    inputs.requires_grad_()
    output = model(inputs)
    directions = torch.from_numpy(noise(2000, output.numel())).reshape(output.shape)
    (output * directions).sum().backward()
    result["training"] = described(output)
    result["gradients"] = gradients(model)
    result["input"] = described(inputs.grad)
    with torch.no_grad():
        result["evaluation"] = described(model.eval()(inputs))
    return result


def pca_loss():
    """The loss of 7.1: mean squared error + 0.1 penalty."""
    model, result = prepared(Pca())
    images = torch.from_numpy(noise(1000, 7 * 784)).reshape(7, 1, 28, 28)
    loss = F.mse_loss(model(images), images.flatten(1)) + 0.1 * model.penalty()
    loss.backward()
    return result | {"loss": loss.item(), "penalty": model.penalty().item(), "gradients": gradients(model)}


def auto_regressive():
    """The loss of 7.7: cross-entropy summed over the steps."""
    model, result = prepared(AutoRegressive())
    i, t = np.arange(TEXTS)[:, None], np.arange(LENGTH + 1)
    text = torch.from_numpy((7 * i + 5 * t + i * t) % SYMBOLS)
    x, y = text[:, :-1], text[:, 1:]
    assert distance(model, x) > DISTANCE
    logits = model(x)
    loss = sum(F.cross_entropy(logits[:, t], y[:, t]) for t in range(LENGTH))
    loss.backward()
    return result | {"loss": loss.item(), "logits": described(logits), "gradients": gradients(model)}


results = {
    "TransposeLinear": golden(Tied(6, 4), 5, 6),
    "Pca": golden(Pca(), 7, 1, 28, 28),
    "PcaRegressor": pca_loss(),
    "NonLinearPca": golden(non_linear_pca(), 7, 1, 28, 28),
    "DeepAutoencoder, narrow": golden(deep(392, 261, 196, 2), 16, 1, 28, 28),
    "DeepAutoencoder, wide": golden(deep(1568, 1568, 1568, 1568), 16, 1, 28, 28),
    "AutoRegressive": auto_regressive(),
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
    lines = [f"{json.dumps(name)}: {json.dumps(shorter(result))}" for name, result in results.items()]
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
for name, result in results.items():
    print(name, result["parameters"], result.get("seed"), result.get("loss"))
