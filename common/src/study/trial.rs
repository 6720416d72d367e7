//! One choice of parameters, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One choice of parameters, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// From 0.
    pub number: usize,
    /// The value of each parameter by its name.
    pub parameters: BTreeMap<String, f64>,
    /// What was reported after each step; none where that was no number.
    pub steps: Vec<Option<f64>>,
    /// How it ended.
    pub state: State,
    /// The objective; none while it runs, if it was pruned, or if that was no number.
    pub value: Option<f64>,
}

/// Where a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for, not told yet.
    Running,
    /// Came to its end.
    Complete,
    /// Given up after some steps.
    Pruned,
}

/// What an objective tells of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It came to its end with this value.
    Complete(f64),
    /// It was given up.
    Pruned,
}

impl Trial {
    /// The value of a parameter.
    ///
    /// # Panics
    /// If the study has no parameter of this name.
    pub fn get(&self, name: &str) -> f64 {
        self.parameters[name]
    }

    /// The value of an integer parameter; one below 0 counts as 0.
    ///
    /// # Panics
    /// If the study has no parameter of this name.
    pub fn whole(&self, name: &str) -> usize {
        self.get(name) as usize
    }

    /// The last step's report, which is all that is known of a pruned trial.
    pub fn last_step(&self) -> Option<f64> {
        self.steps.last().copied().flatten()
    }
}
