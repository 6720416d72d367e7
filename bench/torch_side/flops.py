"""Floating-point operations of a step, counted from the layers: a multiply and an add are two."""

from torch import nn


def linear(module, x, out):
    return 2 * out.numel() * module.in_features


def recurrent(module, x, out):
    """Of the tokens that are there: a packed input has no padding."""
    data = x.data if hasattr(x, "batch_sizes") else x
    tokens = data.numel() // data.shape[-1]
    return sum(2 * tokens * w.numel() for name, w in module.named_parameters() if name.startswith("weight"))


def cell(module, x, out):
    return 2 * len(x) * (module.weight_ih.numel() + module.weight_hh.numel())


def multi_head(module, x, out):
    """Four projections, scores and their weighted sum."""
    batch, steps, width = x.shape
    return 2 * batch * steps * (4 * width * width + 2 * steps * width)


def conv(module, x, out):
    window = module.weight[0].numel()  # channels_in / groups * kernel
    return 2 * out.numel() * window


def conv_transpose(module, x, out):
    window = module.weight[0].numel()  # channels_out / groups * kernel
    return 2 * x.numel() * window


COUNTS = {
    nn.Linear: linear,
    nn.Conv1d: conv,
    nn.Conv2d: conv,
    nn.ConvTranspose2d: conv_transpose,
    nn.LSTM: recurrent,
    nn.GRU: recurrent,
    nn.GRUCell: cell,
    nn.MultiheadAttention: multi_head,
}


def of_step(model, run):
    """Operations of the forward and backward pass that `run()` does through `model`.

    The backward pass has a product of the same size for the weights, and one for the input where the input needs a gradient.
    """
    total = 0

    def hook(module, inputs, out):
        nonlocal total
        count = COUNTS[type(module)](module, inputs[0], out)
        x = getattr(inputs[0], "data", inputs[0]) if hasattr(inputs[0], "batch_sizes") else inputs[0]
        total += count * (3 if x.requires_grad else 2)

    handles = [m.register_forward_hook(hook) for m in model.modules() if type(m) in COUNTS]
    run()
    for handle in handles:
        handle.remove()
    return total
