//! What a run found, as `summary.json` keeps it.

use serde::{Deserialize, Serialize};

use crate::data::Source;

/// What a run found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The experiment, as `3.5`.
    pub id: String,
    /// What is built, in a few words.
    pub title: String,
    /// The chapter's crate, as `ch03-cnn`.
    pub chapter: String,
    /// `smoke`, `quick` or `book`.
    pub preset: String,
    /// The device it ran on, as the user would name it.
    pub device: String,
    /// Everything random was drawn from this.
    pub seed: u64,
    /// The commit of the source tree, if it was known.
    pub commit: Option<String>,
    /// When it started: UTC, RFC 3339.
    pub started: String,
    /// Seconds from start to end.
    pub wall_seconds: f64,
    /// The flags in effect.
    pub config: serde_json::Value,
    /// The data sets it used.
    pub data: Vec<Source>,
    /// The models it trained.
    pub models: Vec<ModelSummary>,
    /// The numbers it found.
    pub metrics: Vec<Metric>,
    /// The book's claims, judged.
    pub claims: Vec<Claim>,
    /// The figures it drew.
    pub figures: Vec<FigureEntry>,
    /// Tables for the report.
    pub tables: Vec<Table>,
    /// Lines it printed.
    pub text: Vec<String>,
    /// False until the run has come to its end.
    pub complete: bool,
}

/// A model that was trained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Its name in the experiment.
    pub name: String,
    /// Trainable numbers in it.
    pub parameters: usize,
}

/// A number a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metric {
    /// What it measures.
    pub name: String,
    /// The number; NaN is stored as null and read as NaN.
    #[serde(deserialize_with = "number_or_nan")]
    pub value: f64,
    /// The number that the book shows.
    pub book: Option<f64>,
}

/// A claim of the book and whether this run bears it out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// The claim.
    pub text: String,
    /// Whether it held.
    pub held: bool,
    /// The numbers it was judged by.
    pub detail: String,
}

/// A figure of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FigureEntry {
    /// Its file name without ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What to look for in it.
    pub caption: String,
    /// The picture, relative to the run's folder.
    pub png: String,
    /// The numbers behind it, relative to the run's folder.
    pub csv: String,
    /// What is to be seen, in words.
    pub alt: String,
}

/// A table of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// The head of each column.
    pub columns: Vec<String>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
}

fn number_or_nan<'de, D: serde::Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(source)?.unwrap_or(f64::NAN))
}

impl Summary {
    /// Claims that held, and all claims.
    pub fn score(&self) -> (usize, usize) {
        let held = self.claims.iter().filter(|claim| claim.held).count();
        (held, self.claims.len())
    }
}
