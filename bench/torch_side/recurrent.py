"""Recurrent networks over characters: the LSTM of 6.10 and the GRU cells of 7.7."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from .twin import Twin


class LstmNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(57, 64)
        self.memory = nn.LSTM(64, 256, 3, batch_first=True)
        self.output = nn.Linear(256, 18)

    def forward(self, names, lengths):
        x = pack_padded_sequence(self.embedding(names), lengths, batch_first=True, enforce_sorted=False)
        _, (last, _) = self.memory(x)  # [3, B, H]: the states after each name's own last letter
        return self.output(last[-1])


class Names(Twin):
    """32 surnames of about 7 letters, padded to the longest."""

    parameters = 1_390_674
    clip = 5.0

    def model(self, dropout):
        return LstmNet()

    def batch(self, rng):
        lengths = np.clip(rng.normal(7.1, 2.1, 32).round(), 2, 20).astype("int32")
        x = rng.integers(0, 57, (32, lengths.max()), dtype="int32")
        x[np.arange(lengths.max()) >= lengths[:, None]] = 0
        return {"x": x, "lengths": lengths, "y": rng.integers(0, 18, 32, dtype="int32")}

    def forward(self, model, batch):
        return model(batch["x"], batch["lengths"])


class CharNet(nn.Module):
    """Two GRU cells whose normalised states are carried on, and a head for each step."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(36, 32)
        self.cells = nn.ModuleList([nn.GRUCell(32, 128), nn.GRUCell(128, 128)])
        self.norms = nn.ModuleList([nn.LayerNorm(128), nn.LayerNorm(128)])
        self.hidden = nn.Linear(128, 128)
        self.hidden_norm = nn.LayerNorm(128)
        self.output = nn.Linear(128, 36)

    def forward(self, text):
        batch, steps = text.shape
        x = self.embedding(text)  # [B, T, E]
        states = [torch.zeros(batch, 128) for _ in self.cells]
        tops = []
        for t in range(steps):
            h = x[:, t]
            for i, (cell, norm) in enumerate(zip(self.cells, self.norms, strict=True)):
                h = states[i] = norm(cell(h, states[i]))
            tops.append(h)
        # The book calls the head in each step; once for all steps is faster and the same.
        top = torch.stack(tops, 1)  # [B, T, H]
        return self.output(self.hidden_norm(F.leaky_relu(self.hidden(top))))


class Shakespeare(Twin):
    """128 chunks of 250 characters."""

    parameters = 184_356
    check_factor = 0.01
    clip = 2.0

    def model(self, dropout):
        return CharNet()

    def batch(self, rng):
        text = rng.integers(0, 36, (128, 251), dtype="int32")
        return {"x": text[:, :-1].copy(), "y": text[:, 1:].copy()}

    def loss(self, model, batch):
        logits = model(batch["x"])  # [B, T, V]
        return F.cross_entropy(logits.transpose(1, 2), batch["y"], reduction="sum") / len(logits)
