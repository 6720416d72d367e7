"""One measurement as a line of JSON:

python -m torch_side prepare|epoch NAME FOLDER
python -m torch_side time NAME FOLDER SECONDS
python -m torch_side peak
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

from . import flops, measure
from .exchange import burn_tensors
from .registry import TWINS
from .twin import BATCHES

LOSSES = 10
SEED = 7


def batches(twin):
    """The same batches in every process."""
    rng = np.random.default_rng(SEED)
    return [twin.batch(rng) for _ in range(BATCHES)]


def tensors(batch):
    """A batch as PyTorch takes it: class numbers are 64-bit."""
    found = {name: torch.from_numpy(array) for name, array in batch.items()}
    return {name: t.long() if t.dtype == torch.int32 else t for name, t in found.items()}


def dataset(twin):
    return twin.dataset(np.random.default_rng(SEED))


def prepare(twin, folder):
    """Writes the initial weights, the batches, the first losses and the data set; counts parameters and operations."""
    folder.mkdir(parents=True, exist_ok=True)
    state = twin.start()
    model = state[0]
    parameters = sum(p.numel() for p in model.parameters())
    if parameters != twin.parameters:
        raise SystemExit(f"{parameters} parameters, the book's network has {twin.parameters}")
    save_file(burn_tensors(model), folder / "weights.safetensors")
    all_batches = batches(twin)
    named = {f"{name}.{i}": array for i, batch in enumerate(all_batches) for name, array in batch.items()}
    save_arrays(named, folder / "batches.safetensors")
    arrays = dataset(twin)
    if arrays:
        arrays.pop("epochs")
        save_arrays(arrays, folder / "dataset.safetensors")
    count = sum(flops.of_step(model, lambda b=b: twin.loss(model, tensors(b))) for b in all_batches) / BATCHES
    facts = {"parameters": parameters, "rate_factor": twin.check_factor, "losses": losses(twin)}
    (folder / "twin.json").write_text(json.dumps(facts) + "\n")
    return {"parameters": parameters, "flops": count, "has_epoch": bool(arrays)}


def losses(twin):
    """The losses of the first steps, without dropout."""
    state = twin.start(dropout=False, factor=twin.check_factor)
    data = [tensors(batch) for batch in batches(twin)]
    return [twin.step(state, data[i % BATCHES]) for i in range(LOSSES)]


def main(command, name=None, folder=None, number="1"):
    torch.set_num_threads(2)
    if command == "peak":
        return measure.gemm_peak()
    twin = TWINS[name]
    if command == "prepare":
        return prepare(twin, Path(folder))
    if command == "time":
        return measure.measure(twin, [tensors(batch) for batch in batches(twin)], float(number))
    if command == "epoch":
        return measure.epoch(twin, dataset(twin))
    raise SystemExit(__doc__)


print(json.dumps(main(*sys.argv[1:])))
