"""Writes pgan.pth, weights of a small progressive generator in the layout of the published ones, and pgan.json, what PyTorch makes
of noise with them. Needs `pip install torch numpy`; the tests need neither. Run it in its own folder."""

import json

import torch
from torch import nn
from torch.nn import functional as F

NOISE, CHANNELS = 6, [5, 4, 3]


class Equalised(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module
        nn.init.normal_(module.weight)
        nn.init.normal_(module.bias)

    def forward(self, x):
        return self.module(x) * (2.0 / self.module.weight[0].numel()) ** 0.5


def conv(inputs, outputs, window=3):
    return Equalised(nn.Conv2d(inputs, outputs, window, padding=window // 2))


def norm(x):
    return x * ((x**2).mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        pairs = list(zip(CHANNELS, CHANNELS[1:]))
        self.scaleLayers = nn.ModuleList(nn.ModuleList([conv(i, o), conv(o, o)]) for i, o in pairs)
        self.toRGBLayers = nn.ModuleList(conv(c, 3, 1) for c in CHANNELS)
        self.formatLayer = Equalised(nn.Linear(NOISE, 16 * CHANNELS[0]))
        self.groupScale0 = nn.ModuleList([conv(CHANNELS[0], CHANNELS[0])])

    def forward(self, z):
        act = lambda x: F.leaky_relu(x, 0.2)
        x = norm(act(self.formatLayer(norm(z))).view(len(z), -1, 4, 4))
        x = norm(act(self.groupScale0[0](x)))
        for pair in self.scaleLayers:
            x = F.interpolate(x, scale_factor=2)
            for layer in pair:
                x = norm(act(layer(x)))
        return self.toRGBLayers[-1](x)


torch.manual_seed(1)
generator = Generator()
with torch.no_grad():
    z = torch.randn(2, NOISE)
    output = generator.double()(z.double()).flatten(1)
generator.float()
# The published files name weights without the wrapper.
plain = {name.replace(".module.", "."): value for name, value in generator.state_dict().items()}
torch.save({"netG": {name: 0 * value for name, value in plain.items()}, "avgG": plain}, "pgan.pth")
facts = {"z": z.flatten().tolist(), "output": [round(v, 6) for v in output.flatten().tolist()[::37]]}
with open("pgan.json", "w") as file:
    json.dump(facts, file)
    file.write("\n")
