"""9.3 in PyTorch: how many of nine Gaussians a WGAN-GP finds, by the recipe of `ch09-gan` and by the book's.

    python -m torch_side.wgan_gaussians [--as-printed] [--epochs 9] [--seed 42]      (in bench/)

Prints a line after each epoch. By the recipe of `ch09-gan` unless --as-printed asks for that of the book.
"""

import argparse

import torch
from torch import nn
from torch.nn import functional as F

MEANS = torch.tensor([[x, y] for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0)])
DEVIATION, PER_MODE, NOISE, NEURONS, BATCH = 0.05, 10_000, 64, 512, 128


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x):
        return self.norm(F.leaky_relu(self.linear(x), 0.2))


def player(inputs, outputs):
    return nn.Sequential(Block(inputs, NEURONS), Block(NEURONS, NEURONS), Block(NEURONS, NEURONS), nn.Linear(NEURONS, outputs))


def penalty(critic, real, fake):
    """mean (|gradient| - 1)^2 at places between real and made points."""
    share = torch.rand(len(real), 1)
    between = (share * real + (1 - share) * fake).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((gradient.norm(dim=1) - 1) ** 2).mean()


def play(generator, critic, noise, data, epochs, batch, weight, rate, falling, after_epoch, mean=None):
    """A turn of the critic, then one of the generator, for each batch of `data`, tensors of examples and of what both players are told beside.

    `mean`, if given, is an `AveragedModel` of the generator, kept up to date."""
    optimizers = [torch.optim.AdamW(p.parameters(), lr=rate, betas=(0.0, 0.9)) for p in (generator, critic)]
    total, done = epochs * (len(data[0]) // batch), 0
    for epoch in range(epochs):
        for chosen in torch.randperm(len(data[0])).split(batch):
            if len(chosen) < batch:
                continue
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = rate * (1 - done / total) if falling else rate
            real, *told = (of[chosen] for of in data)
            score = lambda x: critic(x, *told)
            made = lambda: generator(torch.randn(batch, noise), *told)
            with torch.no_grad():
                fake = made()
            loss = score(fake).mean() - score(real).mean() + weight * penalty(score, real, fake)
            optimizers[1].zero_grad()
            loss.backward()
            optimizers[1].step()
            optimizers[0].zero_grad()
            (-score(made()).mean()).backward()
            optimizers[0].step()
            if mean is not None:
                mean.update_parameters(generator)
            done += 1
        after_epoch(epoch + 1)


def shares(generator):
    """The share of 90,000 points within three standard deviations of each mean."""
    with torch.no_grad():
        points = generator(torch.randn(len(MEANS) * PER_MODE, NOISE))
    near = torch.cdist(points, MEANS) <= 3 * DEVIATION  # [points, modes]
    return near.float().mean(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--as-printed", action="store_true", help="penalty weight 10, rate 1e-4 throughout")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    weight, rate = (10.0, 1e-4) if arguments.as_printed else (0.1, 5e-4)
    torch.set_num_threads(2)
    torch.manual_seed(arguments.seed)
    data = MEANS.repeat(PER_MODE, 1) + DEVIATION * torch.randn(len(MEANS) * PER_MODE, 2)
    generator, critic = player(NOISE, 2), player(2, 1)

    def tell(epoch):
        found = shares(generator)
        print(f"epoch {epoch}: {int((found >= 0.01).sum())} of 9 modes, {100 * found.sum():.1f} % of points on a mode", flush=True)

    play(generator, critic, NOISE, [data], arguments.epochs, BATCH, weight, rate, not arguments.as_printed, tell)


if __name__ == "__main__":
    main()
