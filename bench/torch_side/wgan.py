"""The convolutional WGAN-GP of 9.5: one step of the discriminator and one of the generator."""

import torch
from torch import nn
from torch.nn import functional as F

from .twin import Twin

Z = 16 * 7 * 7
PENALTY = 10.0


def act(x):
    return F.leaky_relu(x, 0.2)


class Normed(nn.Module):
    """A convolution, or a transposed one that doubles the size; leaky ReLU; layer norm over channels and pixels."""

    def __init__(self, inputs, outputs, window, size, grow=False):
        super().__init__()
        conv = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1) if grow else nn.Conv2d(inputs, outputs, window, padding=window // 2)
        self.conv = conv
        self.norm = nn.LayerNorm([outputs, size, size])

    def forward(self, x):
        return self.norm(act(self.conv(x)))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.ModuleList([Normed(16, 32, 5, 7), Normed(32, 32, 5, 7), Normed(32, 32, 5, 7)])
        self.grow_1 = Normed(32, 16, 4, 14, grow=True)
        self.second = nn.ModuleList([Normed(16, 16, 5, 14), Normed(16, 16, 5, 14)])
        self.grow_2 = Normed(16, 8, 4, 28, grow=True)
        self.third = nn.ModuleList([Normed(8, 8, 5, 28), Normed(8, 8, 5, 28)])
        self.output = nn.Conv2d(8, 1, 5, padding=2)

    def forward(self, z):
        x = z.reshape(-1, 16, 7, 7)
        for layer in (*self.first, self.grow_1, *self.second, self.grow_2, *self.third):
            x = layer(x)
        return self.output(x).sigmoid()


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.ModuleList([Normed(1, 32, 5, 28), Normed(32, 32, 5, 28)])
        self.second = nn.ModuleList([Normed(32, 32, 5, 14), Normed(32, 32, 5, 14)])
        self.third = nn.ModuleList([Normed(32, 32, 3, 7), Normed(32, 32, 3, 7)])
        self.hidden = nn.Linear(512, 256)
        self.output = nn.Linear(256, 1)

    def forward(self, x):
        for layer in self.first:
            x = layer(x)
        x = F.avg_pool2d(x, 2)
        for layer in self.second:
            x = layer(x)
        x = F.avg_pool2d(x, 2)
        for layer in self.third:
            x = layer(x)
        x = F.adaptive_avg_pool2d(x, 4).flatten(1)
        return self.output(act(self.hidden(x)))


class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = Generator()
        self.discriminator = Discriminator()


class Both(list):
    """The optimizers of the two networks."""

    @property
    def param_groups(self):
        return [group for optimizer in self for group in optimizer.param_groups]


class Wgan(Twin):
    """128 pictures, noise for each of the two steps, and where between real and fake the penalty is taken."""

    parameters = 156_465 + 359_521
    check_factor = 0.1

    def model(self, dropout):
        return Gan()

    def batch(self, rng):
        return {
            "x": rng.random((128, 1, 28, 28), dtype="float32"),
            "noise_d": rng.standard_normal((128, Z), dtype="float32"),
            "noise_g": rng.standard_normal((128, Z), dtype="float32"),
            "between": rng.random((128, 1, 1, 1), dtype="float32"),
        }

    def optimizer(self, model):
        parts = (model.discriminator, model.generator)
        return Both([torch.optim.AdamW(part.parameters(), lr=1e-4, betas=(0.0, 0.9), weight_decay=0.01) for part in parts])

    def forward(self, model, batch):
        return model.generator(batch["noise_g"])

    def d_loss(self, model, batch):
        """Wasserstein loss and gradient penalty. No gradient goes to the generator, whose step comes later."""
        real = batch["x"]
        with torch.no_grad():
            fake = model.generator(batch["noise_d"])
        between = (batch["between"] * real + (1 - batch["between"]) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(model.discriminator(between).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
        return (model.discriminator(fake) - model.discriminator(real)).mean() + PENALTY * penalty

    def g_loss(self, model, batch):
        return -model.discriminator(model.generator(batch["noise_g"])).mean()

    def step(self, state, batch):
        model, (of_d, of_g) = state
        of_d.zero_grad()
        d_loss = self.d_loss(model, batch)
        d_loss.backward()
        of_d.step()
        of_g.zero_grad()
        model.discriminator.requires_grad_(False)
        g_loss = self.g_loss(model, batch)
        g_loss.backward()
        model.discriminator.requires_grad_(True)
        of_g.step()
        return d_loss.item() + g_loss.item()

    def loss(self, model, batch):
        """What a step computes, for the count of operations: the penalty's second backward pass is as large as two passes."""
        d = model.discriminator
        fake = self.forward(model, batch)
        real = batch["x"]
        return sum(d(x).mean() for x in (real, fake.detach(), real, real, fake))
