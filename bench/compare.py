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

import report  # noqa: E402
from torch_side.registry import TWINS  # noqa: E402

THREADS = "2"
ENVIRONMENT = {
    **os.environ,
    "RAYON_NUM_THREADS": THREADS,
    "OMP_NUM_THREADS": THREADS,
    "MKL_NUM_THREADS": THREADS,
}
LONGEST = 240  # seconds; a process that runs longer is stopped and its row refused
BUDGET = 100  # seconds; a row that has used them up begins no further round


class Refused(Exception):
    """The row can't be measured; the message says why."""


def build():
    """The path of our side's program, as `cargo run` builds it."""
    command = ["cargo", "build", "--quiet", "--workspace", "--bin", "bench", "--message-format=json-render-diagnostics"]
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
    try:
        done = subprocess.run(command, cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise Refused(f"{what}: not done in {LONGEST} s") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise Refused(f"{what}: {reason}")
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Refused(f"{what}: no JSON but {done.stdout[:80]!r}") from None


class Row:
    """A workload: both sides, by turns."""

    def __init__(self, name, ours, folder):
        self.name = name
        self.folder = folder / name
        self.sides = {"ours": [ours], "torch": [sys.executable, "-m", "torch_side"]}

    def run(self, side, command, *more):
        return measure([*self.sides[side], command, self.name, str(self.folder), *more], f"{side} {command}")

    def check(self):
        """The twin's facts. Refuses the row unless both sides are the same network: parameters and first losses."""
        facts = self.run("torch", "prepare")
        self.run("ours", "check")
        return facts

    def result(self, rounds, seconds):
        clock = time.perf_counter()
        facts = self.check()
        steps = {side: [] for side in self.sides}
        epochs = {side: [] for side in self.sides}
        for done in range(rounds):
            if done and time.perf_counter() - clock > BUDGET:
                break
            for side in self.sides:
                steps[side].append(self.run(side, "time", str(seconds)))
            if facts["has_epoch"]:
                for side in self.sides:
                    epochs[side].append(self.run(side, "epoch"))

        def median(runs, key):
            return statistics.median(run[key] for run in runs)

        row = {
            "name": self.name,
            "parameters": facts["parameters"],
            "flops_per_step": facts["flops"],
            "rounds": len(steps["ours"]),
        }
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


def processor():
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions():
    """Both versions, and the commit."""
    import torch

    manifest = (HERE.parent / "Cargo.toml").read_text()
    burn = manifest.split('burn = { version = "=', 1)[1].split('"', 1)[0]
    git = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(git, cwd=HERE, capture_output=True, text=True).stdout.strip()
    return {"torch": torch.__version__, "burn": burn, "commit": commit}


def chosen(only):
    """The names that `--only` asks for: each part of it is a name or a part of names."""
    if not only:
        return list(TWINS)
    parts = only.split(",")
    names = [name for name in TWINS if any(part == name or part not in TWINS and part in name for part in parts)]
    if not names:
        raise SystemExit(f"--only {only}: no such workload; there are {', '.join(TWINS)}")
    return names


def compare(results, names, work, rounds, seconds, save):
    """Fills in the rows. `save` is called after each, so that what is measured survives whatever comes after it."""
    ours = build()
    for name in names:
        clock = time.perf_counter()
        try:
            row = Row(name, ours, work).result(rounds, seconds)
            row["commit"] = results["versions"]["commit"]
            results["rows"].append(row)
            results["rows"].sort(key=lambda row: list(TWINS).index(row["name"]))
            note = f"{row['step_ratio']:.2f}"
        except Refused as reason:
            results["refused"][name] = str(reason)
            note = f"refused: {reason}"
        if results["rows"]:
            logs = [math.log(row["step_ratio"]) for row in results["rows"]]
            results["geometric_mean"] = math.exp(statistics.mean(logs))
        save()
        print(f"{name}: {note}  ({time.perf_counter() - clock:.0f} s)", file=sys.stderr, flush=True)


def keep(results, old, names):
    """Takes over the rows of an older table that are not to be measured again."""
    for what in ("machine", "threads"):
        if old[what] != results[what]:
            raise SystemExit(f"the file's rows are of another kind: {what} {old[what]}, not {results[what]}")
    known = set(TWINS) - set(names)
    results["rows"] = [row for row in old["rows"] if row["name"] in known]
    results["refused"] = {name: reason for name, reason in old["refused"].items() if name in known}


def check(names, work):
    """Whether all pairs are the same network; nothing is timed."""
    ours, refused = build(), 0
    for name in names:
        try:
            Row(name, ours, work).check()
            print(f"{name}: the same network", flush=True)
        except Refused as reason:
            refused += 1
            print(f"{name} refused: {reason}", flush=True)
    return 1 if refused else 0


def main():
    parser = argparse.ArgumentParser(prog="bench/compare", description="Times the networks of the book against PyTorch.")
    parser.add_argument("--only", metavar="NAME[,NAME]", help="these workloads; a part of a name will do")
    parser.add_argument(
        "--json",
        metavar="FILE",
        type=Path,
        help="write all numbers to FILE, after each row; rows of it that --only leaves out stay",
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="processes per side (3)")
    parser.add_argument("--quick", action="store_true", help="one round of a second, for a first look")
    parser.add_argument("--check", action="store_true", help="only check that both sides are the same networks")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="print the table of a file that --json wrote")
    parser.add_argument("--readme", metavar="FILE", type=Path, help="put that table into bench/README.md")
    options = parser.parse_args()
    if options.markdown:
        print(report.markdown(json.loads(options.markdown.read_text())), end="")
        return 0
    if options.readme:
        report.write_into(HERE / "README.md", json.loads(options.readme.read_text()))
        return 0

    names = chosen(options.only)
    work = Path(os.environ.get("IDL_BENCH_WORK", HERE / "work"))
    if options.check:
        return check(names, work)
    rounds, seconds = (1, 1) if options.quick else (max(1, options.rounds), 3)
    results = {
        "date": str(date.today()),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "threads": int(THREADS),
        "versions": versions(),
        "rounds": rounds,
        "gemm_peak_gflops": measure([sys.executable, "-m", "torch_side", "peak"], "GEMM peak")["gflops"],
        "rows": [],
        "refused": {},
    }
    if options.only and options.json and options.json.exists():
        keep(results, json.loads(options.json.read_text()), names)
    print(report.heading(results), flush=True)

    def save():
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n")

    try:
        compare(results, names, work, rounds, seconds, save)
    except KeyboardInterrupt:
        print("stopped; the rows so far:", file=sys.stderr)
    print(report.text(results))
    return 1 if results["refused"] else 0


sys.exit(main())
