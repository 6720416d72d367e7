"""Networks with skips: 6.9, 13.1 and 14.6."""

import torch
from torch import nn
from torch.nn import functional as F

from .twin import Classifier


def act(x):
    return F.leaky_relu(x, 0.1)


class NormConv(nn.Module):
    """Batch norm, leaky ReLU, convolution."""

    def __init__(self, inputs, outputs, window):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, outputs, window, padding=window // 2)

    def forward(self, x):
        return self.conv(act(self.norm(x)))


class Shortcut(nn.Module):
    """1x1 convolution, batch norm."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up, beside a shortcut."""

    def __init__(self, inputs, outputs):
        super().__init__()
        narrow = max(outputs // 4, inputs)
        sizes = [(inputs, narrow, 1), (narrow, narrow, 3), (narrow, outputs, 1)]
        self.f = nn.ModuleList([NormConv(*size) for size in sizes])
        self.shortcut = Shortcut(inputs, outputs)

    def forward(self, x):
        f = x
        for layer in self.f:
            f = layer(f)
        return self.shortcut(x) + f


class ConvNorm(nn.Module):
    """Convolution, batch norm, leaky ReLU."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return act(self.norm(self.conv(x)))


class BlockE(nn.Module):
    """x + F(x), F twice 3x3 convolution, batch norm, leaky ReLU."""

    def __init__(self, channels):
        super().__init__()
        self.f = nn.ModuleList([ConvNorm(channels) for _ in range(2)])

    def forward(self, x):
        f = x
        for layer in self.f:
            f = layer(f)
        return x + f


class ResidualNet(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [(1, 32), (32, 64), (64, 128)]
        self.stages = nn.ModuleList([nn.ModuleList([Bottleneck(i, o), BlockE(o)]) for i, o in sizes])
        self.output = nn.Linear(128 * 7 * 7, 10)

    def forward(self, x):
        for number, (bottleneck, block) in enumerate(self.stages):
            if number > 0:
                x = F.max_pool2d(x, 2)
            x = act(block(act(bottleneck(x))))
        return self.output(x.flatten(1))


class Residual(Classifier):
    parameters = 525_412
    check_factor = 0.01

    def model(self, dropout):
        return ResidualNet()


class Downsample(nn.Module):
    """1x1 convolution, batch norm."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a shortcut; the first one strides."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = Downsample(inputs, outputs, stride) if stride > 1 or inputs != outputs else None

    def forward(self, x):
        f = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(f + (x if self.downsample is None else self.downsample(x)))


class ResNet18Net(nn.Module):
    """torchvision's resnet18; its layer1 to layer4 are stages.0 to stages.3."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        sizes = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        stages = [nn.ModuleList([BasicBlock(i, o, s), BasicBlock(o, o, 1)]) for i, o, s in sizes]
        self.stages = nn.ModuleList(stages)
        self.fc = nn.Linear(512, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.fc(x.mean((2, 3)))


class ResNet18(Classifier):
    batch_size, shape, classes = 32, (3, 128, 128), 2
    parameters = 11_177_538
    check_factor = 0.01

    def model(self, dropout):
        return ResNet18Net()


class Block(nn.Module):
    """ReZero's block: two 3x3 convolutions with batch norm, the second one strides, beside a shortcut."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv_1 = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.norm_1 = nn.BatchNorm2d(outputs)
        self.conv_2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.norm_2 = nn.BatchNorm2d(outputs)
        self.shortcut = self.shortcut_norm = None
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(outputs)
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        f = F.relu(self.norm_1(self.conv_1(x)))
        f = self.norm_2(self.conv_2(f))
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(x))
        return x + self.alpha * F.relu(f)


class ReZeroNet(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [(3, 16, 1), *[(16, 16, 1)] * 6, (16, 32, 2), *[(32, 32, 1)] * 6]
        sizes += [(32, 64, 2), *[(64, 64, 1)] * 6, (64, 64, 2), *[(64, 64, 1)] * 6]
        self.blocks = nn.ModuleList([Block(i, o, s) for i, o, s in sizes])
        self.output = nn.Linear(64, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.output(x.mean((2, 3)))


class ReZero(Classifier):
    shape = (3, 24, 24)
    parameters = 1_181_222

    def model(self, dropout):
        return ReZeroNet()
