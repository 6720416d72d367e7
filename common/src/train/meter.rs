//! Loss and scores of an epoch, read from the device every few steps.

use burn::tensor::Tensor;

use super::{Overlap, Predictions, Score, StepOutput};
use crate::{Error, Result};

/// A read waits for the device, so outputs are read a few at a time.
const READ_EVERY: usize = 16;

/// Gathers the outputs of an epoch.
pub(super) struct Meter<O> {
    pending: Vec<O>,
    losses: f64,
    batches: usize,
    predictions: Predictions,
    keep_predictions: bool,
}

impl<O: StepOutput> Meter<O> {
    pub(super) fn new(scores: &[Score]) -> Self {
        Self {
            pending: Vec::with_capacity(READ_EVERY),
            losses: 0.0,
            batches: 0,
            predictions: Predictions::default(),
            keep_predictions: !scores.is_empty(),
        }
    }

    /// Adds the output of a step.
    ///
    /// # Errors
    /// [`Error::Training`] when one of the losses read by now is not a finite number.
    pub(super) fn push(&mut self, output: O) -> Result<()> {
        self.pending.push(output);
        if self.pending.len() >= READ_EVERY {
            self.read()?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let failed =
            |error| Error::Training(format!("reading a result from the device: {error:?}"));
        let losses = Tensor::cat(self.pending.iter().map(|o| o.loss()).collect(), 0);
        let losses = losses.into_data().try_to_vec::<f32>().map_err(failed)?;
        for loss in losses {
            self.batches += 1;
            if !loss.is_finite() {
                return Err(Error::Training(format!(
                    "the loss became {loss} at batch {} of the epoch; a smaller --lr may help",
                    self.batches
                )));
            }
            self.losses += f64::from(loss);
        }
        if self.keep_predictions {
            let (logits, targets): (Vec<_>, Vec<_>) =
                self.pending.iter().filter_map(|o| o.predictions()).unzip();
            if !logits.is_empty() {
                let logits = Tensor::cat(logits, 0).into_data();
                let targets = Tensor::cat(targets, 0).into_data();
                let logits = logits.try_to_vec::<f32>().map_err(failed)?;
                let targets = targets.iter::<i64>().map(|label| label.max(0) as usize);
                self.predictions.extend(&logits, targets);
            }
            let overlaps = self.pending.iter().filter_map(|o| o.overlap());
            let overlaps: Vec<_> = overlaps.collect();
            if !overlaps.is_empty() {
                let counts = Tensor::cat(overlaps, 0).into_data();
                let counts = counts.try_to_vec::<f32>().map_err(failed)?;
                for count in counts.chunks_exact(3) {
                    let [both, predicted, actual] = [0, 1, 2].map(|i| f64::from(count[i]));
                    self.predictions.extend_overlap(Overlap {
                        both,
                        predicted,
                        actual,
                    });
                }
            }
        }
        self.pending.clear();
        Ok(())
    }

    /// Mean of the losses read so far; NaN before the first.
    pub(super) fn loss_so_far(&self) -> f64 {
        self.losses / self.batches as f64
    }

    /// Accuracy of the predictions read so far; none where no class is predicted.
    pub(super) fn accuracy_so_far(&self) -> Option<f64> {
        self.predictions.running_accuracy()
    }

    /// The mean loss of the batches, and the scores.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(super) fn finish(mut self, scores: &[Score]) -> Result<(f64, Vec<f64>)> {
        self.read()?;
        let scores = scores.iter().map(|s| s.of(&self.predictions)).collect();
        Ok((self.losses / self.batches as f64, scores))
    }
}
