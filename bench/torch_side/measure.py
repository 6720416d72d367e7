"""Timing: medians of many steps, and the process's peak memory. The twin of bench/src/measure.rs."""

import statistics
import time

import torch

WARM_UP, FEWEST, MOST = 3, 7, 400
WARM_UP_SECONDS = 2  # or fewer steps if they take as long


def peak_mib():
    """Peak resident memory of this process (VmHWM of Linux); no number elsewhere."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return float("nan")


def median_ms(seconds, work):
    """Median milliseconds of `work(index)`, and how often it was timed."""
    start = time.perf_counter()
    warm = 0
    while warm < WARM_UP and time.perf_counter() - start < WARM_UP_SECONDS:
        work(warm)
        warm += 1
    start = time.perf_counter()
    times = []
    while len(times) < MOST and (len(times) < FEWEST or time.perf_counter() - start < seconds):
        clock = time.perf_counter()
        work(warm + len(times))
        times.append((time.perf_counter() - clock) * 1e3)
    return statistics.median(times), len(times)


def measure(twin, batches, seconds):
    state = twin.start()
    step_ms, steps = median_ms(seconds, lambda i: twin.step(state, batches[i % len(batches)]))
    peak = peak_mib()
    model = twin.evaluation(state)

    def forward(i):
        with torch.inference_mode():
            twin.forward(model, batches[i % len(batches)])

    forward_ms, _ = median_ms(seconds / 2, forward)
    return {"step_ms": step_ms, "steps": steps, "forward_ms": forward_ms, "peak_mib": peak}


def epoch(twin, arrays):
    """Examples per second of whole epochs over tensors in memory.

    A batch is rows of a tensor picked by a permutation, which is several times faster than `DataLoader`.
    """
    epochs = arrays.pop("epochs")
    x = torch.from_numpy(arrays["x"])
    if x.dtype == torch.uint8:
        x = x.float() / 255
    y = torch.from_numpy(arrays["y"]).long()
    state = twin.start()
    times = []
    for _ in range(epochs):
        clock = time.perf_counter()
        order = torch.randperm(len(x))
        for at in range(0, len(x), twin.batch_size):
            index = order[at : at + twin.batch_size]
            twin.step(state, {"x": x[index], "y": y[index]})
        times.append(time.perf_counter() - clock)
    return {"examples_per_second": len(x) / statistics.median(times)}


def gemm_peak():
    """GFLOP/s of the best of many products of two 1024 x 1024 matrices."""
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    best = float("inf")
    for _ in range(60):
        clock = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - clock)
    return {"gflops": 2 * 1024**3 / best / 1e9}
