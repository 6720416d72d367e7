//! `cargo run -p results`: RESULTS.md and the README's table, from the runs in `runs/` and those kept from before.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use common::files::write_atomic;
use common::{Error, Result};
use results::{Runs, chapters, long_form, set_between_marks, table};

/// Writes RESULTS.md and the table of all experiments in README.md from the summaries of finished runs. They are kept in results/runs.jsonl,
/// so that runs of several machines and days come together; of two of one experiment, preset and seed the later one counts.
#[derive(Parser)]
struct Arguments {
    /// The folder with the runs, as --out names it for the chapters; without it `runs`, if there is one.
    #[arg(long)]
    runs: Option<PathBuf>,
    /// The folder with README.md, where RESULTS.md goes.
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    match write(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn write(arguments: &Arguments) -> Result<()> {
    let file = arguments.root.join("results/runs.jsonl");
    let (chapters, mut runs) = (chapters(), Runs::kept(&file)?);
    let folder = arguments.runs.clone().unwrap_or("runs".into());
    if folder.is_dir() {
        runs.merge(Runs::read(&folder)?);
    } else if arguments.runs.is_some() || !file.exists() {
        let message = format!(
            "{}: there is no such folder; run experiments first, or give --runs",
            folder.display()
        );
        return Err(Error::Usage(message));
    }
    runs.keep(&file)?;
    let readme = arguments.root.join("README.md");
    let text = std::fs::read_to_string(&readme).map_err(Error::io(&readme))?;
    let text = set_between_marks(&text, &table(&chapters, &runs))?;
    put(
        &arguments.root.join("RESULTS.md"),
        &long_form(&chapters, &runs),
    )?;
    put(&readme, &text)?;
    let all = chapters.iter().flat_map(|chapter| &chapter.experiments);
    let (run, all) = all.fold((0, 0), |(run, all), experiment| {
        (
            run + usize::from(runs.best(experiment.id).is_some()),
            all + 1,
        )
    });
    println!(
        "{run} of {all} experiments have a run in {}",
        file.display()
    );
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    write_atomic(path, text.as_bytes())
}
