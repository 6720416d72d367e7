//! One measurement of one workload as a line of JSON, for `bench/compare`:
//!
//! ```text
//! bench check NAME FOLDER             fails unless the workload is the twin's network
//! bench time NAME FOLDER SECONDS
//! bench epoch NAME FOLDER
//! ```

use std::path::Path;
use std::process::ExitCode;

use bench::measure::measure;
use bench::workload::Options;
use bench::{epoch, registry, twin};
use common::{Error, Result};
use serde_json::{Value, json};

fn run(arguments: &[String]) -> Result<Value> {
    let usage = || Error::Usage("bench check|time|epoch NAME FOLDER [SECONDS]".into());
    let [command, name, folder, rest @ ..] = arguments else {
        return Err(usage());
    };
    let folder = Path::new(folder);
    let seconds = rest.first().map_or(Ok(1.0), |s| s.parse::<f64>());
    let seconds = seconds.map_err(|_| usage())?;
    match command.as_str() {
        "check" => {
            twin::check(name, folder)?;
            Ok(json!({}))
        }
        "time" => {
            let mut training = registry::read(name, folder, Options::default())?;
            let measured = measure(training.as_mut(), seconds);
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
    // As the chapters' programs do.
    common::threads::join_pool();
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
