"""Writes {rnn,lstm,gru}.safetensors: what PyTorch's recurrent layers compute, which `recurrent_golden.rs` compares with.

Needs `pip install torch safetensors`; the tests need neither. Run it in its own folder. PyTorch computes in float64, from
weights and inputs that are exact in float32.

Two layers in both directions over a packed batch; then one cell for two steps. A file holds the parameters under PyTorch's
names, the inputs, the outputs, and the gradients of the sum of `output * weighting` over all outputs.
"""

import torch
from safetensors.torch import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

INPUTS, HIDDEN, LAYERS = 2, 3, 2
LENGTHS = [4, 1, 6, 3]
BATCH, TIME = len(LENGTHS), max(LENGTHS)


def numbers(*shape):
    return torch.randn(*shape).float().double()


def leaf(*shape):
    return numbers(*shape).requires_grad_()


def parameters(module):
    """PyTorch's own initial values, rounded to float32."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(p.float().double())
    return module


def results(module, inputs, outputs):
    """All numbers by name, after a backward pass."""
    weighting = {name: numbers(*value.shape) for name, value in outputs.items()}
    sum((value * weighting[name]).sum() for name, value in outputs.items()).backward()
    leaves = dict(module.named_parameters())
    return (
        {f"weight.{name}": value for name, value in leaves.items()}
        | inputs
        | outputs
        | {f"weighting.{name}": value for name, value in weighting.items()}
        | {f"gradient.{name}": leaf.grad for name, leaf in (leaves | inputs).items()}
    )


def layers(kind):
    module = parameters(kind(INPUTS, HIDDEN, LAYERS, batch_first=True, bidirectional=True))
    x = leaf(BATCH, TIME, INPUTS)
    h, c = leaf(2 * LAYERS, BATCH, HIDDEN), leaf(2 * LAYERS, BATCH, HIDDEN)
    lstm = kind is torch.nn.LSTM
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    output, last = module(packed, (h, c) if lstm else h)
    output, _ = pad_packed_sequence(output, batch_first=True, total_length=TIME)
    outputs = {"output": output, "h_n": last[0] if lstm else last}
    inputs = {"x": x, "h_0": h}
    if lstm:
        outputs["c_n"], inputs["c_0"] = last[1], c
    return results(module, inputs, outputs)


def cell(kind):
    module = parameters(kind(INPUTS, HIDDEN))
    first, second, h, c = leaf(BATCH, INPUTS), leaf(BATCH, INPUTS), leaf(BATCH, HIDDEN), leaf(BATCH, HIDDEN)
    lstm = kind is torch.nn.LSTMCell
    state = module(first, (h, c) if lstm else h)
    state = module(second, state)
    outputs = {"h": state[0] if lstm else state}
    inputs = {"x_0": first, "x_1": second, "h_0": h}
    if lstm:
        outputs["c"], inputs["c_0"] = state[1], c
    return results(module, inputs, outputs)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    for seed, name in enumerate(["RNN", "LSTM", "GRU"]):
        torch.manual_seed(seed)
        tensors = layers(getattr(torch.nn, name))
        tensors |= {f"cell.{key}": value for key, value in cell(getattr(torch.nn, name + "Cell")).items()}
        tensors = {key: value.detach().float().contiguous() for key, value in tensors.items()}
        save_file(tensors, name.lower() + ".safetensors")
