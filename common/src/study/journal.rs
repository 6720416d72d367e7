//! The file of a study: a line that says what is searched, then a line per trial, all JSON.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Parameter, State, Trial};
use crate::files::write_atomic;
use crate::{Error, Result};

/// A study's file grows by some hundred bytes a trial. What is larger is no such file.
const LARGEST: u64 = 256 << 20;

/// The file that trials are appended to.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
}

impl Journal {
    /// Opens the file of the study that `about` describes. Gives the trials that it holds, in the order of their numbers: none without
    /// `resume`.
    pub(super) fn open(
        path: &Path,
        resume: bool,
        about: &Value,
        space: &[Parameter],
    ) -> Result<(Self, Vec<Trial>)> {
        let journal = Self {
            path: path.to_path_buf(),
        };
        if resume && path.exists() {
            let trials = journal.read(about, space)?;
            return Ok((journal, trials));
        }
        write_atomic(path, format!("{about}\n").as_bytes())?;
        Ok((journal, Vec::new()))
    }

    /// Adds a trial. It is one write of a whole line: a kill leaves it there, not there, or as a last line without an end.
    pub(super) fn append(&self, trial: &Trial) -> Result<()> {
        let line = serde_json::to_string(trial)
            .map_err(|error| Error::Training(format!("trial {}: {error}", trial.number)))?;
        let mut file = OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(Error::io(&self.path))?;
        file.write_all(format!("{line}\n").as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(Error::io(&self.path))
    }

    fn read(&self, about: &Value, space: &[Parameter]) -> Result<Vec<Trial>> {
        let path = &self.path;
        let damaged = |line: usize, why: String| {
            Error::Data(format!(
                "{}, line {line}: damaged ({why}); delete the file and start again without --resume",
                path.display()
            ))
        };
        let length = std::fs::metadata(path).map_err(Error::io(path))?.len();
        if length > LARGEST {
            return Err(damaged(1, format!("{length} bytes are too many")));
        }
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        // What comes after the last line end was being written when the program was killed.
        let whole = bytes
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| {
            let line = bytes[..error.valid_up_to()]
                .iter()
                .filter(|b| **b == b'\n')
                .count()
                + 1;
            damaged(line, error.to_string())
        })?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let found: Value =
            serde_json::from_str(first).map_err(|error| damaged(1, error.to_string()))?;
        if found != *about {
            return Err(Error::Usage(format!(
                "{}: can't resume, since it is of another study; give the flags of the first run, or start again without --resume",
                path.display()
            )));
        }
        let mut trials: Vec<Trial> = Vec::new();
        for (i, line) in lines.enumerate() {
            let trial = serde_json::from_str(line).map_err(|error| error.to_string());
            let trial = trial.and_then(|trial| check(trial, space, &trials));
            trials.push(trial.map_err(|why| damaged(i + 2, why))?);
        }
        trials.sort_by_key(|trial| trial.number);
        if whole < bytes.len() {
            write_atomic(path, &bytes[..whole])?;
        }
        Ok(trials)
    }
}

/// The trial, if this study could have made it.
fn check(trial: Trial, space: &[Parameter], before: &[Trial]) -> Result<Trial, String> {
    if trial.state == State::Running {
        return Err("a trial that has not ended".into());
    }
    if before.iter().any(|other| other.number == trial.number) {
        return Err(format!("trial {} a second time", trial.number));
    }
    let inside = |parameter: &Parameter| {
        let value = trial.parameters.get(&parameter.name);
        value.is_some_and(|value| parameter.range.contains(*value))
    };
    if trial.parameters.len() != space.len() || !space.iter().all(inside) {
        return Err("parameters that are not searched here".into());
    }
    Ok(trial)
}
