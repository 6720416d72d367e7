"""What the make_golden.py of the chapters share: numbers by a formula, modules with such parameters, what they compute, and the file.

Parameters and inputs are made by a formula that both languages have (SplitMix64), so a file holds results only, and of large tensors only
the first values and three sums. Computed in float64 from numbers that are exact in float32, so that what differs in a test is Burn's
rounding alone.
"""

import copy
import json

import numpy as np
import torch
from torch import nn

torch.set_num_threads(2)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)
RECTIFIERS = (nn.ReLU, nn.LeakyReLU)


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


def tensor(seed, *shape):
    """Noise of this shape."""
    return torch.from_numpy(noise(seed, int(np.prod(shape)))).reshape(shape)


def own_first(model):
    """Each parameter with its module, a module's own before those of its parts; a shared one once."""
    seen = set()
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield module, parameter


def parts_first(model):
    """Each parameter with its module, a module's own after those of its parts."""
    for part in model.children():
        yield from parts_first(part)
    for parameter in model.parameters(recurse=False):
        yield model, parameter


def fan_in(weight):
    """Inputs of each output; a vector has the fan in of the weights before it."""
    return weight[0].numel() if weight.dim() > 1 else None


def prepared(model, fan_in=fan_in, order=own_first):
    """The model in float64, its k-th parameter noise(k), outside of norms times 1 / sqrt(fan in), a power of two at most as large as that."""
    inputs = 1
    for k, (module, parameter) in enumerate(order(model.double()), 1):
        if isinstance(module, NORMS):
            bound = 1.0
        else:
            inputs = fan_in(parameter) or inputs
            bound = 2.0 ** np.floor(np.log2(inputs**-0.5))
        parameter.data = bound * tensor(k, *parameter.shape)
    return model


def count(model):
    return sum(p.numel() for p in model.parameters())


def described(tensor, shown=5):
    """Its first values and three sums."""
    values = tensor.detach().flatten().numpy().astype(np.float64)
    return {
        "first": values[:shown].tolist(),
        "length": float(np.sqrt((values**2).sum())),
        "absolute": float(np.abs(values).sum()),
        "projection": float((values * noise(99, values.size)).sum()),
    }


def distance(model, *batches):
    """How near the input of a rectifier comes to its kink at 0, in parts of the typical size."""
    distances = []

    def measure(module, inputs):
        (x,) = inputs
        distances.append((x.abs().min() / x.square().mean().sqrt()).item())

    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, RECTIFIERS):
            module.register_forward_pre_hook(measure)
    with torch.no_grad():
        for batch in batches:
            model(batch)
    return min(distances, default=1.0)


def seeded(model, make, least):
    """The first seed from 1000 on whose batches `make(seed)` keep all rectifiers further than `least` from 0, so that no rounding error
    changes the side, and with it the gradients."""
    for seed in range(1000, 9000):
        batches = make(seed)
        if distance(model, *batches) > least:
            return seed, batches
    raise ValueError("no seed keeps all rectifiers away from 0")


def computed(model, *inputs, order=own_first):
    """Output and gradients of sum(output * noise) in training, then the output in evaluation with the running statistics."""
    differentiable = isinstance(inputs[0], torch.Tensor) and inputs[0].is_floating_point()
    if differentiable:
        inputs[0].requires_grad_()
    output = model(*inputs)
    (output * tensor(2000, *output.shape)).sum().backward()
    result = {
        "parameters": count(model),
        "training": described(output),
        "gradients": [described(p.grad) for _, p in order(model)],
    }
    if differentiable:
        result["input"] = described(inputs[0].grad)
    with torch.no_grad():
        result["evaluation"] = described(model.eval()(*inputs))
    return result


def golden(model, shape, least, fan_in=fan_in):
    """What a model computes from noise that keeps its rectifiers further than `least` from 0, and the seed of that noise."""
    prepared(model, fan_in)
    seed, (inputs,) = seeded(model, lambda seed: [tensor(seed, *shape)], least)
    return {"seed": seed} | computed(model, inputs)


def trained(model, inputs, labels, steps, rate, shown):
    """Logits and gradients before the first of some steps of plain gradient descent, and the loss before each of them."""
    optimizer = torch.optim.SGD(prepared(model).parameters(), lr=rate)
    result = {"parameters": count(model), "losses": []}
    for step in range(steps):
        logits = model(inputs)
        loss = nn.functional.cross_entropy(logits, torch.tensor(labels))
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            result["logits"] = logits.detach().flatten().tolist()
            result["gradients"] = [described(p.grad, shown) for p in model.parameters()]
        optimizer.step()
        result["losses"].append(loss.item())
    return result


def shorter(value):
    """Nine digits are all that float32 has."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [shorter(v) for v in value]
    if isinstance(value, dict):
        return {key: shorter(v) for key, v in value.items()}
    return value


def write(results):
    """golden.json, a line for each result."""
    lines = [f"{json.dumps(name)}: {json.dumps(shorter(result))}" for name, result in results.items()]
    with open("golden.json", "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    for name, result in results.items():
        if isinstance(result, dict):
            print(name, *(f"{key} {result[key]}" for key in ("parameters", "seed", "loss") if key in result))
