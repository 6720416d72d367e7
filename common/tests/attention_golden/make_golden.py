"""Writes golden.json: what PyTorch's TransformerEncoderLayer computes, which `attention_golden.rs` compares with.

Needs `pip install torch`; the tests do not. Run it in its own folder. PyTorch computes in float64.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(12)

BATCH, TIME, D_MODEL, HEADS, HIDDEN = 2, 3, 4, 2, 6


def numbers(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().flatten().tolist()]


def run(layer, x, weighting, **masks):
    layer.zero_grad()
    x = x.clone().requires_grad_()
    out = layer(x, **masks)
    (out * weighting).sum().backward()
    gradients = {name: numbers(p.grad) for name, p in layer.named_parameters()}
    return {"output": numbers(out), "input gradient": numbers(x.grad), "gradients": gradients}


layer = torch.nn.TransformerEncoderLayer(D_MODEL, HEADS, HIDDEN, dropout=0.0, batch_first=True)
with torch.no_grad():
    for parameter in layer.parameters():
        # Biases of 0 and scales of 1 would hide mistakes.
        parameter.add_(0.3 * torch.randn_like(parameter))
x = torch.randn(BATCH, TIME, D_MODEL)
weighting = torch.randn(BATCH, TIME, D_MODEL)
padding = torch.tensor([[False, False, False], [False, True, True]])
causal = torch.triu(torch.ones(TIME, TIME, dtype=torch.bool), diagonal=1)

result = {
    "sizes": [BATCH, TIME, D_MODEL, HEADS, HIDDEN],
    "x": numbers(x),
    "weighting": numbers(weighting),
    "padding": padding.flatten().tolist(),
    "shapes": {name: list(p.shape) for name, p in layer.named_parameters()},
    "parameters": {name: numbers(p) for name, p in layer.named_parameters()},
    "none": run(layer, x, weighting),
    "padded": run(layer, x, weighting, src_key_padding_mask=padding),
    "causal": run(layer, x, weighting, src_mask=causal),
}
with open("golden.json", "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
