//! Checkpoints that are whole or absent, and the results table that belongs to them.
//!
//! After each epoch a folder holds `model-N.bpk`, `optim-N.bpk`, `scheduler-N.bpk` (Burn's records, the last two epochs) and
//! `state.json`. `state.json` is written first, so it always knows at least the epochs that have records.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Bytes;
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};
use serde::{Deserialize, Serialize};

use super::History;
use crate::files::write_atomic;
use crate::{Error, Result};

/// Burn's `FileCheckpointer` writes in place, so a crash leaves a short file under a final name; this one renames.
pub(super) struct AtomicCheckpointer {
    folder: PathBuf,
    kind: &'static str,
}

impl AtomicCheckpointer {
    pub(super) fn new(folder: &Path, kind: &'static str) -> Self {
        Self {
            folder: folder.to_path_buf(),
            kind,
        }
    }

    fn path(&self, epoch: usize) -> PathBuf {
        record_path(&self.folder, self.kind, epoch)
    }
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let bytes = record
            .checkpoint_into_bytes()
            .map_err(CheckpointerError::Record)?;
        write_atomic(&self.path(epoch), &bytes)
            .map_err(|error| CheckpointerError::Unknown(error.to_string()))
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        match std::fs::remove_file(self.path(epoch)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(error))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        let bytes = std::fs::read(self.path(epoch)).map_err(CheckpointerError::IOError)?;
        R::checkpoint_from_bytes(Bytes::from_bytes_vec(bytes)).map_err(CheckpointerError::Record)
    }
}

/// The kinds of record that a complete checkpoint has.
pub(super) const KINDS: [&str; 3] = ["model", "optim", "scheduler"];

fn record_path(folder: &Path, kind: &str, epoch: usize) -> PathBuf {
    folder.join(format!("{kind}-{epoch}.bpk"))
}

/// `state.json`: what was trained how, and what came of each epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// What must be equal for a run to be continued.
    pub(super) fingerprint: serde_json::Value,
    /// Which program trained it.
    pub(super) program: String,
    /// The results so far.
    pub(super) history: History,
    /// Whether early stopping ended the training.
    pub(super) stopped_early: bool,
}

impl State {
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::Training(format!("state.json: {error}")))?;
        write_atomic(&folder.join("state.json"), &text)
    }
}

/// A point from which training can go on.
pub(super) struct Resume {
    /// Epochs done, at least 1.
    pub(super) epoch: usize,
    /// The state after that epoch.
    pub(super) state: State,
}

/// Finds the newest complete checkpoint in `folder`; `None` if no epoch was finished there.
///
/// # Errors
/// [`Error::Data`] when a record or `state.json` is damaged, [`Error::Usage`] when it was trained otherwise
/// than `fingerprint` says.
pub(super) fn find(folder: &Path, fingerprint: &serde_json::Value) -> Result<Option<Resume>> {
    let path = folder.join("state.json");
    if !path.exists() {
        return Ok(None);
    }
    let damaged = |what: &Path, why: String| {
        Error::Data(format!(
            "{}: damaged checkpoint ({why}); delete {} and start again without --resume",
            what.display(),
            folder.display()
        ))
    };
    let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
    let mut state: State =
        serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error.to_string()))?;
    if let Some(difference) = first_difference(&state.fingerprint, fingerprint) {
        return Err(Error::Usage(format!(
            "{}: can't resume, since {difference}; give the flags of the first run, or start again without --resume",
            folder.display()
        )));
    }
    let complete = |epoch: usize| KINDS.iter().all(|k| record_path(folder, k, epoch).exists());
    if !state.history.is_table() {
        let why = "a row of the results has not a value per column".to_string();
        return Err(damaged(&path, why));
    }
    let Some(epoch) = (1..=state.history.epochs())
        .rev()
        .find(|epoch| complete(*epoch))
    else {
        return Ok(None);
    };
    for kind in KINDS {
        check_record(kind, folder, epoch)
            .map_err(|why| damaged(&record_path(folder, kind, epoch), why))?;
    }
    if epoch < state.history.epochs() {
        // The epoch that early stopping judged has no records: it is trained again and judged again.
        state.stopped_early = false;
    }
    state.history.truncate(epoch);
    Ok(Some(Resume { epoch, state }))
}

/// Refuses a checkpoint whose parameters are not those of `model`.
///
/// # Errors
/// [`Error::Data`] when they are of another network.
pub(super) fn must_fit<M: Module>(folder: &Path, epoch: usize, model: M) -> Result<()> {
    let record = AtomicCheckpointer::new(folder, "model").restore(epoch);
    let record = record.map_err(|error| error.to_string());
    let fits = record.and_then(|record| {
        let loaded = model.try_load_record(record);
        loaded.map(drop).map_err(|error| error.to_string())
    });
    fits.map_err(|why| {
        Error::Data(format!(
            "{}: the checkpoint is of another network ({why}); delete {} and start again without --resume",
            record_path(folder, "model", epoch).display(),
            folder.display()
        ))
    })
}

/// The model in `folder`, if this very program has trained it to the end as `fingerprint` says.
pub(super) fn finished(
    folder: &Path,
    fingerprint: &serde_json::Value,
    epochs: usize,
) -> Option<(State, burn::store::ModuleRecord)> {
    let resume = find(folder, fingerprint).ok()??;
    let done = resume.epoch == epochs || resume.state.stopped_early;
    if !done || resume.state.program != program() {
        return None;
    }
    let record = AtomicCheckpointer::new(folder, "model").restore(resume.epoch);
    Some((resume.state, record.ok()?))
}

/// Tells this build of the program from another: after a change of the code a model must be trained again.
pub fn program() -> String {
    let told = || {
        let path = std::env::current_exe().ok()?;
        let file = std::fs::metadata(&path).ok()?;
        let built = file.modified().ok()?;
        let built = built.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(format!(
            "{} of {} bytes, built {}",
            path.file_name()?.to_string_lossy(),
            file.len(),
            built.as_secs()
        ))
    };
    told().unwrap_or_default()
}

/// Burn panics on a record that can't be read, so each is read once before Burn does.
fn check_record(kind: &'static str, folder: &Path, epoch: usize) -> Result<(), String> {
    use burn::lr_scheduler::LrSchedulerRecord;
    use burn::optim::OptimizerRecord;
    use burn::store::ModuleRecord;

    let checkpointer = AtomicCheckpointer::new(folder, kind);
    let result = match kind {
        "model" => Checkpointer::<ModuleRecord>::restore(&checkpointer, epoch).map(drop),
        "optim" => Checkpointer::<OptimizerRecord>::restore(&checkpointer, epoch).map(drop),
        _ => Checkpointer::<LrSchedulerRecord>::restore(&checkpointer, epoch).map(drop),
    };
    result.map_err(|error| error.to_string())
}

/// The first field in which two JSON objects differ, told as "lr was 0.001 and is now 0.01".
pub fn first_difference(then: &serde_json::Value, now: &serde_json::Value) -> Option<String> {
    let (Some(then), Some(now)) = (then.as_object(), now.as_object()) else {
        return (then != now).then(|| "it was trained otherwise".to_string());
    };
    let keys = then.keys().chain(now.keys());
    for key in keys {
        let (old, new) = (then.get(key), now.get(key));
        if old != new {
            let show =
                |v: Option<&serde_json::Value>| v.map_or("not set".into(), |v| v.to_string());
            let (old, new) = (show(old), show(new));
            if old.len() + new.len() > 200 {
                return Some(format!("{key} is not what it was"));
            }
            return Some(format!("{key} was {old} and is now {new}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_named() {
        let told = first_difference(&json!({"a": 1, "lr": 0.1}), &json!({"a": 1, "lr": 0.2}));
        assert_eq!(told.unwrap(), "lr was 0.1 and is now 0.2");
        assert!(first_difference(&json!({"a": 1}), &json!({"a": 1})).is_none());
    }

    #[test]
    fn a_damaged_state_is_an_error_and_no_state_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find(folder.path(), &json!({})).unwrap().is_none());
        std::fs::write(folder.path().join("state.json"), b"{").unwrap();
        let error = find(folder.path(), &json!({})).err().unwrap().to_string();
        assert!(error.contains("damaged checkpoint"), "{error}");
    }

    #[test]
    fn a_damaged_record_is_an_error_and_a_missing_one_is_an_older_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::new(vec!["epoch".into()]);
        history.push(&[0.0]);
        let state = State {
            fingerprint: json!({}),
            program: program(),
            history,
            stopped_early: false,
        };
        state.save(folder.path()).unwrap();
        assert!(find(folder.path(), &json!({})).unwrap().is_none());
        for kind in KINDS {
            std::fs::write(record_path(folder.path(), kind, 1), b"no record").unwrap();
        }
        let error = find(folder.path(), &json!({})).err().unwrap().to_string();
        assert!(error.contains("model-1.bpk"), "{error}");
    }
}
