"""Writes golden.json: what PyTorch computes with convolutions, which `golden.rs` compares with.

Needs `pip install torch numpy`; the tests need neither. Run it in its own folder.

How inputs and weights are made is in `golden_setup/golden.py`. Of each tensor the file holds up to 24 values, evenly spaced, and two sums.
"""

import json
import sys
from pathlib import Path

from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden_setup"))
from golden import tensor

SHOWN = 24

# name, function, input, weight, channels out, options
CASES = [
    ("same 3x3", F.conv2d, [3, 16, 13, 10], [20, 16, 3, 3], 20, dict(padding=1)),
    ("strided 3x3", F.conv2d, [2, 16, 9, 11], [24, 16, 3, 3], 24, dict(stride=2, padding=1)),
    ("7x7 of an image", F.conv2d, [2, 3, 19, 17], [16, 3, 7, 7], 16, dict(stride=2, padding=3)),
    ("dilated 5x5", F.conv2d, [2, 13, 12, 12], [12, 13, 5, 5], 12, dict(padding=4, dilation=2)),
    ("groups", F.conv2d, [2, 6, 8, 9], [9, 2, 3, 2], 9, dict(stride=(1, 2), padding=(1, 0), groups=3)),
    ("depth-wise", F.conv2d, [2, 5, 9, 8], [5, 1, 3, 3], 5, dict(stride=2, groups=5)),
    ("U-Net up", F.conv_transpose2d, [2, 12, 5, 6], [12, 14, 3, 3], 14, dict(stride=2, padding=1, output_padding=1)),
    ("generator up", F.conv_transpose2d, [2, 4, 7, 7], [4, 3, 4, 4], 3, dict(stride=2, padding=1)),
    ("transposed groups", F.conv_transpose2d, [2, 4, 4, 5], [4, 3, 2, 3], 6,
     dict(stride=(3, 2), padding=(0, 1), output_padding=(2, 0), dilation=(1, 2), groups=2)),
    ("conv1d", F.conv1d, [3, 14, 17], [18, 14, 3], 18, dict(padding=1)),
    ("strided conv1d", F.conv1d, [2, 4, 15], [6, 2, 4], 6, dict(stride=2, dilation=2, groups=2)),
]


def result(values):
    flat = values.detach().flatten()
    step = -(-len(flat) // SHOWN)
    return {
        "shape": list(values.shape),
        "values": [round(v, 9) for v in flat[::step].tolist()],
        "sum": round(flat.sum().item(), 8),
        "squares": round((flat**2).sum().item(), 8),
    }


golden = {}
for name, function, x, weight, channels, options in CASES:
    x, weight, bias = (tensor(i + 1, *shape).requires_grad_() for i, shape in enumerate([x, weight, [channels]]))
    out = function(x, weight, bias, **options)
    (out * tensor(4, *out.shape)).sum().backward()
    golden[name] = {
        "output": result(out),
        "input": result(x.grad),
        "weight": result(weight.grad),
        "bias": result(bias.grad),
    }
with open("golden.json", "w") as file:
    json.dump(golden, file)
    file.write("\n")
