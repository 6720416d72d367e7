//! The life of a run's folder: `NAME.partial` while it runs, `NAME` once it is finished.
//!
//! A finished run is replaced only by a finished one. An interrupted one is kept for `--resume`, and put
//! aside as `NAME.stopped` when the run is started again without it.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Where the studies of a run lie in its folder.
pub(super) const STUDIES: &str = "studies";

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
                .find(|folder| can_go_on(folder));
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
        } else if can_go_on(&partial) {
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

/// Whether there is a model's checkpoint or a study's trials in the folder of a run.
fn can_go_on(folder: &Path) -> bool {
    let studies = std::fs::read_dir(folder.join(STUDIES));
    if studies.is_ok_and(|mut studies| studies.next().is_some()) {
        return true;
    }
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
    fn a_run_with_nothing_but_a_study_can_go_on() {
        let parent = tempfile::tempdir().unwrap();
        let (first, _) = RunFolder::open(parent.path(), "quick", false).unwrap();
        let file = first.path().join(STUDIES).join("search.jsonl");
        crate::files::write_atomic(&file, b"{}\n").unwrap();
        let (resumed, word) = RunFolder::open(parent.path(), "quick", true).unwrap();
        assert!(word.is_none());
        assert!(resumed.path().join(STUDIES).join("search.jsonl").exists());
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
        assert!(can_go_on(resumed.path()));
        let (afresh, word) = RunFolder::open(parent.path(), "quick", false).unwrap();
        assert!(word.unwrap().contains("quick.stopped"));
        assert!(!can_go_on(afresh.path()));
        let (resumed, _) = RunFolder::open(parent.path(), "quick", true).unwrap();
        assert!(can_go_on(resumed.path()));
    }
}
