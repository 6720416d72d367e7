"""Writes golden.json: what PyTorch computes with the chapter's layers and networks, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import computed, prepared, tensor, write

WORDS, PAD, WIDTH, CLASSES = 11, 3, 128, 4
TEXTS = [[1, 4, 5, 6, 2], [1, 7, 2], [1, 8, 4, 9, 10, 5, 2], [1, 6, 6, 2], [1, 0, 10, 0, 8, 2], [1, 9, 7, 5, 2]]
SIZES = [6, 2, 5]  # words of three texts of up to 6


def hidden(sizes, steps):
    """True behind the last word of each text."""
    return torch.arange(steps) >= torch.tensor(sizes).unsqueeze(1)


class PositionalEncoding(nn.Module):
    def forward(self, x):
        steps, width = x.shape[1:]
        place = torch.arange(steps, dtype=torch.float64).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10_000.0) / width))
        code = torch.stack((torch.sin(place * rate), torch.cos(place * rate)), 2).flatten(1)
        return x * math.sqrt(width) + code


class Head(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.hidden = nn.Linear(inputs, WIDTH)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.output = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        return self.output(self.norm(F.leaky_relu(self.hidden(x))))


class NewsGru(nn.Module):
    def __init__(self, printed):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.gru = nn.GRU(WIDTH, WIDTH, 3, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * WIDTH, CLASSES)
        self.printed = printed

    def forward(self, ids, lengths):
        x = self.embedding(ids)
        if not self.printed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, last = self.gru(x)
        return self.output(torch.cat((last[-2], last[-1]), 1))


def masked_mean(x, valid):
    mask = valid.double().unsqueeze(2)
    return (x * mask).sum(1) / (mask.sum(1) + 1e-10)


def context(x, valid, printed):
    if printed:
        return x.sum(1) / (valid.sum(1, keepdim=True) + 1e-5)
    return masked_mean(x, valid)


class Words(nn.Module):
    """Embedding, perhaps positions, three layers for each word."""

    def __init__(self, position):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.position = PositionalEncoding() if position else nn.Identity()
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(3)])

    def forward(self, ids):
        x = self.position(self.embedding(ids))
        for layer in self.layers:
            x = F.leaky_relu(layer(x))
        return x


class NewsAverage(nn.Module):
    def __init__(self, position, printed):
        super().__init__()
        self.words, self.head, self.printed = Words(position), Head(WIDTH), printed

    def forward(self, ids, lengths):
        x = self.words(ids)
        return self.head(x.mean(1) if self.printed else masked_mean(x, ids != PAD))


class Attention(nn.Module):
    """The average of states weighted by an additive score against a context."""

    def __init__(self):
        super().__init__()
        self.w = nn.Linear(2 * WIDTH, WIDTH)
        self.v = nn.Linear(WIDTH, 1)

    def forward(self, x, context, valid):
        pairs = torch.cat((x, context.unsqueeze(1).expand_as(x)), 2)
        scores = self.v(torch.tanh(self.w(pairs))).squeeze(2)
        weights = scores.masked_fill(~valid, -torch.inf).softmax(1)
        return (x * weights.unsqueeze(2)).sum(1)


class NewsAttention(nn.Module):
    def __init__(self, position, printed):
        super().__init__()
        self.words, self.attention, self.head, self.printed = Words(position), Attention(), Head(WIDTH), printed

    def forward(self, ids, lengths):
        valid = ids != PAD
        x = self.words(ids)
        return self.head(self.attention(x, context(x, valid, self.printed), valid))


class Convolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x):
        return self.norm(F.leaky_relu(self.conv(x)))


class NewsCnn(nn.Module):
    def __init__(self, printed):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        sizes = [(128, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
        self.layers = nn.ModuleList([Convolution(*size) for size in sizes])
        self.head = Head(512)
        self.printed = printed

    def forward(self, ids, lengths):
        x = self.embedding(ids).transpose(1, 2)
        lengths = torch.tensor(lengths)

        def keep(x):
            places = torch.arange(x.shape[2]) < lengths.unsqueeze(1)
            return x if self.printed else x * places.unsqueeze(1)

        x = keep(x)
        for i, layer in enumerate(self.layers):
            if i in (2, 4):
                x = F.avg_pool1d(x, 2)
                lengths = (lengths // 2).clamp(min=1)
                x = keep(x)
            x = keep(layer(x))
        if not self.printed:
            places = torch.arange(x.shape[2]) < lengths.unsqueeze(1)
            x = x.masked_fill(~places.unsqueeze(1), -torch.inf)
        return self.head(F.adaptive_max_pool1d(x, 1).squeeze(2))


class NewsTransformer(nn.Module):
    def __init__(self, printed):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.position = PositionalEncoding()
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(WIDTH, 8, 2048, 0.0, batch_first=True) for _ in range(3)])
        self.attention = Attention()
        self.head = Head(WIDTH)
        self.printed = printed

    def forward(self, ids, lengths):
        valid = ids != PAD
        x = self.position(self.embedding(ids))
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=None if self.printed else ~valid)
        return self.head(self.attention(x, context(x, valid, self.printed), valid))


class EncoderLayer(nn.Module):
    def __init__(self, padded):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, 0.0, batch_first=True)
        self.padded = padded

    def forward(self, x):
        return self.layer(x, src_key_padding_mask=hidden(SIZES, 6) if self.padded else None)


class DecoderLayer(nn.Module):
    """Six words that are written, behind them five states of an encoder."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(16, 4, 32, 0.0, batch_first=True)

    def forward(self, x):
        future = torch.ones(6, 6, dtype=torch.bool).triu(1)
        padding = hidden([5, 3, 1], 5)
        return self.layer(x[:, :6], x[:, 6:], tgt_mask=future, memory_key_padding_mask=padding)


class MultiHead(nn.Module):
    """The output, and behind it the weights of all heads."""

    def __init__(self):
        super().__init__()
        self.layer = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        query, memory = x[:, :6], x[:, 6:]
        out, weights = self.layer(query, memory, memory, key_padding_mask=hidden([5, 3, 1], 5), average_attn_weights=False)
        return torch.cat((out.flatten(1), weights.flatten(1)), 1)


def fan_in(weight):
    """A convolution takes the fan in of the layer before it."""
    return weight.shape[1] if weight.dim() == 2 else None


def golden(model, *inputs):
    return computed(prepared(model, fan_in), *inputs)


def of_texts(model):
    lengths = [len(text) for text in TEXTS]
    ids = torch.tensor([text + [PAD] * (max(lengths) - len(text)) for text in TEXTS])
    return golden(model, ids, lengths)


def of_states(model, shape):
    return golden(model, tensor(1000, *shape))


# The fast path of an encoder layer in evaluation gives zeros for padding.
torch.backends.mha.set_fastpath_enabled(False)
results = {}
for printed in (False, True):
    suffix = ", as printed" if printed else ""
    results["NewsGru" + suffix] = of_texts(NewsGru(printed))
    results["NewsCnn" + suffix] = of_texts(NewsCnn(printed))
    results["NewsTransformer" + suffix] = of_texts(NewsTransformer(printed))
    for position in (False, True):
        ending = (", position" if position else "") + suffix
        results["NewsAverage" + ending] = of_texts(NewsAverage(position, printed))
        results["NewsAttention" + ending] = of_texts(NewsAttention(position, printed))
results["EncoderLayer"] = of_states(EncoderLayer(False), (3, 6, 16))
results["EncoderLayer, padded"] = of_states(EncoderLayer(True), (3, 6, 16))
results["DecoderLayer"] = of_states(DecoderLayer(), (3, 11, 16))
results["multi-head attention"] = of_states(MultiHead(), (3, 11, 16))
results["PositionalEncoding"] = of_states(PositionalEncoding(), (2, 9, 16))
write(results)
