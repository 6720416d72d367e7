//! The runs to tell of, by experiment.

use std::path::Path;

use common::Result;
use common::report::{self, Summary};

/// Finished runs, in the book's order.
pub struct Runs(Vec<Summary>);

impl Runs {
    /// All finished runs below `folder` that had the settings of their preset: those with other settings (`--epochs`, `--lr`, ...) are a
    /// reader's own experiments, and those on a stand-in say nothing of the book's data.
    ///
    /// # Errors
    /// [`common::Error::Io`] when a folder can't be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let all = report::finished(folder)?.into_iter();
        Ok(Self(all.map(|run| run.summary).filter(plain).collect()))
    }

    /// The runs of an experiment with this preset, one for each seed.
    pub fn of(&self, id: &str, preset: &str) -> Vec<&Summary> {
        let runs = self.0.iter();
        runs.filter(|run| run.id == id && run.preset == preset)
            .collect()
    }

    /// The run that stands for an experiment: at the book's sizes if there is one, else at `quick`; the lowest seed.
    pub fn best(&self, id: &str) -> Option<&Summary> {
        let lowest = |preset| self.of(id, preset).into_iter().min_by_key(|run| run.seed);
        lowest("book").or_else(|| lowest("quick"))
    }
}

fn plain(run: &Summary) -> bool {
    let own = ["epochs", "lr", "batch_size", "limit"];
    own.iter().all(|flag| run.config[*flag].is_null())
        && run.config["as_printed"] != true
        && run.data.iter().all(|source| source.real)
}
