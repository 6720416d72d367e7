//! Timing: medians of many steps, and the process's peak memory.

use std::time::Instant;

use crate::workload::Training;

/// Steps before the clock starts, or fewer if they take this many seconds.
const WARM_UP: (usize, f64) = (3, 2.0);
/// Fewest steps that are timed, however long they take.
const FEWEST: usize = 7;
/// Most steps that are timed.
const MOST: usize = 400;

/// What one process measured.
pub struct Measured {
    /// Median milliseconds of a training step.
    pub step_ms: f64,
    /// Training steps that were timed.
    pub steps: usize,
    /// Median milliseconds of a forward pass in evaluation mode.
    pub forward_ms: f64,
    /// Peak resident memory of the process after the training steps.
    pub peak_mib: f64,
}

/// Times training steps, then forward passes, each for about `seconds`.
pub fn measure(training: &mut dyn Training, seconds: f64) -> Measured {
    let (step_ms, steps) = median(seconds, |index| {
        std::hint::black_box(training.step(index));
    });
    let peak_mib = peak_mib();
    let (forward_ms, _) = median(seconds / 2.0, |index| training.forward(index));
    Measured {
        step_ms,
        steps,
        forward_ms,
        peak_mib,
    }
}

/// Median milliseconds of `work`, and how often it was timed.
fn median(seconds: f64, mut work: impl FnMut(usize)) -> (f64, usize) {
    let (most, limit) = WARM_UP;
    let start = Instant::now();
    let mut warm = 0;
    while warm < most && start.elapsed().as_secs_f64() < limit {
        work(warm);
        warm += 1;
    }
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < MOST && (times.len() < FEWEST || start.elapsed().as_secs_f64() < seconds) {
        let clock = Instant::now();
        work(warm + times.len());
        times.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times.len())
}

/// Peak resident memory of this process in MiB (`VmHWM` of Linux); no number elsewhere.
pub fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}
