//! One measurement of one workload as a line of JSON, for `bench/compare`:
//!
//! ```text
//! bench losses NAME FOLDER FACTOR     with the learning rate times FACTOR and without dropout
//! bench time NAME FOLDER SECONDS
//! bench epoch NAME FOLDER
//! ```

use std::path::Path;
use std::process::ExitCode;

use bench::measure::measure;
use bench::workload::Options;
use bench::{epoch, registry};
use common::{Error, Result};
use serde_json::{Value, json};

/// Steps whose losses are compared with PyTorch's.
const LOSSES: usize = 10;

fn run(arguments: &[String]) -> Result<Value> {
    let usage = || Error::Usage("bench losses|time|epoch NAME FOLDER [FACTOR|SECONDS]".into());
    let [command, name, folder, rest @ ..] = arguments else {
        return Err(usage());
    };
    let folder = Path::new(folder);
    let number = rest.first().map_or(Ok(1.0), |s| s.parse::<f64>());
    let number = number.map_err(|_| usage())?;
    match command.as_str() {
        "losses" => {
            let options = Options {
                dropout: false,
                rate_factor: number,
            };
            let mut training = registry::read(name, folder, options)?;
            let losses: Vec<f32> = (0..LOSSES).map(|index| training.step(index)).collect();
            Ok(json!({ "losses": losses, "parameters": training.parameters() }))
        }
        "time" => {
            let mut training = registry::read(name, folder, Options::default())?;
            let measured = measure(training.as_mut(), number);
            Ok(json!({
                "step_ms": measured.step_ms,
                "steps": measured.steps,
                "forward_ms": measured.forward_ms,
                "peak_mib": measured.peak_mib,
            }))
        }
        "epoch" => {
            let epoch = epoch::run(name, folder)?;
            Ok(json!({
                "examples_per_second": epoch.examples as f64 / epoch.seconds,
                "share_in_steps": epoch.share_in_steps,
            }))
        }
        _ => Err(usage()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(found) => {
            println!("{found}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
