//! The study: ask for a trial, tell what came of it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::journal::Journal;
use super::sampler::ranked;
use super::{Outcome, Parameter, Pruner, Sampler, State, Trial};
use crate::{Error, Result};

/// Whether a low objective is good or a high one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Low is good.
    Minimize,
    /// High is good.
    Maximize,
}

impl Direction {
    /// Whether `a` is better than `b`.
    pub(super) fn better(self, a: f64, b: f64) -> bool {
        match self {
            Direction::Minimize => a < b,
            Direction::Maximize => a > b,
        }
    }

    /// The better of two.
    pub(super) fn best(self, a: f64, b: f64) -> f64 {
        if self.better(b, a) { b } else { a }
    }
}

/// A search for the parameters that make an objective lowest or highest.
///
/// ```
/// use common::study::{Direction, Outcome, Parameter, Study};
///
/// let x = Parameter::uniform("x", -10.0, 10.0);
/// let mut study = Study::new("(x - 2)^2", Direction::Minimize, vec![x], 42)?;
/// study.optimize(50, |_, trial| Ok(Outcome::Complete((trial.get("x") - 2.0).powi(2))))?;
/// assert!((study.best().unwrap().get("x") - 2.0).abs() < 0.5);
/// # Ok::<(), common::Error>(())
/// ```
#[derive(Debug)]
pub struct Study {
    objective: String,
    direction: Direction,
    space: Vec<Parameter>,
    seed: u64,
    sampler: Sampler,
    pruner: Pruner,
    /// Told, in the order of their numbers.
    trials: Vec<Trial>,
    /// The number of the next trial to be asked for.
    next: usize,
    journal: Option<Journal>,
}

impl Study {
    /// A search over `space` by the Parzen estimator, without pruning. `objective` is its name in figures.
    ///
    /// # Errors
    /// [`Error::Usage`] for no parameter, two of one name, or a range without values.
    pub fn new(
        objective: &str,
        direction: Direction,
        space: Vec<Parameter>,
        seed: u64,
    ) -> Result<Self> {
        if space.is_empty() {
            return Err(Error::Usage("a study needs a parameter to search".into()));
        }
        for (i, parameter) in space.iter().enumerate() {
            parameter.validate()?;
            if space[..i].iter().any(|other| other.name == parameter.name) {
                let name = &parameter.name;
                return Err(Error::Usage(format!("two parameters are called {name}")));
            }
        }
        Ok(Self {
            objective: objective.to_string(),
            direction,
            space,
            seed,
            sampler: Sampler::tpe(),
            pruner: Pruner::None,
            trials: Vec::new(),
            next: 0,
            journal: None,
        })
    }

    /// The study with another sampler.
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// The study with a pruner.
    pub fn with_pruner(mut self, pruner: Pruner) -> Self {
        self.pruner = pruner;
        self
    }

    /// Writes each trial that is told as a line to `path`. With `resume` the trials that are there already are taken over, else they
    /// are replaced. `context` is what else must be equal for that: the data, say.
    ///
    /// # Errors
    /// [`Error::Usage`] when the file is of another study, [`Error::Data`] when it is damaged, [`Error::Io`] when it can't be
    /// read or written.
    pub fn stored_at(
        mut self,
        path: &Path,
        resume: bool,
        context: serde_json::Value,
    ) -> Result<Self> {
        let about = json!({
            "objective": self.objective,
            "direction": self.direction,
            "space": self.space,
            "seed": self.seed,
            "sampler": self.sampler,
            "pruner": self.pruner,
            "context": context,
        });
        let (journal, trials) = Journal::open(path, resume, &about, &self.space)?;
        self.next = trials.iter().map(|t| t.number + 1).max().unwrap_or(0);
        self.trials = trials;
        self.journal = Some(journal);
        Ok(self)
    }

    /// The parameters of the next trial.
    ///
    /// # Errors
    /// [`Error::Training`] when the estimator fails.
    pub fn ask(&mut self) -> Result<Trial> {
        let number = self.next;
        let before = ranked(&self.trials, |a, b| self.direction.better(a, b));
        let values = self.sampler.draw(&self.space, &before, self.seed, number)?;
        self.next += 1;
        let names = self.space.iter().map(|parameter| parameter.name.clone());
        Ok(Trial {
            number,
            parameters: names.zip(values).collect(),
            steps: Vec::new(),
            state: State::Running,
            value: None,
        })
    }

    /// Takes a report after a step of `trial`. Gives whether the pruner would give it up.
    pub fn report(&self, trial: &mut Trial, value: f64) -> bool {
        trial.steps.push(value.is_finite().then_some(value));
        self.pruner.gives_up(trial, &self.trials, self.direction)
    }

    /// Takes what came of a trial that was asked for, and writes it to the study's file.
    ///
    /// # Errors
    /// [`Error::Io`] when it can't be written.
    pub fn tell(&mut self, mut trial: Trial, outcome: Outcome) -> Result<()> {
        (trial.state, trial.value) = match outcome {
            Outcome::Complete(value) => (State::Complete, value.is_finite().then_some(value)),
            Outcome::Pruned => (State::Pruned, None),
        };
        if let Some(journal) = &self.journal {
            journal.append(&trial)?;
        }
        let at = self.trials.partition_point(|t| t.number < trial.number);
        self.trials.insert(at, trial);
        Ok(())
    }

    /// Asks and tells until there are `trials`, those of an earlier run included.
    ///
    /// # Errors
    /// The first error of `objective`; the trials told before it stay. As [`ask`](Self::ask) and [`tell`](Self::tell).
    pub fn optimize(
        &mut self,
        trials: usize,
        mut objective: impl FnMut(&Study, &mut Trial) -> Result<Outcome>,
    ) -> Result<()> {
        while self.trials.len() < trials {
            let mut trial = self.ask()?;
            let outcome = objective(self, &mut trial)?;
            self.tell(trial, outcome)?;
        }
        Ok(())
    }

    /// The trial with the best value, the first of several.
    pub fn best(&self) -> Option<&Trial> {
        let best = ranked(&self.trials, |a, b| self.direction.better(a, b));
        best.first().copied().filter(|trial| trial.value.is_some())
    }

    /// All trials told so far, in the order of their numbers.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The trials that came to their end with a number, and that number.
    pub(super) fn complete(&self) -> impl Iterator<Item = (&Trial, f64)> {
        let complete = |trial: &'_ Trial| trial.state == State::Complete;
        let trials = self.trials.iter().filter(move |trial| complete(trial));
        trials.filter_map(|trial| Some((trial, trial.value?)))
    }

    /// What the objective is called.
    pub fn objective(&self) -> &str {
        &self.objective
    }

    /// Whether low or high is good.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// What is searched.
    pub fn space(&self) -> &[Parameter] {
        &self.space
    }
}
