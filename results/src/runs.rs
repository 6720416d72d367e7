//! The runs to tell of, by experiment.

use std::path::Path;

use common::files::write_atomic;
use common::report::{self, Summary};
use common::{Error, Result};

/// Finished runs, in the book's order, one for each experiment, preset and seed.
#[derive(Default)]
pub struct Runs(Vec<Summary>);

impl Runs {
    /// All finished runs below `folder` that had the settings of their preset: those with other settings (`--epochs`, `--lr`, ...) are a
    /// reader's own experiments, and `smoke` says nothing.
    ///
    /// # Errors
    /// [`Error::Io`] when a folder can't be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut runs = Self::default();
        for run in report::finished(folder)? {
            if plain(&run.summary) {
                runs.add(told(run.summary));
            }
        }
        Ok(runs)
    }

    /// The runs that a file keeps, one on each line; none when there is no such file.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] with the line that is not a summary.
    pub fn kept(file: &Path) -> Result<Self> {
        let mut runs = Self::default();
        if !file.exists() {
            return Ok(runs);
        }
        let text = std::fs::read_to_string(file).map_err(Error::io(file))?;
        for (number, line) in text.lines().enumerate() {
            let broken = |error| {
                let line = number + 1;
                Error::Data(format!("{}:{line}: {error}", file.display()))
            };
            runs.add(serde_json::from_str(line).map_err(broken)?);
        }
        Ok(runs)
    }

    /// Writes what [`Runs::kept`] reads.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be written.
    pub fn keep(&self, file: &Path) -> Result<()> {
        let mut text = String::new();
        for run in &self.0 {
            let line = serde_json::to_string(run);
            text += &line.map_err(|error| Error::Data(error.to_string()))?;
            text.push('\n');
        }
        write_atomic(file, text.as_bytes())
    }

    /// Takes the other's runs too; of two of the same experiment, preset and seed one on real data, else the later one.
    pub fn merge(&mut self, other: Self) {
        for run in other.0 {
            self.add(run);
        }
    }

    fn add(&mut self, run: Summary) {
        match self.0.binary_search_by_key(&place(&run), place) {
            Ok(at) if worth(&self.0[at]) > worth(&run) => {}
            Ok(at) => self.0[at] = run,
            Err(at) => self.0.insert(at, run),
        }
    }

    /// The runs of an experiment with this preset, one for each seed.
    pub fn of(&self, id: &str, preset: &str) -> Vec<&Summary> {
        let runs = self.0.iter();
        runs.filter(|run| run.id == id && run.preset == preset)
            .collect()
    }

    /// The run that stands for an experiment: on real data if there is one, at the book's sizes before `quick`; the lowest seed.
    pub fn best(&self, id: &str) -> Option<&Summary> {
        let lowest = |preset, real| {
            let runs = self.of(id, preset).into_iter();
            let runs = runs.filter(|run| is_real(run) == real);
            runs.min_by_key(|run| run.seed)
        };
        let places = [
            ("book", true),
            ("quick", true),
            ("book", false),
            ("quick", false),
        ];
        places
            .into_iter()
            .find_map(|(preset, real)| lowest(preset, real))
    }
}

/// Whether none of its data sets was a stand-in.
pub(crate) fn is_real(run: &Summary) -> bool {
    run.data.iter().all(|source| source.real)
}

fn worth(run: &Summary) -> (bool, &str) {
    (is_real(run), &run.started)
}

/// What the runs are in order of: chapter and number of the experiment, preset, seed.
fn place(run: &Summary) -> (u32, u32, String, u64) {
    let mut numbers = run.id.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), run.preset.clone(), run.seed)
}

fn plain(run: &Summary) -> bool {
    let own = ["epochs", "lr", "batch_size", "limit"];
    own.iter().all(|flag| run.config[*flag].is_null())
        && run.config["as_printed"] != true
        && run.preset != "smoke"
}

/// The part of a summary that is told here. The rest is bulky, or names folders of the machine that it ran on.
fn told(mut run: Summary) -> Summary {
    for source in &mut run.data {
        source.origin.clear();
    }
    Summary {
        config: serde_json::Value::Null,
        models: Vec::new(),
        figures: Vec::new(),
        tables: Vec::new(),
        text: Vec::new(),
        ..run
    }
}
