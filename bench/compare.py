"""Runs both sides of each workload by turns and prints the table. Started by bench/compare."""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from torch_side.registry import TWINS  # noqa: E402

THREADS = "2"
AGREE = 1e-3  # largest relative difference of the first losses
ENVIRONMENT = {
    **os.environ,
    "RAYON_NUM_THREADS": THREADS,
    "OMP_NUM_THREADS": THREADS,
    "MKL_NUM_THREADS": THREADS,
}


class Refused(Exception):
    """The row can't be measured; the message says why."""


def build():
    """The path of our side's program, as `cargo run` builds it."""
    command = ["cargo", "build", "--quiet", "-p", "bench", "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit("our side does not build")
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "bench":
            return message["executable"]
    raise SystemExit("cargo built no program")


def measure(command, what):
    """Runs one measuring process, which prints a line of JSON."""
    done = subprocess.run(command, cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise Refused(f"{what}: {reason}")
    return json.loads(done.stdout)


class Row:
    """A workload: both sides, by turns."""

    def __init__(self, name, ours, folder):
        self.name = name
        self.folder = folder / name
        self.sides = {"ours": [ours], "torch": [sys.executable, "-m", "torch_side"]}

    def run(self, side, command, *more):
        return measure([*self.sides[side], command, self.name, str(self.folder), *more], f"{side} {command}")

    def check(self, factor):
        """Refuses the row unless both sides are the same network: parameters and first losses."""
        found = {side: self.run(side, "losses", str(factor)) for side in self.sides}
        ours, torch = found["ours"], found["torch"]
        if ours["parameters"] != torch["parameters"]:
            raise Refused(f"{ours['parameters']} parameters, PyTorch {torch['parameters']}")
        for step, (a, b) in enumerate(zip(ours["losses"], torch["losses"], strict=True)):
            if not abs(a - b) <= AGREE * max(abs(a), abs(b)):
                raise Refused(f"the losses of step {step} differ: ours {a:.6g}, PyTorch {b:.6g}")

    def result(self, rounds, seconds):
        facts = self.run("torch", "prepare")
        self.check(facts["check_factor"])
        steps = {side: [] for side in self.sides}
        epochs = {side: [] for side in self.sides}
        for _ in range(rounds):
            for side in self.sides:
                steps[side].append(self.run(side, "time", str(seconds)))
            if facts["has_epoch"]:
                for side in self.sides:
                    epochs[side].append(self.run(side, "epoch"))

        def median(runs, key):
            return statistics.median(run[key] for run in runs)

        row = {"name": self.name, "parameters": facts["parameters"], "flops_per_step": facts["flops"]}
        for side in self.sides:
            for key in ("step_ms", "forward_ms", "peak_mib"):
                row[f"{side}_{key}"] = median(steps[side], key)
            row[f"{side}_gflops"] = facts["flops"] / row[f"{side}_step_ms"] / 1e6
            row[f"{side}_steps_timed"] = sum(run["steps"] for run in steps[side])
            if epochs[side]:
                row[f"{side}_examples_per_second"] = median(epochs[side], "examples_per_second")
        if epochs["ours"]:
            row["share_in_steps"] = median(epochs["ours"], "share_in_steps")
        for key in ("step_ms", "forward_ms", "peak_mib"):
            row[key.rsplit("_", 1)[0] + "_ratio"] = row[f"ours_{key}"] / row[f"torch_{key}"]
        return row


def line(row, peak):
    """A row of the table as text."""
    cells = [row["name"]]
    for what, unit in (("step", "ms"), ("forward", "ms"), ("peak", "mib")):
        digits = 0 if unit == "mib" else 2
        cells += [f"{row[f'{side}_{what}_{unit}']:.{digits}f}" for side in ("ours", "torch")]
        cells.append(f"{row[f'{what}_ratio']:.2f}")
    cells += [f"{100 * row[f'{side}_gflops'] / peak:.0f} %" for side in ("ours", "torch")]
    if "share_in_steps" in row:
        cells += [f"{row[f'{side}_examples_per_second']:.0f}" for side in ("ours", "torch")]
        cells.append(f"{100 * row['share_in_steps']:.1f} %")
    return cells


HEAD = (
    "workload | step ms: ours | torch | ratio | forward ms: ours | torch | ratio | peak MiB: ours | torch | ratio"
    " | GEMM peak: ours | torch | examples/s: ours | torch | in steps"
).split(" | ")


def table(lines):
    """The lines under their heads, in columns."""
    lines = [HEAD] + [cells + [""] * (len(HEAD) - len(cells)) for cells in lines]
    widths = [max(len(cells[i]) for cells in lines) for i in range(len(HEAD))]
    return "\n".join(
        " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        for cells in lines
    )


def processor():
    """The processor's name."""
    try:
        for text in Path("/proc/cpuinfo").read_text().splitlines():
            if text.startswith("model name"):
                return text.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions():
    """Both versions."""
    import torch

    manifest = (HERE.parent / "Cargo.toml").read_text()
    burn = manifest.split('burn = { version = "=', 1)[1].split('"', 1)[0]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True).stdout.strip()
    return {"torch": torch.__version__, "burn": burn, "commit": commit}


def chosen(only):
    """The names that `--only` asks for: each part of it is a name or a part of names."""
    if not only:
        return list(TWINS)
    parts = only.split(",")
    names = [name for name in TWINS if name in parts or not set(parts) & set(TWINS) and any(p in name for p in parts)]
    if not names:
        raise SystemExit(f"--only {only}: no such workload; there are {', '.join(TWINS)}")
    return names


def main():
    parser = argparse.ArgumentParser(prog="bench/compare", description="Times the networks of the book against PyTorch.")
    parser.add_argument("--only", metavar="NAME[,NAME]", help="these workloads; a part of a name will do")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all numbers to FILE")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="processes per side (3)")
    parser.add_argument("--quick", action="store_true", help="one round of a second, for a first look")
    options = parser.parse_args()
    rounds, seconds = (1, 1) if options.quick else (max(1, options.rounds), 4)
    names = chosen(options.only)
    work = Path(os.environ.get("IDL_BENCH_WORK", HERE / "work"))

    ours = build()
    peak_command = [sys.executable, "-m", "torch_side", "peak"]
    peak = measure(peak_command, "GEMM peak")["gflops"]
    about = {
        "date": str(date.today()),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "threads": int(THREADS),
        "versions": versions(),
        "rounds": rounds,
        "gemm_peak_gflops": peak,
    }
    print(f"{about['date']}  {about['machine']}  {THREADS} threads  {about['versions']}  GEMM peak {peak:.0f} GFLOP/s")

    rows, refused = [], {}
    for name in names:
        clock = time.perf_counter()
        try:
            rows.append(Row(name, ours, work).result(rounds, seconds))
            note = f"{rows[-1]['step_ratio']:.2f}"
        except Refused as reason:
            refused[name] = str(reason)
            note = f"refused: {reason}"
        print(f"{name}: {note}  ({time.perf_counter() - clock:.0f} s)", file=sys.stderr, flush=True)

    print(table([line(row, peak) for row in rows]))
    for name, reason in refused.items():
        print(f"{name} refused: {reason}")
    if rows:
        about["geometric_mean"] = math.exp(statistics.mean(math.log(row["step_ratio"]) for row in rows))
        print(f"geometric mean of the step ratios: {about['geometric_mean']:.3f}")
    if options.json:
        options.json.write_text(json.dumps({**about, "rows": rows, "refused": refused}, indent=1) + "\n")
    return 1 if refused else 0


sys.exit(main())
