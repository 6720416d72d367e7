//! 1.2: X·X on the processor and on an accelerator.

use std::time::Duration;

use common::device::RunDevice;
use common::experiment::Run;
use common::plot;
use common::train::interrupt;
use common::{Error, Result};

use crate::devices::{is_cpu, missing_gpus, side_by_side};
use crate::matmul::{Repeat, SquareMatrix, Timing, time_square};

/// 1.2
pub(super) fn products(run: &mut Run) -> Result<()> {
    let devices = side_by_side(run.device());
    let size = run.pick(128, 2048, 2048);
    let repeat = Repeat {
        times: run.pick(2, 10, 100),
        at_most: Duration::from_secs(run.pick(1, 20, 200)),
    };
    let matrix = SquareMatrix::random(size, run.seed());
    let mut timings = Vec::new();
    for device in &devices {
        let timing = time(&matrix, device, repeat)?;
        run.say(format!(
            "{:<8} {} products of {size}x{size}: {:.1} ms each, {:.0} GFLOP/s",
            device.name,
            timing.products,
            timing.milliseconds(),
            timing.gigaflops()
        ));
        run.metric(
            &format!("{}: ms per product", device.name),
            timing.milliseconds(),
        );
        run.metric(&format!("{}: GFLOP/s", device.name), timing.gigaflops());
        timings.push(timing);
    }
    let rows = devices.iter().zip(&timings).map(|(device, timing)| {
        vec![
            device.name.clone(),
            timing.products.to_string(),
            format!("{:.2}", timing.milliseconds()),
            format!("{:.1}", timing.gigaflops()),
            format!("{:.1e}", timing.error),
        ]
    });
    let columns = [
        "device",
        "products",
        "ms per product",
        "GFLOP/s",
        "largest relative error",
    ];
    run.table(
        &format!("X·X with X of {size}x{size}"),
        &columns,
        rows.collect(),
    );

    let worst = timings
        .iter()
        .map(|timing| timing.error)
        .fold(0.0, f64::max);
    run.claim(
        "every device computes the same product",
        worst < 1e-3,
        format!("the relative error of a row of it is at most {worst:.0e}"),
    );
    compare(run, &devices, &timings);
    by_size(run, &devices)
}

/// The book's claim, where there is a GPU to judge it by.
fn compare(run: &mut Run, devices: &[RunDevice], timings: &[Timing]) {
    let of = |cpu: bool| {
        let pairs = devices.iter().zip(timings);
        let chosen = pairs.filter(move |(device, _)| is_cpu(device) == cpu);
        chosen
            .map(|(_, timing)| timing.milliseconds())
            .reduce(f64::min)
    };
    match (of(true), of(false)) {
        // Starting a kernel costs more than a small product, so only the full size says something.
        (Some(cpu), Some(gpu)) if !matches!(run.preset(), common::experiment::Preset::Smoke) => {
            run.claim(
                "the accelerator is faster than the fastest CPU backend",
                gpu < cpu,
                format!(
                    "{gpu:.2} ms against {cpu:.2} ms, {:.1} times as fast",
                    cpu / gpu
                ),
            );
        }
        (_, None) => {
            run.say("no accelerator was timed:");
            for line in missing_gpus() {
                run.say(format!("  {line}"));
            }
        }
        _ => {}
    }
}

/// Time per product for N = 2^i (an exercise of the chapter).
fn by_size(run: &mut Run, devices: &[RunDevice]) -> Result<()> {
    let largest = run.pick(7, 11, 11);
    let sizes: Vec<usize> = (5..=largest).map(|i| 1 << i).collect();
    let repeat = Repeat {
        times: 200,
        at_most: Duration::from_millis(run.pick(5, 300, 1000)),
    };
    let axis = "i, for 2^i rows and columns";
    let mut times = plot::lines("Time of a matrix product", axis, "milliseconds").y_logarithmic();
    let mut speeds = plot::lines("Speed of a matrix product", axis, "GFLOP/s");
    let exponents: Vec<f64> = (5..=largest).map(f64::from).collect();
    for device in devices {
        let mut timings = Vec::new();
        for &size in &sizes {
            let matrix = SquareMatrix::random(size, run.seed());
            timings.push(time(&matrix, device, repeat)?);
        }
        let milliseconds: Vec<f64> = timings.iter().map(Timing::milliseconds).collect();
        let speed: Vec<f64> = timings.iter().map(Timing::gigaflops).collect();
        times = times.line(&device.name, &exponents, &milliseconds);
        speeds = speeds.line(&device.name, &exponents, &speed);
    }
    run.figure(
        "time",
        "Milliseconds for X·X by the size of X, from 2^5 = 32 rows up: twice the rows are eight times the work.",
        &times.build(),
    )?;
    run.figure(
        "speed",
        "The same as arithmetic per second: small matrices can't keep a device busy.",
        &speeds.build(),
    )
}

/// Times a product, unless the run was asked to stop.
fn time(matrix: &SquareMatrix, device: &RunDevice, repeat: Repeat) -> Result<Timing> {
    if interrupt::requested() {
        return Err(Error::Interrupted("interrupted".into()));
    }
    time_square(matrix, &device.device, repeat)
}
