//! How a model is trained: epochs, batch size, optimizer, learning rate, schedule, scores.

use serde::{Deserialize, Serialize};

use super::{Clip, Optimizer, Schedule, Score};
use crate::{Error, Result};

/// How a model is trained. The book's chapters 2 to 4 use [`Recipe::sgd`] with a rate of 0.001.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training data.
    pub epochs: usize,
    /// Examples per update.
    pub batch_size: usize,
    /// The optimizer and its constants.
    pub optimizer: Optimizer,
    /// The learning rate of the first epoch.
    pub lr: f64,
    /// How the rate changes from epoch to epoch.
    pub schedule: Schedule,
    /// What is scored besides the loss.
    pub scores: Vec<Score>,
    /// Whether each epoch visits the examples in a new order.
    pub shuffle: bool,
    /// Stop when the loss of the first evaluation set has not fallen for this many epochs.
    pub patience: Option<usize>,
    /// How gradients are clipped before each update.
    #[serde(default)]
    pub clip: Option<Clip>,
}

impl Recipe {
    /// Plain SGD with a constant rate, shuffled, accuracy as score.
    pub fn sgd(lr: f64, batch_size: usize, epochs: usize) -> Self {
        Self {
            epochs,
            batch_size,
            optimizer: Optimizer::sgd(),
            lr,
            schedule: Schedule::Constant,
            scores: vec![Score::Accuracy],
            shuffle: true,
            patience: None,
            clip: None,
        }
    }

    /// AdamW with PyTorch's defaults (rate 0.001), shuffled, accuracy as score.
    pub fn adamw(batch_size: usize, epochs: usize) -> Self {
        Self {
            optimizer: Optimizer::adamw(),
            ..Self::sgd(1e-3, batch_size, epochs)
        }
    }

    /// The recipe with other scores.
    pub fn with_scores(mut self, scores: &[Score]) -> Self {
        self.scores = scores.to_vec();
        self
    }

    /// The recipe with another optimizer.
    pub fn with_optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// The recipe with a schedule.
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The recipe with early stopping after `epochs` without a lower loss.
    pub fn with_patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// The recipe with clipped gradients.
    pub fn with_clip(mut self, clip: Clip) -> Self {
        self.clip = Some(clip);
        self
    }

    /// Refuses what can't be trained.
    ///
    /// # Errors
    /// [`Error::Usage`] for no epoch, an empty batch, or a rate or a bound that is not a positive number.
    pub fn validate(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::Usage("--epochs 0: train for at least 1".into()));
        }
        if self.batch_size == 0 {
            return Err(Error::Usage(
                "--batch-size 0: a batch holds at least 1 example".into(),
            ));
        }
        if !(self.lr.is_finite() && self.lr > 0.0) {
            return Err(Error::Usage(format!(
                "--lr {}: a learning rate is a positive number, such as 0.001",
                self.lr
            )));
        }
        self.clip.map_or(Ok(()), Clip::validate)
    }
}
