"""Writes golden.json: PyTorch's losses and their gradients, for `kernels_loss.rs`.

Needs `pip install torch`; the tests do not. Run it in its own folder. PyTorch computes in float64.
"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(5)
ROWS, CLASSES, IGNORED = 7, 19, 3


def digits(tensor):
    return [round(v, 9) for v in tensor.flatten().tolist()]


def case(loss, x, **rest):
    x = torch.tensor(digits(x)).reshape(x.shape).requires_grad_()
    value = loss(x)
    value.backward()
    return {"x": digits(x.detach()), "loss": value.item(), "gradient": digits(x.grad), **rest}


logits = torch.randn(ROWS, CLASSES, generator=generator) * 5
classes = torch.tensor([0, IGNORED, 18, 7, IGNORED, 1, 7])
binary = torch.randn(37, generator=generator) * 20
binary[:3] = torch.tensor([0.0, 150.0, -150.0])
halves = torch.tensor([(i % 3) / 2 for i in range(37)])
cases = {
    "mean": case(lambda x: F.cross_entropy(x, classes), logits, target=classes.tolist()),
    "ignoring": case(
        lambda x: F.cross_entropy(x, classes, ignore_index=IGNORED), logits, target=classes.tolist()
    ),
    "binary": case(
        lambda x: F.binary_cross_entropy_with_logits(x, halves), binary, target=halves.tolist()
    ),
    "squared": case(lambda x: F.mse_loss(x, halves), binary / 20, target=halves.tolist()),
    "log softmax": case(
        lambda x: (F.log_softmax(x, -1) * torch.arange(ROWS * CLASSES).reshape(x.shape)).sum() / 100, logits
    ),
}
with open("golden.json", "w") as file:
    json.dump(cases, file, separators=(",", ":"))
    file.write("\n")
