"""Writes golden.json: what PyTorch computes with the chapter's players, which `golden.rs` compares with. The gradient penalty is
differentiated by PyTorch's double backward (`create_graph=True`).

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

Parameters and inputs are made by a formula that both languages have (SplitMix64), so the file holds results only, and of each
tensor only the first values and three sums. Computed in float64 from numbers that are exact in float32, so that what differs in
the test is Burn's rounding alone.
"""

import json

import numpy as np
import torch
from torch import nn

torch.set_num_threads(2)
SHOWN = 5
SLOPE = 0.2
DISTANCE = 2e-6
CLASSES = [2, 0, 3]


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


def rows(seed, *shape):
    return torch.from_numpy(noise(seed, int(np.prod(shape)))).reshape(shape)


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


def set_parameters(model):
    """The k-th parameter is noise(k), in layers with weights times 1 / sqrt(fan in), a power of two at most as large as that."""
    fan_in, k = 1, 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            k += 1
            if parameter.dim() in (2, 4):
                fan_in = parameter[0].numel()
            bound = 2.0 ** np.floor(np.log2(fan_in**-0.5))
            if isinstance(module, nn.LayerNorm):
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


def distance(model, batches):
    """How near the input of a rectifier comes to its kink at 0, in parts of the typical size."""
    distances = []

    def measure(module, inputs):
        (x,) = inputs
        distances.append((x.abs().min() / x.square().mean().sqrt()).item())

    hooks = [m.register_forward_pre_hook(measure) for m in model.modules() if isinstance(m, nn.LeakyReLU)]
    with torch.no_grad():
        for batch in batches:
            model(batch)
    for hook in hooks:
        hook.remove()
    return min(distances)


def seeded(model, values, make):
    """The first seed whose batches bring no rectifier so near to 0 that a rounding error could change the side."""
    model.double()
    set_parameters(model)
    for seed in range(1000, 9000):
        batches = make(seed, values)
        if distance(model, batches) > DISTANCE:
            return seed, batches
    raise ValueError("no seed keeps all rectifiers away from 0")


def gradients(model, loss):
    """Zeros for what the loss does not depend on."""
    found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True, retain_graph=True)
    pairs = zip(model.parameters(), found)
    return [described(torch.zeros_like(p) if g is None else g) for p, g in pairs]


def generator(model, values):
    seed, (z,) = seeded(model, values, lambda seed, n: [rows(seed, 3, n)])
    output = model(z)
    loss = (output * rows(2000, *output.shape)).sum()
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "seed": seed,
        "output": described(output),
        "gradients": gradients(model, loss),
    }


def between(seed, n):
    """A real batch, a generated one, and the one between them."""
    real, fake = rows(seed, 3, n), rows(seed + 10000, 3, n)
    part = (rows(seed + 20000, 3, 1) + 1) / 2
    return [real, fake, part * real + (1 - part) * fake]


def discriminator(model, values, weight=10.0):
    seed, (real, fake, x) = seeded(model, values, between)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    penalty = weight * ((gradient.norm(dim=1) - 1) ** 2).mean()
    loss = (model(fake) - model(real)).mean() + penalty
    bce = nn.BCEWithLogitsLoss()
    ones = torch.ones(3, 1, dtype=torch.float64)
    gan = bce(model(real), ones) + bce(model(fake), 0 * ones)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
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
with open("golden.json", "w") as file:
    json.dump(results, file, indent=1)
    file.write("\n")
