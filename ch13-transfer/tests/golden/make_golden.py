"""Writes golden.json, tiny.pth and tiny.safetensors: what torchvision's ResNet-18 and an EfficientNet-Lite0 compute, and the weights of a small
residual network as torchvision saves them. `golden.rs` and `weights.rs` compare.

Needs `pip install torch torchvision safetensors numpy`; the tests need none of them. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import copy
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, ResNet, resnet18

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import golden as of_noise, tensor, write

DISTANCE = 1e-4


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


def golden(model, shape, gradients):
    """What a model computes from noise; without `gradients`, those of the input only."""
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    result = of_noise(model, shape, DISTANCE if gradients else 0.0)
    if not gradients:
        del result["gradients"]
    return result


def tiny():
    """A network of one block per stage with statistics that are not those of a fresh one, and what it computes."""
    x = tensor(7, 2, 3, 40, 40)
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
write(results)
