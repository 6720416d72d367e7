"""Writes golden.json: what PyTorch computes with the translator and its loss, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import count, described, prepared, write

WORDS, PAD, SOS, EOS = 11, 0, 1, 2
SOURCES = [[1, 3, 4, 5, 2], [1, 6, 2], [1, 7, 3, 8, 4, 9, 2]]
TARGETS = [[5, 6, 2], [9, 10, 4, 3, 2], [7, 2]]


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


def padded(sentences):
    longest = max(len(s) for s in sentences)
    return torch.tensor([s + [PAD] * (longest - len(s)) for s in sentences])


# In PyTorch a layer's two directions lie one after the other, as in Burn's modules.
model = prepared(Seq2Seq())
source, target = padded(SOURCES), padded(TARGETS)
logits = model(source, [len(s) for s in SOURCES], target)
loss = time_summed_loss(logits, target)
loss.backward()
results = {
    "Seq2Seq": {
        "parameters": count(model),
        "logits": described(logits),
        "loss": loss.item(),
        "gradients": [described(p.grad) for p in model.parameters()],
    }
}


write(results)
