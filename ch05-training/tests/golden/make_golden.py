"""Writes golden.json: what PyTorch computes with the chapter's network, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

Parameters and images are made by a formula that both languages have (SplitMix64), so the file holds results only, and of
gradients only the first values and three sums. Computed in float64 from numbers that are exact in float32, so that what
differs in the test is Burn's rounding alone.
"""

import json

import numpy as np
import torch
from torch import nn

STEPS = 20
SHOWN = 32
IMAGES = 8
CLIP = 0.01


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


def network():
    layers = [nn.Flatten()]
    for inputs in (784, 128, 128):
        layers += [nn.Linear(inputs, 128), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(128, 10)).double()
    # The k-th parameter is noise(k + 1) times 1 / sqrt(fan in), a power of two at most as large as that.
    fan_in = 1
    for k, parameter in enumerate(model.parameters()):
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
        bound = 2.0 ** np.floor(np.log2(fan_in**-0.5))
        parameter.data = torch.from_numpy(bound * noise(k + 1, parameter.numel())).reshape(parameter.shape)
    return model


def described(gradient):
    values = gradient.flatten().numpy()
    return {
        "first": values[:SHOWN].tolist(),
        "length": float(np.sqrt((values**2).sum())),
        "absolute": float(np.abs(values).sum()),
        "projection": float((values * noise(99, values.size)).sum()),
    }


def data():
    images = torch.from_numpy((noise(1000, IMAGES * 784) + 1) / 2).reshape(IMAGES, 1, 28, 28)
    return images, torch.arange(IMAGES) * 3 % 10


sched = torch.optim.lr_scheduler
sgd = lambda p: torch.optim.SGD(p, 0.1)
momentum = lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)
nesterov = lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True)
adamw = lambda p: torch.optim.AdamW(p)
schedules = {
    "constant": lambda o: sched.ConstantLR(o, factor=1.0),
    "exponential": lambda o: sched.ExponentialLR(o, gamma=(1e-4 / 0.1) ** (1 / STEPS)),
    "step": lambda o: sched.StepLR(o, step_size=5, gamma=0.3),
    "cosine": lambda o: sched.CosineAnnealingLR(o, T_max=6),
    # A threshold of one half, so that a loss that falls slowly is a plateau.
    "plateau": lambda o: sched.ReduceLROnPlateau(o, factor=0.2, patience=2, threshold=0.5),
}
optimizers = {"SGD": sgd, "momentum": momentum, "Nesterov": nesterov, "AdamW": adamw}


def trained(optimizer, schedule, clip=None):
    """The loss before each step: a step is an epoch, its loss is what the plateau schedule sees."""
    model = network()
    images, labels = data()
    optimizer = optimizer(model.parameters())
    schedule = schedule(optimizer)
    losses = []
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_value_(model.parameters(), clip)
        optimizer.step()
        plateau = isinstance(schedule, sched.ReduceLROnPlateau)
        schedule.step(loss.item()) if plateau else schedule.step()
        losses.append(loss.item())
    return losses


model = network()
images, labels = data()
logits = model(images)
nn.functional.cross_entropy(logits, labels).backward()
golden = {
    "parameters": sum(p.numel() for p in model.parameters()),
    "logits": logits.detach().flatten().tolist(),
    "gradients": [described(p.grad) for p in model.parameters()],
    "trainings": {
        name: {schedule: trained(optimizer, schedules[schedule]) for schedule in schedules}
        for name, optimizer in optimizers.items()
    },
}
golden["trainings"]["AdamW"]["cosine, clipped"] = trained(adamw, schedules["cosine"], CLIP)
golden["trainings"]["SGD"]["constant, clipped"] = trained(sgd, schedules["constant"], CLIP)


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
    json.dump(shorter(golden), file)
    file.write("\n")
print(golden["parameters"])
for name, results in golden["trainings"].items():
    for schedule, losses in results.items():
        print(name, schedule, losses[0], losses[10], losses[-1])
