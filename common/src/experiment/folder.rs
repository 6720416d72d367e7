//! The life of a run's folder: `NAME.partial` while it runs, `NAME` once it is finished.
//!
//! A finished run is replaced only by a finished one. An interrupted one is kept for `--resume`, and put
//! aside as `NAME.stopped` when the run is started again without it.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The folder of a run that is going on.
pub(super) struct RunFolder {
    finished: PathBuf,
    partial: PathBuf,
}

impl RunFolder {
    /// Opens `parent/name.partial`, new or, with `resume`, as an earlier run left it. Gives the folder and a word about what was
    /// found.
    pub(super) fn open(parent: &Path, name: &str, resume: bool) -> Result<(Self, Option<String>)> {
        let finished = parent.join(name);
        let partial = parent.join(format!("{name}.partial"));
        let stopped = parent.join(format!("{name}.stopped"));
        let mut word = None;
        if resume {
            let earlier = [&partial, &stopped, &finished]
                .into_iter()
                .find(|folder| has_checkpoint(folder));
            match earlier {
                Some(folder) if *folder == partial => {}
                Some(folder) => {
                    remove(&partial)?;
                    rename(folder, &partial)?;
                }
                None => {
                    remove(&partial)?;
                    word = Some("nothing to resume: starting from the beginning".to_string());
                }
            }
        } else if has_checkpoint(&partial) {
            remove(&stopped)?;
            rename(&partial, &stopped)?;
            word = Some(format!(
                "an interrupted run was put aside as {}; --resume would go on with it",
                stopped.display()
            ));
        } else {
            remove(&partial)?;
        }
        std::fs::create_dir_all(&partial).map_err(Error::io(&partial))?;
        Ok((Self { finished, partial }, word))
    }

    /// The folder to write to.
    pub(super) fn path(&self) -> &Path {
        &self.partial
    }

    /// Gives the folder its final name, in place of an earlier finished run.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let mut old = self.finished.clone().into_os_string();
        old.push(".replaced.partial");
        let old = PathBuf::from(old);
        remove(&old)?;
        if self.finished.exists() {
            rename(&self.finished, &old)?;
        }
        rename(&self.partial, &self.finished)?;
        remove(&old)?;
        Ok(self.finished)
    }
}

fn has_checkpoint(folder: &Path) -> bool {
    let models = std::fs::read_dir(folder.join("checkpoints"));
    models.is_ok_and(|models| {
        models
            .flatten()
            .any(|model| model.path().join("state.json").exists())
    })
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(Error::io(from))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(folder: &RunFolder) {
        let model = folder.path().join("checkpoints/cnn");
        std::fs::create_dir_all(&model).unwrap();
        std::fs::write(model.join("state.json"), "{}").unwrap();
    }

    #[test]
    fn a_finished_run_stays_until_the_next_one_is_finished() {
        let parent = tempfile::tempdir().unwrap();
        let (first, _) = RunFolder::open(parent.path(), "quick", false).unwrap();
        std::fs::write(first.path().join("n"), "1").unwrap();
        let finished = first.finish().unwrap();
        let (second, _) = RunFolder::open(parent.path(), "quick", false).unwrap();
        std::fs::write(second.path().join("n"), "2").unwrap();
        assert_eq!(std::fs::read_to_string(finished.join("n")).unwrap(), "1");
        second.finish().unwrap();
        assert_eq!(std::fs::read_to_string(finished.join("n")).unwrap(), "2");
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_interrupted_run_is_resumed_or_put_aside_but_not_lost() {
        let parent = tempfile::tempdir().unwrap();
        let (first, _) = RunFolder::open(parent.path(), "quick", false).unwrap();
        checkpoint(&first);
        let (resumed, word) = RunFolder::open(parent.path(), "quick", true).unwrap();
        assert!(word.is_none());
        assert!(has_checkpoint(resumed.path()));
        let (afresh, word) = RunFolder::open(parent.path(), "quick", false).unwrap();
        assert!(word.unwrap().contains("quick.stopped"));
        assert!(!has_checkpoint(afresh.path()));
        let (resumed, _) = RunFolder::open(parent.path(), "quick", true).unwrap();
        assert!(has_checkpoint(resumed.path()));
    }
}
