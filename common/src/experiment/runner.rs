//! Runs experiments one after the other: folder, report, gallery, verdicts.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::folder::RunFolder;
use super::options::Options;
use super::{Chapter, Experiment, Run, console};
use crate::device::{self, RunDevice};
use crate::files::write_atomic;
use crate::report::{self, Summary};
use crate::train::interrupt;
use crate::{Error, Result};

/// A run that came to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its folder.
    pub folder: PathBuf,
    /// What it found.
    pub summary: Summary,
}

/// Runs `experiments` with each of the seeds, and writes the gallery over all runs.
///
/// # Errors
/// The first error; what finished before it stays. A training that broke down does not keep the others from running.
pub fn run_all(
    chapter: &Chapter,
    experiments: &[&Experiment],
    options: &Options,
) -> Result<Vec<Finished>> {
    let device = device::open(&options.device)?;
    writable(&options.out)?;
    let mut finished = Vec::new();
    let mut broken = None;
    for experiment in experiments {
        for n in 0..options.seeds as u64 {
            let seed = options.seed.wrapping_add(n);
            match run_one(chapter, experiment, options, &device, seed) {
                Ok(run) => finished.push(run),
                Err(error @ Error::Training(_)) => {
                    eprintln!("{}: {error}", experiment.id);
                    broken.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if options.seeds > 1 && !options.quiet {
            console::seeds(experiment.id, &finished);
        }
    }
    report::write_gallery(&options.out)?;
    match broken {
        Some(error) => Err(error),
        None => Ok(finished),
    }
}

fn run_one(
    chapter: &Chapter,
    experiment: &Experiment,
    options: &Options,
    device: &RunDevice,
    seed: u64,
) -> Result<Finished> {
    let parent = chapter.folder(&options.out).join(experiment.id);
    let name = options.run_name(seed);
    let (folder, word) = RunFolder::open(&parent, &name, options.resume)?;
    let summary = Summary {
        id: experiment.id.to_string(),
        title: experiment.title.to_string(),
        chapter: chapter.name.to_string(),
        preset: options.preset.name().to_string(),
        device: device.name.clone(),
        seed,
        commit: commit(),
        started: jiff::Timestamp::now()
            .round(jiff::Unit::Second)
            .map_or(String::new(), |now| now.to_string()),
        config: serde_json::to_value(options).unwrap_or_default(),
        ..Summary::default()
    };
    if !options.quiet {
        console::heading(&summary);
        if let Some(word) = word {
            println!("     {word}");
        }
    }
    let config = serde_json::to_vec_pretty(&summary.config).unwrap_or_default();
    write_atomic(&folder.path().join("config.json"), &config)?;

    device.device.seed(seed);
    let mut run = Run {
        options: options.clone(),
        device: device.device.clone(),
        seed,
        folder: folder.path().to_path_buf(),
        siblings: siblings(chapter, experiment, options, &name),
        summary,
        histories: Vec::new(),
    };
    let clock = Instant::now();
    let result = (experiment.run)(&mut run);
    let result = result.and_then(|()| match interrupt::requested() {
        true => Err(Error::Interrupted("interrupted".into())),
        false => Ok(()),
    });
    if let Err(error) = result {
        return Err(how_to_go_on(error, chapter, experiment, options, seed));
    }
    run.summary.wall_seconds = clock.elapsed().as_secs_f64();
    run.summary.complete = true;
    report::write_report(folder.path(), &run.summary)?;
    let folder = folder.finish()?;
    if !options.quiet {
        console::results(&run.summary);
        let stand_ins = run.summary.data.iter().filter(|source| !source.real);
        for source in stand_ins {
            println!(
                "     note: {} was not the real data set but its built-in stand-in",
                source.name
            );
        }
        println!(
            "     {} ({} figures, {:.1} s)",
            folder.join("report.html").display(),
            run.summary.figures.len(),
            run.summary.wall_seconds
        );
    }
    Ok(Finished {
        folder,
        summary: run.summary,
    })
}

/// Checkpoint folders of the other experiments of this chapter, finished under the same flags.
fn siblings(chapter: &Chapter, this: &Experiment, options: &Options, name: &str) -> Vec<PathBuf> {
    let others = chapter.experiments.iter().filter(|e| e.id != this.id);
    let parent = chapter.folder(&options.out);
    let folders = others.map(|e| parent.join(e.id).join(name).join("checkpoints"));
    folders.filter(|folder| folder.is_dir()).collect()
}

/// Fails early where nothing could be written at the end.
fn writable(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).map_err(Error::io(out))?;
    let probe = tempfile::Builder::new().prefix(".probe-").tempfile_in(out);
    probe.map(drop).map_err(Error::io(out))
}

fn how_to_go_on(
    error: Error,
    chapter: &Chapter,
    experiment: &Experiment,
    options: &Options,
    seed: u64,
) -> Error {
    match error {
        Error::Interrupted(why) => {
            let preset = options.preset.name();
            let seed = match seed {
                super::options::DEFAULT_SEED => String::new(),
                seed => format!(" --seed {seed}"),
            };
            Error::Interrupted(format!(
                "{}: {why}\nto go on: cargo run -p {} -- run {} --preset {preset}{seed} --resume (and the flags of this run)",
                experiment.id, chapter.name, experiment.id
            ))
        }
        other => other,
    }
}

/// The commit of the source tree this program was built from, if it still stands there.
fn commit() -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_string())
}
