"""What a twin is: a network, its batches, its loss and its optimizer."""

import torch
from torch import nn
from torch.nn import functional as F

BATCHES = 4  # different batches, taken in turn


class Twin:
    """A workload that is a single network; the defaults are those of most chapters."""

    clip = None  # every gradient element is clamped to +- this
    # The learning rate is multiplied by this while the first losses are compared. Where a network's first steps amplify
    # rounding, PyTorch in 32 bits does not agree with PyTorch in 64 bits at the book's rate either (ResNet-18: 45 % apart
    # after ten steps); at a hundredth of it the losses still move, and 32 and 64 bits agree to 1e-4.
    check_factor = 1.0

    def model(self, dropout):
        """The network with PyTorch's initial weights; `dropout` is the probability that replaces the book's if it is 0."""
        raise NotImplementedError

    def batch(self, rng):
        """A batch as {name: numpy array}; "x" is the input."""
        raise NotImplementedError

    def forward(self, model, batch):
        return model(batch["x"])

    def loss(self, model, batch):
        return F.cross_entropy(self.forward(model, batch), batch["y"])

    def optimizer(self, model):
        return torch.optim.AdamW(model.parameters())

    def dataset(self, rng):
        """The arrays of a whole epoch, for rows that have one."""
        return None

    # What follows is the same for all but the GAN.

    def start(self, dropout=True, factor=1.0):
        """A network in training mode and its optimizer."""
        torch.manual_seed(1)
        model = self.model(dropout)
        optimizer = self.optimizer(model)
        for group in optimizer.param_groups:
            group["lr"] *= factor
        return model.train(), optimizer

    def step(self, state, batch):
        """One training step; the loss is read at its end, as a training loop does."""
        model, optimizer = state
        optimizer.zero_grad()
        loss = self.loss(model, batch)
        loss.backward()
        if self.clip:
            nn.utils.clip_grad_value_(model.parameters(), self.clip)
        optimizer.step()
        return loss.item()

    def evaluation(self, state):
        """The network that is run forward, in evaluation mode."""
        return state[0].eval()


class Classifier(Twin):
    """Images of a shape, random classes."""

    batch_size = 128
    shape = (1, 28, 28)
    classes = 10

    def batch(self, rng):
        return {
            "x": rng.random((self.batch_size, *self.shape), dtype="float32"),
            "y": rng.integers(0, self.classes, self.batch_size, dtype="int32"),
        }


def sgd(rate):
    return lambda self, model: torch.optim.SGD(model.parameters(), lr=rate)
