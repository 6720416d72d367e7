"""Writes golden.json: what PyTorch computes with the translator and its loss, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

Parameters are made by a formula that both languages have (SplitMix64), so the file holds results only, and of each tensor only the first
values and three sums. Computed in float64 from numbers that are exact in float32, so that what differs in the test is Burn's rounding alone.
"""

import json

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(2)
SHOWN = 5
WORDS, PAD, SOS, EOS = 11, 0, 1, 2
SOURCES = [[1, 3, 4, 5, 2], [1, 6, 2], [1, 7, 3, 8, 4, 9, 2]]
TARGETS = [[5, 6, 2], [9, 10, 4, 3, 2], [7, 2]]


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(64, 128, 3, batch_first=True, bidirectional=True)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.GRUCell(64, 256), nn.GRUCell(256, 256), nn.GRUCell(256, 256)])
        self.hidden_1 = nn.Linear(512, 256)
        self.norm_1 = nn.LayerNorm(256)
        self.hidden_2 = nn.Linear(256, 256)
        self.norm_2 = nn.LayerNorm(256)
        self.output = nn.Linear(256, WORDS)


class Seq2Seq(nn.Module):
    """The book's, with the encoder's states transposed where its code re-views them."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 64, padding_idx=PAD)
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, source, lengths, target):
        decoder = self.decoder
        packed = pack_padded_sequence(self.embedding(source), lengths, batch_first=True, enforce_sorted=False)
        outputs, last = self.encoder.gru(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True)  # [B, S, 256]
        states = [torch.cat((last[-2], last[-1]), 1)] * 3  # [B, 256] each
        word = torch.full((len(source),), EOS)
        logits = []
        for t in range(target.shape[1]):
            h = self.embedding(word)
            for i, cell in enumerate(decoder.cells):
                h = states[i] = cell(h, states[i])
            scores = (outputs @ h.unsqueeze(2)).squeeze(2) / 256**0.5  # [B, S]
            weights = scores.masked_fill(source == PAD, -torch.inf).softmax(1)
            context = (outputs * weights.unsqueeze(2)).sum(1)  # [B, 256]
            y = decoder.norm_1(F.leaky_relu(decoder.hidden_1(torch.cat((context, h), 1))))
            y = decoder.norm_2(F.leaky_relu(decoder.hidden_2(y)))
            logits.append(decoder.output(y))
            word = target[:, t]
        return torch.stack(logits, 1)  # [B, T, V]


def time_summed_loss(logits, target):
    loss = 0
    for t in range(target.shape[1]):
        loss = loss + F.cross_entropy(logits[:, t], target[:, t], ignore_index=PAD)
    return loss


def set_parameters(model):
    """The k-th parameter is noise(k) times 1 / sqrt(fan in), a power of two at most as large as that.

    Counted in the order of Burn's modules, in which a layer's two directions lie one after the other, as they do in PyTorch's.
    """
    fan_in, k = 1, 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            k += 1
            if parameter.dim() == 2:
                fan_in = parameter.shape[1]
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


def padded(sentences):
    longest = max(len(s) for s in sentences)
    return torch.tensor([s + [PAD] * (longest - len(s)) for s in sentences])


model = Seq2Seq().double()
set_parameters(model)
source, target = padded(SOURCES), padded(TARGETS)
logits = model(source, [len(s) for s in SOURCES], target)
loss = time_summed_loss(logits, target)
loss.backward()
results = {
    "Seq2Seq": {
        "parameters": sum(p.numel() for p in model.parameters()),
        "logits": described(logits),
        "loss": loss.item(),
        "gradients": [described(p.grad) for p in model.parameters()],
    }
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
print(results["Seq2Seq"]["parameters"], loss.item())
