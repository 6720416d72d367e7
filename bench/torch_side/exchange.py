"""Writes a network's weights under the names and in the layout that Burn's layers have."""

from torch import nn


def linear(module):
    yield "weight", module.weight.T
    if module.bias is not None:
        yield "bias", module.bias


def same(module):
    yield from module.named_parameters(recurse=False)


def norm(module):
    yield "gamma", module.weight.flatten()
    yield "beta", module.bias.flatten()
    for name in ("running_mean", "running_var"):
        if hasattr(module, name):
            yield name, getattr(module, name)


def gates(path, names, weights):
    """The gates of a recurrent layer: PyTorch keeps them in one matrix, one below the other."""
    for part, kind in (("input_transform", "ih"), ("hidden_transform", "hh")):
        weight, bias = weights(f"weight_{kind}"), weights(f"bias_{kind}")
        for gate, w, b in zip(names, weight.chunk(len(names)), bias.chunk(len(names)), strict=True):
            yield f"{path}{gate}.{part}.weight", w.T
            yield f"{path}{gate}.{part}.bias", b


LSTM_GATES = ("input_gate", "forget_gate", "cell_gate", "output_gate")
GRU_GATES = ("reset_gate", "update_gate", "new_gate")


def recurrent(module):
    names = LSTM_GATES if isinstance(module, nn.LSTM) else GRU_GATES
    for layer in range(module.num_layers):
        directions = (("forward.", ""), ("reverse.", "_reverse")) if module.bidirectional else (("", ""),)
        for direction, suffix in directions:
            weights = lambda kind, suffix=suffix, layer=layer: getattr(module, f"{kind}_l{layer}{suffix}")  # noqa: E731
            yield from gates(f"{layer}.{direction}", names, weights)


def cell(module):
    for part, kind in (("input", "ih"), ("hidden", "hh")):
        yield f"{part}.weight", getattr(module, f"weight_{kind}").T
        yield f"{part}.bias", getattr(module, f"bias_{kind}")


def multi_head(module):
    names = ("query", "key", "value")
    for name, w, b in zip(names, module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3), strict=True):
        yield f"{name}.weight", w.T
        yield f"{name}.bias", b
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
    nn.GRUCell: cell,
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
