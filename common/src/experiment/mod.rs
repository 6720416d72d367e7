//! What a chapter is made of: numbered experiments, each a function of a [`Run`].

mod console;
mod folder;
mod options;
mod run;
mod runner;
mod saved;

pub use console::number;
pub use options::{DEFAULT_SEED, DataChoice, Options, Preset};
pub use run::Run;
pub use runner::{Finished, run_all};
pub use saved::{model_in, saved_or_trained};

use crate::Result;

/// A chapter of the book: its experiments, and what can be done with its trained models.
pub struct Chapter {
    /// 3
    pub number: u32,
    /// The crate, as in `cargo run -p ch03-cnn`.
    pub name: &'static str,
    /// The chapter's title.
    pub title: &'static str,
    /// The experiment that runs when none is named.
    pub headline: &'static str,
    /// All experiments, in the book's order.
    pub experiments: Vec<Experiment>,
    /// Subcommands of this chapter alone, such as `classify`.
    pub actions: Vec<Action>,
}

/// A numbered experiment of the book.
#[derive(Clone)]
pub struct Experiment {
    /// `3.5`
    pub id: &'static str,
    /// What is built, in a few words.
    pub title: &'static str,
    /// The data it runs on.
    pub data: &'static str,
    /// What the book claims, in a sentence.
    pub claim: &'static str,
    /// How long the presets `quick` and `book` take on two cores of a laptop, as in `40 s`.
    pub takes: [&'static str; 2],
    /// The experiment.
    pub run: fn(&mut Run) -> Result<()>,
}

/// A subcommand that a chapter adds to the shared command line.
pub struct Action {
    /// Its name, help and arguments.
    pub command: fn() -> clap::Command,
    /// What it does.
    pub run: fn(&Chapter, &clap::ArgMatches) -> Result<()>,
}

impl Chapter {
    /// The experiment called `id`.
    pub fn find(&self, id: &str) -> Option<&Experiment> {
        self.experiments.iter().find(|e| e.id == id)
    }

    /// The folder of the chapter's runs inside `out`: `runs/ch03`.
    pub fn folder(&self, out: &std::path::Path) -> std::path::PathBuf {
        out.join(format!("ch{:02}", self.number))
    }
}
