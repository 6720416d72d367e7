"""Writes golden.json, tiny.pth and tiny.safetensors: what torchvision's ResNet-18 and an EfficientNet-Lite0 compute, and the weights of a small
residual network as torchvision saves them. `golden.rs` and `weights.rs` compare.

Needs `pip install torch torchvision safetensors numpy`; the tests need none of them. Run it in its own folder.

Parameters and inputs are made by a formula that both languages have (SplitMix64), so golden.json holds results only, and of each
tensor only the first values and three sums. Computed in float64 from numbers that are exact in float32, so that what differs in
the test is Burn's rounding alone.
"""

import copy
import json

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, ResNet, resnet18

torch.set_num_threads(2)
SHOWN = 2
DISTANCE = 1e-4


def noise(seed, n):
    """n numbers of [-1, 1), multiples of 2^-23: SplitMix64 as in `common::seed::mix`."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


class NarrowResNet(ResNet):
    """torchvision's, with fewer channels."""

    def __init__(self, width, blocks, classes):
        nn.Module.__init__(self)
        self._norm_layer = nn.BatchNorm2d
        self.inplanes, self.dilation, self.groups, self.base_width = width, 1, 1, 64
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(BasicBlock, width, blocks[0])
        self.layer2 = self._make_layer(BasicBlock, 2 * width, blocks[1], stride=2)
        self.layer3 = self._make_layer(BasicBlock, 4 * width, blocks[2], stride=2)
        self.layer4 = self._make_layer(BasicBlock, 8 * width, blocks[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, classes)


class ConvNorm(nn.Module):
    """Convolution with TensorFlow's SAME padding, batch norm."""

    def __init__(self, inputs, outputs, window, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, window, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        sides = []
        for side in (x.shape[3], x.shape[2]):
            (window, _), (stride, _) = self.conv.kernel_size, self.conv.stride
            total = max((-(-side // stride) - 1) * stride + window - side, 0)
            sides += [total // 2, total - total // 2]
        return self.norm(self.conv(F.pad(x, sides)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, window, stride, expansion):
        super().__init__()
        middle = expansion * inputs
        self.expand = ConvNorm(inputs, middle, 1) if expansion > 1 else None
        self.depthwise = ConvNorm(middle, middle, window, stride, middle)
        self.project = ConvNorm(middle, outputs, 1)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x):
        f = x if self.expand is None else F.relu6(self.expand(x))
        f = self.project(F.relu6(self.depthwise(f)))
        return x + f if self.skip else f


class EfficientNetLite0(nn.Module):
    STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]

    def __init__(self, classes):
        super().__init__()
        inputs, blocks = 32, []
        self.stem = ConvNorm(3, inputs, 3, 2)
        for count, window, stride, expansion, outputs in self.STAGES:
            for b in range(count):
                blocks.append(InvertedResidual(inputs, outputs, window, stride if b == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.top = ConvNorm(inputs, 1280, 1)
        self.fc = nn.Linear(1280, classes)

    def forward(self, x):
        x = self.blocks(F.relu6(self.stem(x)))
        return self.fc(F.relu6(self.top(x)).mean((2, 3)))


def set_parameters(model):
    """The k-th parameter is noise(k), in layers with weights times 1 / sqrt(fan in), a power of two at most as large as that."""
    fan_in, k = 1, 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            k += 1
            if parameter.dim() in (2, 4):
                fan_in = int(np.prod(parameter.shape[1:]))
            bound = 2.0 ** np.floor(np.log2(fan_in**-0.5))
            if isinstance(module, nn.BatchNorm2d):
                bound = 1.0
            values = bound * noise(k, parameter.numel())
            parameter.data = torch.from_numpy(values).reshape(parameter.shape)


def described(tensor):
    values = tensor.detach().flatten().numpy()
    return {
        "first": values[:SHOWN].tolist(),
        "length": float(np.sqrt((values**2).sum())),
        "absolute": float(np.abs(values).sum()),
        "projection": float((values * noise(99, values.size)).sum()),
    }


def distance(model, inputs):
    """How near the input of a rectifier comes to its kink at 0, in parts of the typical size."""
    distances = []

    def measure(module, inputs):
        (x,) = inputs
        distances.append((x.abs().min() / x.square().mean().sqrt()).item())

    hooks = [m.register_forward_pre_hook(measure) for m in model.modules() if isinstance(m, nn.ReLU)]
    with torch.no_grad():
        copy.deepcopy(model)(inputs)
    for hook in hooks:
        hook.remove()
    return min(distances, default=1.0)


def golden(model, shape, gradients):
    """Output and gradients of sum(output * noise) in training, then the output in evaluation with the running statistics.

    The input is noise. With `gradients`, its seed is the first one that brings no rectifier so near to 0 that a rounding error could
    change the side, and with it the gradients.
    """
    model = model.double()
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    set_parameters(model)
    result = {"parameters": sum(p.numel() for p in model.parameters())}
    for seed in range(1000, 4000):
        inputs = torch.from_numpy(noise(seed, int(np.prod(shape)))).reshape(shape)
        if not gradients or distance(model, inputs) > DISTANCE:
            break
    else:
        raise ValueError("no seed keeps all rectifiers away from 0")
    result["seed"] = seed
    inputs.requires_grad_()
    output = model(inputs)
    directions = torch.from_numpy(noise(2000, output.numel())).reshape(output.shape)
    (output * directions).sum().backward()
    result["training"] = described(output)
    result["input"] = described(inputs.grad)
    if gradients:
        result["gradients"] = [described(p.grad) for p in model.parameters()]
    with torch.no_grad():
        result["evaluation"] = described(model.eval()(inputs))
    return result


def tiny():
    """A network of one block per stage with statistics that are not those of a fresh one, and what it computes."""
    x = torch.from_numpy(noise(7, 2 * 3 * 40 * 40)).reshape(2, 3, 40, 40)
    for seed in range(1000):
        torch.manual_seed(seed)
        model = NarrowResNet(1, (1, 1, 1, 1), 3)
        for name, buffer in model.named_buffers():
            if name.endswith("mean"):
                buffer.uniform_(-0.5, 0.5)
            if name.endswith("var"):
                buffer.uniform_(0.1, 0.5)
        with torch.no_grad():
            output = copy.deepcopy(model).double().eval()(x)
        if (output[0] - output[1]).abs().min() > 0.05:
            break
    else:
        raise ValueError("all of these networks say the same of both pictures")
    torch.save(model.state_dict(), "tiny.pth", _use_new_zipfile_serialization=False)
    save_file(model.state_dict(), "tiny.safetensors")
    return {"evaluation": output.flatten().tolist()}


results = {
    "narrow": golden(NarrowResNet(4, (2, 2, 2, 2), 3), (4, 3, 64, 64), True),
    "ResNet-18": golden(resnet18(num_classes=2), (2, 3, 64, 64), False),
    "EfficientNet-Lite0": golden(EfficientNetLite0(2), (4, 3, 96, 96), False),
    "tiny": tiny(),
}


def shorter(value):
    """Nine digits are all that float32 has."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [shorter(v) for v in value]
    if isinstance(value, dict):
        return {key: shorter(v) for key, v in value.items()}
    return value


with open("golden.json", "w") as file:
    lines = [f"{json.dumps(name)}: {json.dumps(shorter(result))}" for name, result in results.items()]
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
for name, result in results.items():
    print(name, result.get("parameters"), result.get("seed"), result["evaluation"])
