"""The translator of 11.1, taught with the true words."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .twin import Twin

WORDS, PAD, SOS, EOS = 24_577, 0, 1, 2


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(64, 128, 3, batch_first=True, bidirectional=True)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        outputs, last = self.gru(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])  # [B, S, 256]
        return outputs, torch.cat((last[-2], last[-1]), 1)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.GRUCell(64, 256), nn.GRUCell(256, 256), nn.GRUCell(256, 256)])
        self.hidden_1 = nn.Linear(512, 256)
        self.norm_1 = nn.LayerNorm(256)
        self.hidden_2 = nn.Linear(256, 256)
        self.norm_2 = nn.LayerNorm(256)
        self.output = nn.Linear(256, WORDS)

    def forward(self, x, outputs, last, valid):
        states = [last] * 3  # [B, 256] each
        tops = []
        for t in range(x.shape[1]):
            h = x[:, t]
            for i, cell in enumerate(self.cells):
                h = states[i] = cell(h, states[i])
            tops.append(h)
        # The book attends and calls the output layers in each step; once for all steps is faster and the same.
        top = torch.stack(tops, 1)  # [B, T, 256]
        score = top @ outputs.transpose(1, 2) / 256**0.5  # [B, T, S]
        context = score.masked_fill(~valid.unsqueeze(1), -1000.0).softmax(2) @ outputs  # [B, T, 256]
        y = torch.cat((context, top), 2)  # [B, T, 512]
        y = self.norm_1(F.leaky_relu(self.hidden_1(y)))
        y = self.norm_2(F.leaky_relu(self.hidden_2(y)))
        return self.output(y)  # [B, T, V]


class Seq2SeqNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 64, padding_idx=PAD)
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, source, lengths, last_word, target):
        outputs, last = self.encoder(self.embedding(source), lengths)
        # The decoder reads the source's last word, then the true words.
        words = torch.cat((last_word, target[:, :-1]), 1)
        return self.decoder(self.embedding(words), outputs, last, source != PAD)


class Translation(Twin):
    """128 pairs of sentences of up to 6 words."""

    parameters = 9_866_049
    clip = 10.0

    def model(self, dropout):
        return Seq2SeqNet()

    def batch(self, rng):
        def sentences(words):
            lengths = np.clip(rng.normal(words, 1.2, 128).round(), 2, 6).astype("int32") + 1
            text = rng.integers(3, WORDS, (128, lengths.max()), dtype="int32")
            text[np.arange(lengths.max()) >= lengths[:, None]] = PAD
            text[np.arange(128), lengths - 1] = EOS
            return text, lengths

        source, lengths = sentences(4.6)
        source = np.concatenate((np.full((128, 1), SOS, "int32"), source), 1)
        target, _ = sentences(4.9)
        return {"x": source, "lengths": lengths + 1, "last": np.full((128, 1), EOS, "int32"), "y": target}

    def forward(self, model, batch):
        return model(batch["x"], batch["lengths"], batch["last"], batch["y"])

    def loss(self, model, batch):
        y = batch["y"]
        logits = self.forward(model, batch)
        steps = F.cross_entropy(logits.transpose(1, 2), y, ignore_index=PAD, reduction="none").sum(0)  # [T]
        return (steps / (y != PAD).sum(0)).sum()
