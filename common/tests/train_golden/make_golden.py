"""Writes golden.json: what PyTorch and scikit-learn compute, which `train_golden.rs` compares with.

Needs `pip install torch scikit-learn`; the tests need neither. Run it in its own folder. PyTorch computes in float64.
"""

import json

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

torch.set_default_dtype(torch.float64)

# A linear model y = xW + b on five fixed rows. The third input is tiny, so its gradients are about 1e-6: there an epsilon of
# 1e-5 in place of 1e-8 changes the first digit of a step.
X = [
    [1.0, 0.5, 2e-6],
    [-0.5, 1.5, -1e-6],
    [2.0, -1.0, 3e-6],
    [0.25, 0.75, 1e-6],
    [-1.5, -0.5, -2e-6],
]
Y = [[1.0, -2.0], [0.5, 0.0], [-1.0, 3.0], [2.0, 0.25], [0.0, -1.0]]
W = [[0.5, -0.25], [0.125, 0.75], [-1.0, 0.5]]
B = [0.1875, -0.375]
STEPS = 10


def optimizers():
    kinds = {
        "sgd": (0.05, lambda p, lr: torch.optim.SGD(p, lr)),
        "momentum": (0.05, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)),
        "nesterov": (0.05, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True)),
        "sgd with decay": (0.05, lambda p, lr: torch.optim.SGD(p, lr, momentum=0.5, weight_decay=0.1)),
        "adam": (0.1, lambda p, lr: torch.optim.Adam(p, lr)),
        "adam with other betas": (0.1, lambda p, lr: torch.optim.Adam(p, lr, betas=(0.0, 0.9), eps=1e-3)),
        "adamw": (0.1, lambda p, lr: torch.optim.AdamW(p, lr)),
    }
    x, y = torch.tensor(X), torch.tensor(Y)
    result = {}
    for name, (lr, make) in kinds.items():
        w = torch.tensor(W, requires_grad=True)
        b = torch.tensor(B, requires_grad=True)
        optimizer = make([w, b], lr)
        losses = []
        for _ in range(STEPS):
            loss = torch.nn.functional.mse_loss(x @ w + b, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        result[name] = {
            "lr": lr,
            "losses": losses,
            "weight": w.detach().flatten().tolist(),
            "bias": b.detach().tolist(),
        }
    return result


def schedules():
    """The rate of each epoch, stepped once per epoch."""
    sched = torch.optim.lr_scheduler
    kinds = {
        "constant": lambda o: sched.ConstantLR(o, factor=1.0),
        "exponential": lambda o: sched.ExponentialLR(o, gamma=0.8),
        "step": lambda o: sched.StepLR(o, step_size=3, gamma=0.3),
        "cosine": lambda o: sched.CosineAnnealingLR(o, T_max=10, eta_min=0.01),
    }
    result = {}
    for name, make in kinds.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        scheduler = make(optimizer)
        rates = []
        for _ in range(11):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        result[name] = rates
    return result


def scores():
    """Logits are multiples of 1/4, so that ties occur."""
    rng = np.random.default_rng(7)
    result = {}
    for classes, n in [(2, 50), (3, 60), (5, 80)]:
        labels = rng.integers(0, classes, n)
        logits = np.round(4 * (rng.normal(size=(n, classes)) + 1.2 * np.eye(classes)[labels])) / 4
        says = logits.argmax(1)
        p = torch.softmax(torch.from_numpy(logits), 1).numpy()
        if classes == 2:
            f1, auc = f1_score(labels, says), roc_auc_score(labels, p[:, 1])
        else:
            f1 = f1_score(labels, says, average="macro")
            auc = roc_auc_score(labels, p, multi_class="ovr", average="macro")
        result[str(classes)] = {
            "logits": logits.flatten().tolist(),
            "labels": labels.tolist(),
            "accuracy": accuracy_score(labels, says),
            "F1": f1,
            "AUC": auc,
        }
    return result


def losses():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.25, -3.0], [1000.0, 0.0, 999.0], [-4.0, -4.0, -4.0]])
    labels = torch.tensor([0, 2, 0, 1])
    output = torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, -0.25]])
    target = torch.tensor([[0.0, -2.5], [0.75, 1.0], [4.0, -0.25]])
    result = {}
    for name, x, y, f in [
        ("cross_entropy", logits, labels, torch.nn.functional.cross_entropy),
        ("mean_squared_error", output, target, torch.nn.functional.mse_loss),
    ]:
        x.requires_grad_(True)
        loss = f(x, y)
        loss.backward()
        result[name] = {
            "input": x.detach().flatten().tolist(),
            "target": y.flatten().tolist(),
            "loss": loss.item(),
            "gradient": x.grad.flatten().tolist(),
        }
    return result


golden = {
    "problem": {"x": sum(X, []), "y": sum(Y, []), "weight": sum(W, []), "bias": B},
    "optimizers": optimizers(),
    "schedules": schedules(),
    "scores": scores(),
    "losses": losses(),
}
with open("golden.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
