"""The table of a comparison: for the terminal, and as Markdown for the README."""

from pathlib import Path

HEAD = (
    "workload | step ms: ours | torch | ratio | forward ms: ours | torch | ratio | peak MiB: ours | torch | ratio"
    " | GEMM peak: ours | torch | examples/s: ours | torch | in steps"
).split(" | ")
MARKS = ("<!-- results: bench/compare --readme writes what is between these marks -->\n", "<!-- end of results -->\n")


def number(value, digits=2):
    """With as many digits as are worth reading: 0.173, 5.42, 1230."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.{digits + (value < 1)}f}"


def cells(row, peak):
    """A row of the table."""
    found = [row["name"]]
    for what, unit in (("step", "ms"), ("forward", "ms"), ("peak", "mib")):
        sides = [row[f"{side}_{what}_{unit}"] for side in ("ours", "torch")]
        found += [f"{value:.0f}" if unit == "mib" else number(value) for value in sides]
        found.append(f"{row[f'{what}_ratio']:.2f}")
    # How near to the machine's limit the products come; says nothing where they are a small part of the step.
    found += [f"{100 * row[f'{side}_gflops'] / peak:.0f} %" for side in ("ours", "torch")]
    if "share_in_steps" in row:
        found += [f"{row[f'{side}_examples_per_second']:.0f}" for side in ("ours", "torch")]
        found.append(f"{100 * row['share_in_steps']:.1f} %")
    return found + [""] * (len(HEAD) - len(found))


def heading(results):
    """Date, machine and versions on a line."""
    versions = results["versions"]
    return (
        f"{results['date']}, {results['machine']}, {results['threads']} threads each, Burn {versions['burn']}, "
        f"PyTorch {versions['torch']}, commit {versions['commit']}, GEMM peak {results['gemm_peak_gflops']:.0f} GFLOP/s"
    )


def summary(results):
    """The lines under the table."""
    lines = [f"{name} refused: {reason}" for name, reason in results["refused"].items()]
    earlier = {}
    for row in results["rows"]:
        if row["commit"] != results["versions"]["commit"]:
            earlier.setdefault(row["commit"], []).append(row["name"])
    lines += [f"at commit {commit}: {', '.join(names)}" for commit, names in earlier.items()]
    if "geometric_mean" in results:
        ratios = [row["step_ratio"] for row in results["rows"]]
        lines.append(
            f"geometric mean of the step ratios: {results['geometric_mean']:.3f}; "
            f"{sum(r <= 1 for r in ratios)} of {len(ratios)} at or below 1"
        )
    return lines


def text(results):
    """The table in columns."""
    rows = [HEAD, *(cells(row, results["gemm_peak_gflops"]) for row in results["rows"])]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    lines = [
        " | ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))) for row in rows
    ]
    return "\n".join([*lines, *summary(results)])


def markdown(results):
    """The table for the README."""
    head = [cell.replace(": ours", ":<br>ours") for cell in HEAD]
    rows = [head, ["---", *["---:"] * (len(HEAD) - 1)]]
    rows += [cells(row, results["gemm_peak_gflops"]) for row in results["rows"]]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{heading(results)}\n\n{table}\n\n" + "\n\n".join(summary(results)) + "\n"


def write_into(readme: Path, results):
    """Replaces the part of the README between the marks."""
    old = readme.read_text()
    start, end = (old.index(mark) for mark in MARKS)
    readme.write_text(old[: start + len(MARKS[0])] + "\n" + markdown(results) + "\n" + old[end:])
