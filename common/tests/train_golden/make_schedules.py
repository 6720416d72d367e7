"""Writes schedules.json: the learning rates that PyTorch's schedulers give, which `train_schedules.rs` compares with.

Needs `pip install torch`; the tests don't. Run it in its own folder. Stepped once per epoch, as the book does: the rate of an epoch is
read before it, the scheduler is stepped after it, the plateau one with the validation loss of that epoch.
"""

import json
import math

import torch

EPOCHS = 50


def losses():
    """Falls for a while, then wavers: a plateau schedule drops more than once, and small falls below its threshold occur."""
    falling = [0.4 + 0.3 * math.exp(-t / 4) for t in range(EPOCHS)]
    return [round(x + 0.004 * math.sin(1.7 * t) * (t > 12), 9) for t, x in enumerate(falling)]


def rates(make, validation):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = make(optimizer)
    found = []
    for loss in validation:
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            scheduler.step(loss)
        else:
            scheduler.step()
    return found


sched = torch.optim.lr_scheduler
kinds = {
    "exponential": lambda o: sched.ExponentialLR(o, gamma=(1e-4 / 0.1) ** (1 / 50)),
    "step": lambda o: sched.StepLR(o, step_size=12, gamma=0.3),
    "cosine": lambda o: sched.CosineAnnealingLR(o, T_max=16, eta_min=1e-4),
    "cosine to 0": lambda o: sched.CosineAnnealingLR(o, T_max=16, eta_min=0.0),
    "plateau": lambda o: sched.ReduceLROnPlateau(o, mode="min", factor=0.2, patience=10),
    "impatient plateau": lambda o: sched.ReduceLROnPlateau(o, mode="min", factor=0.5, patience=0),
    "plateau, high threshold": lambda o: sched.ReduceLROnPlateau(o, mode="min", factor=0.1, patience=2, threshold=0.05),
}
golden = {"losses": losses(), "rates": {name: rates(make, losses()) for name, make in kinds.items()}}
with open("schedules.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
for name, found in golden["rates"].items():
    print(name, sorted(set(found))[:6], len(set(found)))
