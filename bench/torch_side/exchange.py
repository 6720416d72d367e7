"""Writes a network's weights under the names and in the layout that Burn's layers have."""

import re

from torch import nn


def linear(module):
    yield "weight", module.weight.T
    if module.bias is not None:
        yield "bias", module.bias


def same(module):
    yield from module.named_parameters(recurse=False)


def norm(module):
    yield "gamma", module.weight
    yield "beta", module.bias
    for name in ("running_mean", "running_var"):
        if hasattr(module, name):
            yield name, getattr(module, name)


def recurrent(module):
    """PyTorch's own matrices, named by layer and direction."""
    for name, tensor in module.named_parameters(recurse=False):
        kind, layer, *reverse = re.fullmatch(r"(.*)_l(\d+)(_reverse)?", name).groups()
        direction = "reverse" if any(reverse) else "forward"
        yield f"layers.{layer}.{direction}.{kind}", tensor


def multi_head(module):
    yield "projection.weight", module.in_proj_weight.T
    yield "projection.bias", module.in_proj_bias
    yield "output.weight", module.out_proj.weight.T
    yield "output.bias", module.out_proj.bias


def nothing(module):
    return iter(())


LAYOUTS = {
    nn.Linear: linear,
    nn.Conv1d: same,
    nn.Conv2d: same,
    nn.ConvTranspose2d: same,
    nn.Embedding: same,
    nn.BatchNorm1d: norm,
    nn.BatchNorm2d: norm,
    nn.LayerNorm: norm,
    nn.LSTM: recurrent,
    nn.GRU: recurrent,
    nn.MultiheadAttention: multi_head,
    nn.modules.linear.NonDynamicallyQuantizableLinear: nothing,  # a part of MultiheadAttention
}


def burn_tensors(model):
    """{name: tensor} of all weights of `model`."""
    found = {}
    for path, module in model.named_modules():
        layout = LAYOUTS.get(type(module), same)
        for name, tensor in layout(module):
            found[f"{path}.{name}".lstrip(".")] = tensor.detach().contiguous().clone()
    return found
