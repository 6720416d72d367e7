"""Writes golden.json: what PyTorch computes with the chapter's players, which `golden.rs` compares with. The gradient penalty is
differentiated by PyTorch's double backward (`create_graph=True`).

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import count, described, prepared, seeded, tensor, write

SLOPE = 0.2
DISTANCE = 2e-6
CLASSES = [2, 0, 3]


def fc(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LeakyReLU(SLOPE), nn.LayerNorm(outputs))


def cnn(inputs, outputs, window, side):
    conv = nn.Conv2d(inputs, outputs, window, padding=window // 2)
    return nn.Sequential(conv, nn.LeakyReLU(SLOPE), nn.LayerNorm([outputs, side, side]))


def tcnn(inputs, outputs, side):
    conv = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
    return nn.Sequential(conv, nn.LeakyReLU(SLOPE), nn.LayerNorm([outputs, side, side]))


def simple_generator(z, n, values):
    return nn.Sequential(fc(z, n), fc(n, n), fc(n, n), nn.Linear(n, values), nn.Sigmoid())


def simple_discriminator(values, n):
    return nn.Sequential(fc(values, n), fc(n, n), fc(n, n), nn.Linear(n, 1))


def conv_generator():
    return nn.Sequential(
        nn.Unflatten(1, (16, 7, 7)),
        *(cnn(i, 32, 5, 7) for i in (16, 32, 32)),
        tcnn(32, 16, 14),
        *(cnn(16, 16, 5, 14) for _ in range(2)),
        tcnn(16, 8, 28),
        *(cnn(8, 8, 5, 28) for _ in range(2)),
        nn.Conv2d(8, 1, 5, padding=2),
        nn.Sigmoid(),
        nn.Flatten(),
    )


def conv_discriminator():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        *(cnn(i, 32, 5, 28) for i in (1, 32)),
        nn.AvgPool2d(2),
        *(cnn(32, 32, 5, 14) for _ in range(2)),
        nn.AvgPool2d(2),
        *(cnn(32, 32, 3, 7) for _ in range(2)),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(512, 256),
        nn.LeakyReLU(SLOPE),
        nn.Linear(256, 1),
    )


class Conditional(nn.Module):
    def __init__(self, values, classes, network):
        super().__init__()
        self.embedding = nn.Embedding(classes, values)
        self.mix = fc(2 * values, values)
        self.combine = nn.Sequential(nn.Linear(values, values), nn.LeakyReLU(SLOPE))
        self.norm = nn.LayerNorm(values)
        self.network = network

    def forward(self, x):
        e = self.embedding(torch.tensor(CLASSES))
        return self.network(self.norm(self.combine(self.mix(torch.cat([x, e], 1)))))


def gradients(model, loss):
    """Zeros for what the loss does not depend on."""
    found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True, retain_graph=True)
    pairs = zip(model.parameters(), found)
    return [described(torch.zeros_like(p) if g is None else g) for p, g in pairs]


def generator(model, values):
    seed, (z,) = seeded(prepared(model), lambda seed: [tensor(seed, 3, values)], DISTANCE)
    output = model(z)
    loss = (output * tensor(2000, *output.shape)).sum()
    return {
        "parameters": count(model),
        "seed": seed,
        "output": described(output),
        "gradients": gradients(model, loss),
    }


def between(seed, n):
    """A real batch, a generated one, and the one between them."""
    real, fake = tensor(seed, 3, n), tensor(seed + 10000, 3, n)
    part = (tensor(seed + 20000, 3, 1) + 1) / 2
    return [real, fake, part * real + (1 - part) * fake]


def discriminator(model, values, weight=10.0):
    seed, (real, fake, x) = seeded(prepared(model), lambda seed: between(seed, values), DISTANCE)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    penalty = weight * ((gradient.norm(dim=1) - 1) ** 2).mean()
    loss = (model(fake) - model(real)).mean() + penalty
    bce = nn.BCEWithLogitsLoss()
    ones = torch.ones(3, 1, dtype=torch.float64)
    gan = bce(model(real), ones) + bce(model(fake), 0 * ones)
    return {
        "parameters": count(model),
        "seed": seed,
        "scores": described(model(x)),
        "gan": {"value": gan.item(), "gradients": gradients(model, gan)},
        "penalty": {"value": penalty.item(), "gradients": gradients(model, penalty)},
        "critic": {"value": loss.item(), "gradients": gradients(model, loss)},
    }


results = {
    "SimpleGenerator": generator(simple_generator(5, 9, 12), 5),
    "ConvGenerator": generator(conv_generator(), 784),
    "Conditional generator": generator(Conditional(5, 4, simple_generator(5, 9, 12)), 5),
    "SimpleDiscriminator": discriminator(simple_discriminator(12, 9), 12),
    "ConvDiscriminator": discriminator(conv_discriminator(), 784),
    "Conditional discriminator": discriminator(Conditional(12, 4, simple_discriminator(12, 9)), 12),
}
write(results)
