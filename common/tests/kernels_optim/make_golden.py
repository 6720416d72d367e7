"""Writes golden.json: twenty steps of PyTorch's optimizers under its schedules and clippings, for `kernels_optim.rs`.

Needs `pip install torch`; the tests do not. Run it in its own folder. PyTorch computes in float64.
"""

import json

import torch

torch.set_default_dtype(torch.float64)

STEPS = 20
LR = 0.05

# y = tanh(xW + b) on six fixed rows, 2 x 19 weights: more than one vector of 16 and a rest.
ROWS, INPUTS, OUTPUTS = 6, 2, 19
generator = torch.Generator().manual_seed(3)
X = torch.rand(ROWS, INPUTS, generator=generator) * 4 - 2
Y = torch.rand(ROWS, OUTPUTS, generator=generator) * 6 - 3
W = torch.rand(INPUTS, OUTPUTS, generator=generator) - 0.5
B = torch.rand(OUTPUTS, generator=generator) - 0.5


def digits(tensor):
    return [round(v, 9) for v in tensor.flatten().tolist()]


# What the file will hold, so that both start from the same numbers.
X, Y, W, B = (torch.tensor(digits(t)).reshape(t.shape) for t in (X, Y, W, B))

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, LR),
    "sgd decay": lambda p: torch.optim.SGD(p, LR, weight_decay=0.1),
    "momentum": lambda p: torch.optim.SGD(p, LR, momentum=0.9),
    "momentum decay": lambda p: torch.optim.SGD(p, LR, momentum=0.5, weight_decay=0.1),
    "nesterov": lambda p: torch.optim.SGD(p, LR, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, LR),
    "adam betas": lambda p: torch.optim.Adam(p, LR, betas=(0.0, 0.9), eps=1e-3),
    "adamw": lambda p: torch.optim.AdamW(p, LR),
}
SCHEDULES = {
    "constant": lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0),
    "exponential": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.8),
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=3, gamma=0.3),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.001),
}
CLIPS = {
    "none": lambda p: None,
    "value": lambda p: torch.nn.utils.clip_grad_value_(p, 0.1),
    "norm": lambda p: torch.nn.utils.clip_grad_norm_(p, 0.3),
}


def train(make, schedule, clip):
    parameters = [W.clone().requires_grad_(), B.clone().requires_grad_()]
    optimizer = make(parameters)
    scheduler = schedule(optimizer)
    for _ in range(STEPS):
        loss = ((torch.tanh(X @ parameters[0] + parameters[1]) - Y) ** 2).mean() * 20
        optimizer.zero_grad()
        loss.backward()
        clip(parameters)
        optimizer.step()
        scheduler.step()
    # One weight of four suffices.
    flat = torch.cat([p.detach().flatten() for p in parameters])
    return digits(flat[::4])


runs = {}
for optimizer, make in OPTIMIZERS.items():
    for schedule, scheduler in SCHEDULES.items():
        runs[f"{optimizer}, {schedule}, none"] = train(make, scheduler, CLIPS["none"])
    if optimizer == "adam betas":
        # Without a mean of gradients the steps flip with their signs: clipped, PyTorch's own float32 is 3e-4 off.
        continue
    for clip in ["value", "norm"]:
        runs[f"{optimizer}, constant, {clip}"] = train(make, SCHEDULES["constant"], CLIPS[clip])


with open("golden.json", "w") as file:
    problem = {"x": digits(X), "y": digits(Y), "weight": digits(W), "bias": digits(B)}
    json.dump({"problem": problem, "runs": runs}, file, separators=(",", ":"))
    file.write("\n")
