//! How the two players are trained.

use common::{Error, Result};
use serde::Serialize;

/// What the players are trained for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Objective {
    /// D tells real examples from generated ones (section 9.1).
    Standard,
    /// The Wasserstein distance with gradient penalty (section 9.3).
    Wasserstein {
        /// Weight of the penalty; the book has 10.
        penalty: f64,
        /// Steps of D for each step of G.
        updates: usize,
    },
}

/// How the two players are trained.
#[derive(Clone, Debug, PartialEq)]
pub struct GanRecipe {
    /// Passes over the data; the last, incomplete batch of a pass is left out.
    pub epochs: usize,
    /// Examples per iteration.
    pub batch_size: usize,
    /// The learning rate of both optimizers.
    pub rate: f64,
    /// Whether the rate falls to 0 along a straight line.
    pub decay: bool,
    /// What they are trained for.
    pub objective: Objective,
    /// Whether both are told the class of the real example of the same place in the batch.
    pub conditional: bool,
    /// How much of the running mean of G's weights each iteration keeps, at most. The generator that comes out has that mean for its weights;
    /// 0 for those of the last iteration, as in the book.
    pub average: f64,
    /// Pictures of the progress after the first.
    pub frames: usize,
}

impl GanRecipe {
    /// The book's: batches of 128, a constant rate of 1e-4.
    pub fn book(objective: Objective, epochs: usize) -> Self {
        Self {
            epochs,
            batch_size: 128,
            rate: 1e-4,
            decay: false,
            objective,
            conditional: false,
            average: 0.0,
            frames: 20,
        }
    }

    /// Iterations in all, on this many examples.
    pub fn iterations(&self, examples: usize) -> usize {
        self.epochs * (examples / self.batch_size.max(1))
    }

    /// The rate of iteration `done`, from 0.
    pub(super) fn rate_at(&self, done: usize, total: usize) -> f64 {
        match self.decay {
            true => self.rate * (1.0 - done as f64 / total.max(1) as f64),
            false => self.rate,
        }
    }

    /// Refuses what can't be trained.
    ///
    /// # Errors
    /// [`Error::Usage`] for no epoch, or fewer examples than one batch has.
    pub(super) fn validate(&self, examples: usize) -> Result<()> {
        if self.epochs == 0 || self.batch_size == 0 || self.batch_size > examples {
            return Err(Error::Usage(format!(
                "{} epochs of batches of {} from {examples} examples: at least one whole batch is needed",
                self.epochs, self.batch_size
            )));
        }
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return Err(Error::Usage(format!(
                "--lr {}: a learning rate is a positive number, such as 0.0001",
                self.rate
            )));
        }
        if !(0.0..1.0).contains(&self.average) {
            return Err(Error::Usage(format!(
                "a running mean that keeps {} of itself: 0 to below 1 is possible",
                self.average
            )));
        }
        Ok(())
    }
}
