//! The flags that all chapters share, parsed and checked.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::data::DataOptions;
use crate::train::Display;

/// How much of an experiment is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Seconds: shows that everything works, no claim is expected to hold
    Smoke,
    /// Up to 3 minutes on two cores: part of the data or fewer epochs, the claim shows
    Quick,
    /// The book's own sizes
    Book,
}

impl Preset {
    /// `smoke`, `quick` or `book`.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Smoke => "smoke",
            Preset::Quick => "quick",
            Preset::Book => "book",
        }
    }
}

/// Which data may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DataChoice {
    /// Real data if it can be had, else what is built in
    Auto,
    /// Real data or an error
    Real,
}

/// The flags of `run`, the same in every chapter. Flag over preset over default.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Options {
    /// How much to run
    #[arg(long, value_enum, default_value = "quick", global = true)]
    pub preset: Preset,
    /// auto, flex, ndarray, wgpu or cuda; wgpu:1 is the second adapter
    #[arg(long, default_value = "auto", value_name = "NAME", global = true)]
    pub device: String,
    /// Passes over the training data
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true, global = true)]
    pub epochs: Option<usize>,
    /// Examples per update
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true, global = true)]
    pub batch_size: Option<usize>,
    /// Learning rate
    #[arg(long, value_name = "RATE", value_parser = learning_rate, allow_negative_numbers = true, global = true)]
    pub lr: Option<f64>,
    /// Everything random is drawn from this
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED, global = true)]
    pub seed: u64,
    /// Run with this many seeds, from --seed on
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one, allow_negative_numbers = true, global = true)]
    pub seeds: usize,
    /// Use at most this many training (and test) examples
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true, global = true)]
    pub limit: Option<usize>,
    /// Also what the book's code does by mistake, where an experiment knows of such a mistake
    #[arg(long, global = true)]
    pub as_printed: bool,
    /// A folder with data sets [default: $IDL_DATA, then the cache, then a download]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub data_dir: Option<PathBuf>,
    /// `real` refuses built-in stand-ins
    #[arg(long, value_enum, default_value = "auto", global = true)]
    pub data: DataChoice,
    /// Download nothing
    #[arg(long, global = true)]
    pub offline: bool,
    /// Where runs are written
    #[arg(long, value_name = "FOLDER", default_value = "runs", global = true)]
    pub out: PathBuf,
    /// Go on with a run that was interrupted
    #[arg(long, global = true)]
    pub resume: bool,
    /// Exit with status 1 unless every claim holds
    #[arg(long, global = true)]
    pub check: bool,
    /// Burn's full-screen dashboard while training
    #[arg(long, conflicts_with = "quiet", global = true)]
    pub tui: bool,
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The book's seed.
pub const DEFAULT_SEED: u64 = 42;

impl Options {
    /// The name of the run's folder: preset, and whatever differs from the defaults and changes the results.
    pub fn run_name(&self, seed: u64) -> String {
        let mut name = self.preset.name().to_string();
        if !["auto", "flex"].contains(&self.device.as_str()) {
            name += &format!("-{}", self.device.replace(':', ""));
        }
        let numbers = [
            ("epochs", self.epochs),
            ("batch", self.batch_size),
            ("limit", self.limit),
        ];
        for (flag, value) in numbers {
            if let Some(value) = value {
                name += &format!("-{flag}{value}");
            }
        }
        if let Some(lr) = self.lr {
            name += &format!("-lr{lr}");
        }
        if self.as_printed {
            name += "-as-printed";
        }
        if seed != DEFAULT_SEED {
            name += &format!("-seed{seed}");
        }
        name
    }

    /// Where data is looked for.
    pub fn data_options(&self) -> DataOptions {
        DataOptions {
            data_dir: self.data_dir.clone(),
            offline: self.offline,
            require_real: self.data == DataChoice::Real,
            quiet: self.quiet,
        }
    }

    /// How training is shown.
    pub fn display(&self) -> Display {
        match (self.quiet, self.tui) {
            (true, _) => Display::Quiet,
            (_, true) => Display::Dashboard,
            _ => Display::automatic(),
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("is not a whole number".into()),
    }
}

fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Ok(_) => Err("a learning rate is a positive number, such as 0.001".into()),
        Err(_) => Err("is not a number".into()),
    }
}
