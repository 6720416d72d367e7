"""9.6 in PyTorch: how many digits of a conditional WGAN-GP are the digit that was asked for, by the recipes of `ch09-gan`.

    python -m torch_side.wgan_conditional [--preset book] [--epochs 20] [--seed 42]      (in bench/; MNIST's files in $IDL_DATA/mnist)

Prints a line after each epoch: with the running mean of the generator's weights, and with those of the last iteration. The judge is a CNN that is
trained first.
"""

import argparse
import gzip
import os
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from torch_side.wgan_gaussians import Block, play, player

NOISE, PIXELS, CLASSES, WEIGHT, AVERAGE = 128, 784, 10, 10.0, 0.999
# Epochs, batch size, rate, whether the rate falls to 0.
PRESETS = {"quick": (3, 64, 4e-4, True), "book": (20, 128, 1e-4, False)}


class Conditional(nn.Module):
    """The book's `ConditionalWrapper`."""

    def __init__(self, network, values):
        super().__init__()
        self.embedding = nn.Embedding(CLASSES, values)
        self.mix = Block(2 * values, values)
        self.combine = nn.Linear(values, values)
        self.norm = nn.LayerNorm(values)
        self.network = network

    def forward(self, x, labels):
        x = self.combine(self.mix(torch.cat([x, self.embedding(labels)], 1)))
        return self.network(self.norm(F.leaky_relu(x, 0.2)))


def read(name, header):
    folder = Path(os.environ["IDL_DATA"]) / "mnist"
    path = next(p for p in (folder / name, folder / f"{name}.gz") if p.exists())
    raw = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=header).copy())


def digits(part):
    images = read(f"{part}-images-idx3-ubyte", 16).reshape(-1, PIXELS).float() / 255
    return images, read(f"{part}-labels-idx1-ubyte", 8).long()


def classifier(images, labels):
    """A CNN after one pass over the digits."""
    conv = lambda i, o: [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*conv(1, 16), *conv(16, 32), nn.Flatten(), nn.Linear(32 * 49, CLASSES))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for batch in torch.randperm(len(images)).split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch].reshape(-1, 1, 28, 28)), labels[batch]).backward()
        optimizer.step()
    return model.eval()


def right(judge, images, labels):
    """The share of images that the judge takes for their label."""
    with torch.no_grad():
        return (judge(images.reshape(-1, 1, 28, 28)).argmax(1) == labels).float().mean().item()


def blend(mean, weights, steps):
    """The mean with the weights of one more step in it; the first steps keep little."""
    kept = min(AVERAGE, (1 + int(steps)) / (10 + int(steps)))
    return kept * mean + (1 - kept) * weights


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", choices=PRESETS, default="quick")
    parser.add_argument("--epochs", type=int, help="in place of the preset's")
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    epochs, batch, rate, falling = PRESETS[arguments.preset]
    torch.set_num_threads(2)
    torch.manual_seed(arguments.seed)
    images, labels = digits("train")
    judge = classifier(images, labels)
    print(f"judge: {100 * right(judge, *digits('t10k')):.1f} % of the test images", flush=True)
    generator = Conditional(nn.Sequential(*player(NOISE, PIXELS), nn.Sigmoid()), NOISE)
    critic = Conditional(player(PIXELS, 1), PIXELS)
    mean = AveragedModel(generator, avg_fn=blend)
    asked = torch.arange(10_000) % CLASSES

    def tell(epoch):
        z = torch.randn(len(asked), NOISE)
        with torch.no_grad():
            shares = [100 * right(judge, g(z, asked), asked) for g in (mean, generator)]
        print("epoch {}: {:.1f} % are the digit that was asked for, {:.1f} % with the last weights".format(epoch, *shares), flush=True)

    play(generator, critic, NOISE, [images, labels], arguments.epochs or epochs, batch, WEIGHT, rate, falling, tell, mean)


if __name__ == "__main__":
    main()
