"""Writes golden.json: what PyTorch computes with the chapter's network, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import count, described, prepared, tensor, write

STEPS = 20
SHOWN = 32
IMAGES = 8
CLIP = 0.01


def network():
    layers = [nn.Flatten()]
    for inputs in (784, 128, 128):
        layers += [nn.Linear(inputs, 128), nn.Tanh()]
    return prepared(nn.Sequential(*layers, nn.Linear(128, 10)))


def data():
    images = (tensor(1000, IMAGES, 1, 28, 28) + 1) / 2
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
    "parameters": count(model),
    "logits": logits.detach().flatten().tolist(),
    "gradients": [described(p.grad, SHOWN) for p in model.parameters()],
    "trainings": {
        name: {schedule: trained(optimizer, schedules[schedule]) for schedule in schedules}
        for name, optimizer in optimizers.items()
    },
}
golden["trainings"]["AdamW"]["cosine, clipped"] = trained(adamw, schedules["cosine"], CLIP)
golden["trainings"]["SGD"]["constant, clipped"] = trained(sgd, schedules["constant"], CLIP)
write(golden)
for name, results in golden["trainings"].items():
    for schedule, losses in results.items():
        print(name, schedule, losses[0], losses[10], losses[-1])
