"""Writes golden.json: PyTorch's normalisation and average pooling, which `kernels_norm.rs` compares with.

Needs `pip install torch`; the tests need it not. Run it in its own folder. PyTorch computes in float64, from inputs that
are exact in float32.
"""

import json

import torch

torch.set_default_dtype(torch.float64)


def numbers(shape, seed, scale=1.0, offset=0.0):
    """Multiples of 1/64 around `offset`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.round(64 * (torch.randn(shape, generator=generator) * scale + offset)) / 64


def flat(tensor):
    return tensor.detach().flatten().tolist()


def batch_norm():
    """Three steps of training, then evaluation; channels with different means and deviations."""
    result = []
    for shape in [[5, 3], [2, 3, 3], [2, 3, 2, 2]]:
        axes = [1, 3] + [1] * (len(shape) - 2)
        kind = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
        layer = kind[len(shape)](3)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([0.5, 1.25, -2.0]))
            layer.bias.copy_(torch.tensor([0.25, -1.0, 3.0]))
        steps = []
        for step in range(3):
            spread = torch.tensor([0.5, 1.0, 3.0]).reshape(axes)
            middle = torch.tensor([4.0, 0.0, -1.0]).reshape(axes)
            x = (numbers(shape, 10 * step) * spread + middle).requires_grad_()
            weighting = numbers(shape, 10 * step + 1)
            layer.zero_grad()
            y = layer(x)
            (y * weighting).sum().backward()
            steps.append(
                {
                    "x": flat(x),
                    "weighting": flat(weighting),
                    "y": flat(y),
                    "gradients": [flat(x.grad), flat(layer.weight.grad), flat(layer.bias.grad)],
                    "running": [flat(layer.running_mean), flat(layer.running_var)],
                }
            )
        layer.eval()
        x = numbers(shape, 99).requires_grad_()
        layer.zero_grad()
        y = layer(x)
        (y * weighting).sum().backward()
        result.append(
            {
                "shape": shape,
                "gamma": flat(layer.weight),
                "beta": flat(layer.bias),
                "steps": steps,
                "evaluation": {
                    "x": flat(x),
                    "y": flat(y),
                    "gradients": [flat(x.grad), flat(layer.weight.grad), flat(layer.bias.grad)],
                },
            }
        )
    return result


def layer_norm():
    """Over (channels, height, width), each value with its own scale and shift."""
    shape, epsilon = [3, 2, 2, 3], 1e-3
    layer = torch.nn.LayerNorm(shape[1:], eps=epsilon)
    with torch.no_grad():
        layer.weight.copy_(numbers(shape[1:], 1, 0.5, 1.0))
        layer.bias.copy_(numbers(shape[1:], 2))
    x = numbers(shape, 3, 2.0, 1.0).requires_grad_()
    weighting = numbers(shape, 4)
    y = layer(x)
    (y * weighting).sum().backward()
    return {
        "shape": shape,
        "epsilon": epsilon,
        "gamma": flat(layer.weight),
        "beta": flat(layer.bias),
        "x": flat(x),
        "weighting": flat(weighting),
        "y": flat(y),
        "gradients": [flat(x.grad), flat(layer.weight.grad), flat(layer.bias.grad)],
    }


def pools():
    """Average pools of one image, and their gradients."""
    shape = [1, 1, 5, 7]
    F = torch.nn.functional
    kinds = {
        "halving": lambda x: F.avg_pool2d(x, 2),
        "padded": lambda x: F.avg_pool2d(x, 3, stride=2, padding=1),
        "padding not counted": lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False),
        "adaptive": lambda x: F.adaptive_avg_pool2d(x, [2, 3]),
        "global": lambda x: F.adaptive_avg_pool2d(x, 1),
    }
    result = {"shape": shape, "kinds": {}}
    for name, pool in kinds.items():
        x = numbers(shape, 5).requires_grad_()
        y = pool(x)
        y.pow(2).sum().backward()
        result["x"] = flat(x)
        result["kinds"][name] = {"y": flat(y), "gradient": flat(x.grad)}
    return result


golden = {"batch_norm": batch_norm(), "layer_norm": layer_norm(), "pools": pools()}


def shortened(value):
    """Nine digits are more than float32 has."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {k: shortened(v) for k, v in value.items()}
    return [shortened(v) for v in value] if isinstance(value, list) else value


with open("golden.json", "w") as file:
    json.dump(shortened(golden), file)
    file.write("\n")
