"""Trains the twin of 7.7 on the text of 7.7 and writes its loss after each epoch.

    python -m torch_side.char_gru_curve TEXT OUT.csv      (in bench/)

TEXT is tinyshakespeare (`input.txt`, 1,115,394 bytes). `ch07-autoencoder` shows the curve beside its own.
"""

import sys

import torch
from torch import nn

from .recurrent import CharNet, Shakespeare

CHARACTERS, CHUNK, BATCH, EPOCHS = 99_993, 250, 128, 100


def main(source, out):
    torch.set_num_threads(1)
    torch.manual_seed(42)
    with open(source, encoding="utf-8") as file:
        text = file.read().lower()[:CHARACTERS]
    symbols = {symbol: i for i, symbol in enumerate(dict.fromkeys(text))}
    ids = torch.tensor([symbols[symbol] for symbol in text])
    starts = torch.arange((len(ids) - 1) // CHUNK) * CHUNK
    x = ids[starts[:, None] + torch.arange(CHUNK)]  # [chunks, T]
    y = ids[starts[:, None] + torch.arange(CHUNK) + 1]
    twin, model = Shakespeare(), CharNet(len(symbols))
    optimizer = twin.optimizer(model)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{len(text)} characters, {len(symbols)} symbols, {len(x)} chunks, {parameters} parameters", flush=True)
    with open(out, "w", encoding="utf-8") as file:
        file.write("epoch,train loss\n")
        for epoch in range(EPOCHS):
            losses = []
            for batch in torch.randperm(len(x)).split(BATCH):
                optimizer.zero_grad()
                loss = twin.loss(model, {"x": x[batch], "y": y[batch]})
                loss.backward()
                nn.utils.clip_grad_value_(model.parameters(), twin.clip)
                optimizer.step()
                losses.append(loss.item())
            file.write(f"{epoch},{sum(losses) / len(losses):.3f}\n")
            file.flush()
            print(epoch, losses, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
