"""Writes NAME.safetensors for each network of the chapter: PyTorch's numbers, which `golden.rs` compares with.

Needs `pip install torch safetensors`; the tests need neither. Run it in its own folder.

Computed in float64 from parameters that are exact in float32, so that what differs in the test is Burn's rounding alone.
Each file holds `input`, `target`, `output` (before training), `loss`, `losses` (of the steps), and for each parameter P
`weight.P`, `gradient.P` (of the first step) and `stepped.P` (after the steps), in PyTorch's layout (linear weights
[outputs, inputs]).
"""

import torch
from safetensors.torch import save_file
from torch import nn

STEPS = 5
LEARNING_RATE = 0.001


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(x)


class TwoLinear(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.hidden = nn.Linear(1, hidden)
        self.output = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.output(self.hidden(x))


class TanhRegressor(TwoLinear):
    def forward(self, x):
        return self.output(torch.tanh(self.hidden(x)))


class MoonsMlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 30)
        self.second = nn.Linear(30, 30)
        self.output = nn.Linear(30, 2)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        x = torch.tanh(self.second(x))
        return self.output(x)


def regression():
    """Eight points of a wavy line."""
    x = torch.linspace(0, 20, 8).reshape(-1, 1)
    return x, x + 2 * torch.sin(x)


def classification():
    """Eight points on two half circles."""
    t = torch.linspace(0, torch.pi, 4)
    outer = torch.stack([t.cos(), t.sin()], dim=1)
    inner = torch.stack([1 - t.cos(), 0.5 - t.sin()], dim=1)
    return torch.cat([outer, inner]), torch.tensor([0] * 4 + [1] * 4)


def write(name, model, data, loss_function):
    x, y = data
    tensors = {"input": x, "target": y}
    for path, parameter in model.named_parameters():
        tensors[f"weight.{path}"] = parameter.detach().clone()
    model = model.double()
    x = x.double()
    y = y.double() if y.is_floating_point() else y
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    losses = []
    for step in range(STEPS):
        output = model(x)
        loss = loss_function(output, y)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            tensors["output"] = output.detach()
            for path, parameter in model.named_parameters():
                tensors[f"gradient.{path}"] = parameter.grad.clone()
        optimizer.step()
        losses.append(loss.item())
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    for path, parameter in model.named_parameters():
        tensors[f"stepped.{path}"] = parameter.detach()
    tensors = {
        key: (tensor.float() if tensor.is_floating_point() else tensor.int()).contiguous()
        for key, tensor in tensors.items()
    }
    save_file(tensors, f"{name}.safetensors")
    print(f"{name}: losses {losses}")


torch.manual_seed(2)
mean_squared_error, cross_entropy = nn.MSELoss(), nn.CrossEntropyLoss()
write("linear_1_1", Linear(1, 1), regression(), mean_squared_error)
write("linear_2_2", Linear(2, 2), classification(), cross_entropy)
write("two_linear", TwoLinear(10), regression(), mean_squared_error)
write("tanh_regressor", TanhRegressor(10), regression(), mean_squared_error)
write("moons_mlp", MoonsMlp(), classification(), cross_entropy)
