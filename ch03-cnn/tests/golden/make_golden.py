"""Writes golden.json: what PyTorch computes with the chapter's networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import tensor, trained, write

STEPS = 5
LEARNING_RATE = 0.01


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


networks = {"FullyConnected": FullyConnected(), "SimpleCnn": SimpleCnn(), "PooledCnn": PooledCnn()}
images = (tensor(1000, 4, 1, 28, 28) + 1) / 2
write({name: trained(model, images, [3, 1, 4, 1], STEPS, LEARNING_RATE, 64) for name, model in networks.items()})
