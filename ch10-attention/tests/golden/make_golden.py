"""Writes golden.json: what PyTorch computes with the chapter's scores, averages and networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import computed, golden as of_noise, prepared, seeded, tensor, write

DISTANCE = 1e-4
WIDTH = 256
ITEMS = 5
SIZES = [5, 1, 3, 4]


def split(x):
    """Inputs of a score: the states of a bag, and the contexts that stand behind them."""
    return x[:, :ITEMS], x[:, ITEMS:]


class DotScore(nn.Module):
    def forward(self, h, contexts):
        return contexts @ h.transpose(1, 2) / h.shape[2] ** 0.5  # [B, Q, T]


class GeneralScore(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.bilinear = nn.Bilinear(width, width, 1)

    def forward(self, h, contexts):
        queries, items = contexts.shape[1], h.shape[1]
        pairs = [t.contiguous() for t in torch.broadcast_tensors(h.unsqueeze(1), contexts.unsqueeze(2))]
        assert pairs[0].shape[1:3] == (queries, items)
        return self.bilinear(*pairs).squeeze(3)  # [B, Q, T]


class AdditiveAttentionScore(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.w = nn.Linear(2 * width, width)
        self.v = nn.Linear(width, 1)

    def forward(self, h, contexts):
        pairs = torch.cat(torch.broadcast_tensors(h.unsqueeze(1), contexts.unsqueeze(2)), dim=3)
        return self.v(torch.tanh(self.w(pairs))).squeeze(3)  # [B, Q, T]


class OfPairs(nn.Module):
    """A score of states and two contexts each."""

    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, x):
        return self.score(*split(x))


class AttentionAvg(nn.Module):
    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, h, context, valid):
        scores = self.score(h, context.unsqueeze(1)).squeeze(1)  # [B, T]
        weights = scores.masked_fill(~valid, -torch.inf).softmax(1)
        return (h * weights.unsqueeze(2)).sum(1)


def padding(items):
    """The first 5, 1, 3, 4 items of four bags."""
    return torch.arange(items) < torch.tensor(SIZES).unsqueeze(1)


def masked_mean(h, valid):
    mask = valid.double().unsqueeze(2)
    return (h * mask).sum(1) / (mask.sum(1) + 1e-10)


class OfPadded(nn.Module):
    """An average of states of which some are padding; the context stands behind them."""

    def __init__(self, score):
        super().__init__()
        self.average = AttentionAvg(score)

    def forward(self, x):
        h, context = split(x)
        return self.average(h, context.squeeze(1), padding(ITEMS))


class MaskedMean(nn.Module):
    def forward(self, h):
        return masked_mean(h, padding(ITEMS))


def baseline():
    parts = [nn.Flatten()]
    for inputs in (3 * 784, WIDTH, WIDTH):
        parts += [nn.Linear(inputs, WIDTH), nn.LeakyReLU(), nn.BatchNorm1d(WIDTH)]
    return nn.Sequential(*parts, nn.Linear(WIDTH, 10))


def backbone():
    parts = [nn.Flatten(start_dim=2)]
    for inputs in (784, WIDTH, WIDTH):
        parts += [nn.Linear(inputs, WIDTH), nn.LeakyReLU()]
    return nn.Sequential(*parts)


def head():
    norms = [nn.BatchNorm1d(WIDTH), nn.BatchNorm1d(WIDTH)]
    return nn.Sequential(norms[0], nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(), norms[1], nn.Linear(WIDTH, 10))


class SimpleAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = backbone()
        self.weights = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(), nn.Linear(WIDTH, 1), nn.Softmax(dim=1))
        self.head = head()

    def forward(self, bags):
        h = self.backbone(bags)  # [B, T, H]
        return self.head((self.weights(h) * h).sum(1))


class ContextAttention(nn.Module):
    def __init__(self, score):
        super().__init__()
        self.backbone = backbone()
        self.attention = AttentionAvg(score)
        self.head = head()

    def forward(self, bags):
        valid = (bags.flatten(start_dim=2) != 0).any(dim=2)  # [B, T]
        h = self.backbone(bags)
        return self.head(self.attention(h, masked_mean(h, valid), valid))


def fan_in(weight):
    """Of the general score's tensor it is the width of one of its two inputs."""
    return weight.shape[-1] if weight.dim() > 1 else None


def golden(model, shape, padded=False):
    """What a model computes from noise, with `padded` zeros after the first 5, 1, 3, 4 items."""
    if not padded:
        return of_noise(model, shape, DISTANCE, fan_in)
    places = padding(shape[1])[:, :, None, None, None]
    prepared(model, fan_in)
    seed, (inputs,) = seeded(model, lambda seed: [tensor(seed, *shape) * places], DISTANCE)
    return {"seed": seed} | computed(model, inputs)


SCORES = {"dot": lambda width: DotScore(), "general": GeneralScore, "additive": AdditiveAttentionScore}
results = {"masked mean": golden(MaskedMean(), (4, ITEMS, 8))}
for name, score in SCORES.items():
    results[f"score, {name}"] = golden(OfPairs(score(8)), (4, ITEMS + 2, 8))
    results[f"average, {name}"] = golden(OfPadded(score(8)), (4, ITEMS + 1, 8))
    results[f"ContextAttention, {name}"] = golden(ContextAttention(score(WIDTH)), (8, 3, 1, 28, 28))
    results[f"ContextAttention, {name}, padded"] = golden(ContextAttention(score(WIDTH)), (4, 6, 1, 28, 28), padded=True)
results["Baseline"] = golden(baseline(), (16, 3, 1, 28, 28))
results["SimpleAttention"] = golden(SimpleAttention(), (8, 3, 1, 28, 28))
write(results)
