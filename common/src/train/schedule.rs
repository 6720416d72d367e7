//! Learning-rate schedules, stepped once per epoch as in the book (sections 5.1 and 5.2).
//!
//! The rate of an epoch is a function of its number and of the validation losses before it, so a resumed training takes the rates of one that
//! was never stopped. Burn's own schedulers refuse rates above 1, which a search tries, and none of them looks at a loss.

use std::f64::consts::PI;
use std::sync::{Arc, Mutex, PoisonError};

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the learning rate changes from epoch to epoch; epoch t counts from 0 and starts at the recipe's rate `lr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// lr
    #[default]
    Constant,
    /// lr gamma^t, `torch.optim.lr_scheduler.ExponentialLR`
    Exponential {
        /// Factor per epoch, in (0, 1].
        gamma: f64,
    },
    /// lr gamma^(t / every, rounded down), `StepLR`
    Step {
        /// Epochs between two drops.
        every: usize,
        /// Factor per drop.
        gamma: f64,
    },
    /// min + (lr - min) (1 + cos(pi t / epochs)) / 2, `CosineAnnealingLR`: after `epochs` the rate rises again, without a jump.
    Cosine {
        /// Epochs until `min` is reached.
        epochs: usize,
        /// The lowest rate.
        min: f64,
    },
    /// The rate times `factor` whenever the loss of the first evaluation set has not fallen for more than `patience` epochs,
    /// `ReduceLROnPlateau`. That set should be a validation set: a rate chosen by the test set has seen the test set.
    Plateau {
        /// Factor per drop, in (0, 1).
        factor: f64,
        /// Epochs without a fall that are borne.
        patience: usize,
        /// A loss has fallen if it is below (1 - threshold) times the lowest one.
        threshold: f64,
    },
}

impl Schedule {
    /// [`Schedule::Plateau`] with PyTorch's threshold, 1e-4.
    pub fn plateau(factor: f64, patience: usize) -> Self {
        Schedule::Plateau {
            factor,
            patience,
            threshold: 1e-4,
        }
    }

    /// Exponential decay from `lr` to `min` in `epochs`: gamma = (min / lr)^(1 / epochs) (section 5.2).
    pub fn decay_to(min: f64, lr: f64, epochs: usize) -> Self {
        Schedule::Exponential {
            gamma: (min / lr).powf(1.0 / epochs.max(1) as f64),
        }
    }

    /// Whether the rate depends on the loss of an evaluation set.
    pub fn needs_losses(&self) -> bool {
        matches!(self, Schedule::Plateau { .. })
    }

    /// A scheduler for a first rate of `lr`; step it once per epoch.
    ///
    /// # Errors
    /// [`Error::Usage`] for constants outside their range, and for [`Schedule::Plateau`], which needs [`init_with`](Self::init_with).
    pub fn init(&self, lr: f64) -> Result<ModuleLrScheduler> {
        if self.needs_losses() {
            return Err(Error::Usage(format!(
                "{self:?} looks at the loss of an evaluation set, and there is none"
            )));
        }
        self.init_with(lr, &Losses::default())
    }

    /// A scheduler for a first rate of `lr`; step it once per epoch. [`Schedule::Plateau`] reads `losses` at each step, the others don't.
    ///
    /// # Errors
    /// [`Error::Usage`] for constants outside their range.
    pub fn init_with(&self, lr: f64, losses: &Losses) -> Result<ModuleLrScheduler> {
        self.validate(lr)?;
        Ok(ModuleLrScheduler::new(ByEpoch {
            schedule: *self,
            lr,
            epoch: 0,
            losses: losses.clone(),
        }))
    }

    /// The rate of each epoch of a training that had these losses on its first evaluation set, one per epoch.
    ///
    /// # Errors
    /// As [`init`](Self::init).
    pub fn rates(&self, lr: f64, losses: &[f64]) -> Result<Vec<f64>> {
        self.validate(lr)?;
        let epochs = 0..losses.len();
        Ok(epochs.map(|t| self.rate(lr, t, &losses[..t])).collect())
    }

    fn validate(&self, lr: f64) -> Result<()> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let fault = match *self {
            Schedule::Constant => None,
            Schedule::Exponential { gamma } => {
                (!(gamma > 0.0 && gamma <= 1.0)).then_some("the factor must lie in (0, 1]")
            }
            Schedule::Step { every: 0, .. } => Some("there must be an epoch between two drops"),
            Schedule::Step { gamma, .. } => {
                (!positive(gamma)).then_some("the factor must be a positive number")
            }
            Schedule::Cosine { epochs: 0, .. } => Some("the way down takes at least an epoch"),
            Schedule::Cosine { min, .. } => (!(0.0..=lr).contains(&min))
                .then_some("the lowest rate must lie between 0 and the first"),
            Schedule::Plateau {
                factor, threshold, ..
            } => (!(factor > 0.0 && factor < 1.0 && (0.0..1.0).contains(&threshold)))
                .then_some("the factor must lie in (0, 1), the threshold in [0, 1)"),
        };
        let fault = match positive(lr) {
            true => fault,
            false => Some("a learning rate is a positive number"),
        };
        fault.map_or(Ok(()), |fault| {
            Err(Error::Usage(format!(
                "learning rate {lr} with {self:?}: {fault}"
            )))
        })
    }

    /// The rate of epoch `t`, after epochs with these losses.
    fn rate(&self, lr: f64, t: usize, losses: &[f64]) -> f64 {
        let power = |base: f64, n: usize| base.powi(n.min(i32::MAX as usize) as i32);
        match *self {
            Schedule::Constant => lr,
            Schedule::Exponential { gamma } => lr * power(gamma, t),
            Schedule::Step { every, gamma } => lr * power(gamma, t / every),
            Schedule::Cosine { epochs, min } => {
                min + (lr - min) * (1.0 + (PI * t as f64 / epochs as f64).cos()) / 2.0
            }
            Schedule::Plateau {
                factor,
                patience,
                threshold,
            } => after_plateaus(lr, losses, factor, patience, threshold),
        }
    }
}

/// PyTorch's `ReduceLROnPlateau` with mode "min" and a relative threshold: the rate after epochs with these losses.
fn after_plateaus(lr: f64, losses: &[f64], factor: f64, patience: usize, threshold: f64) -> f64 {
    /// A drop by less than this is none (PyTorch's `eps`).
    const LEAST_DROP: f64 = 1e-8;
    let (mut rate, mut best, mut bad) = (lr, f64::INFINITY, 0);
    for loss in losses {
        if *loss < best * (1.0 - threshold) {
            (best, bad) = (*loss, 0);
        } else {
            bad += 1;
        }
        if bad > patience {
            if rate - rate * factor > LEAST_DROP {
                rate *= factor;
            }
            bad = 0;
        }
    }
    rate
}

/// The losses of the first evaluation set, one per epoch: the training loop writes them, [`Schedule::Plateau`] reads them.
#[derive(Clone, Debug, Default)]
pub struct Losses(Arc<Mutex<Vec<f64>>>);

impl Losses {
    /// Replaces the losses by those of the epochs so far.
    pub fn set(&self, losses: Vec<f64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = losses;
    }

    fn read<T>(&self, with: impl FnOnce(&[f64]) -> T) -> T {
        with(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A [`Schedule`] as Burn steps it.
#[derive(Clone)]
struct ByEpoch {
    schedule: Schedule,
    lr: f64,
    /// Of the next step, from 0.
    epoch: u64,
    losses: Losses,
}

impl LrScheduler for ByEpoch {
    fn step(&mut self) -> f64 {
        let (epoch, lr) = (self.epoch as usize, self.lr);
        self.epoch += 1;
        self.losses
            .read(|losses| self.schedule.rate(lr, epoch, losses))
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("epoch", self.epoch)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(epoch) = record.scalar("epoch") {
            self.epoch = epoch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_outside_their_range_are_an_error() {
        let cosine = |min: f64, epochs: usize| Schedule::Cosine { epochs, min };
        let wrong = [
            Schedule::Exponential { gamma: 1.5 },
            Schedule::Exponential { gamma: f64::NAN },
            Schedule::Step {
                every: 0,
                gamma: 0.1,
            },
            Schedule::Step {
                every: 1,
                gamma: -0.1,
            },
            cosine(0.0, 0),
            cosine(0.2, 1),
            cosine(f64::NAN, 1),
            Schedule::plateau(1.0, 1),
            Schedule::plateau(f64::NAN, 1),
        ];
        for schedule in wrong {
            let error = schedule.init_with(0.1, &Losses::default()).err().unwrap();
            assert_eq!(error.exit_code(), 2, "{schedule:?}");
        }
        for lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Schedule::Constant.rates(lr, &[1.0]).is_err(), "{lr}");
        }
        assert!(Schedule::Constant.rates(100.0, &[1.0]).is_ok());
    }

    #[test]
    fn a_decay_reaches_its_end() {
        let decay = Schedule::decay_to(1e-4, 0.1, 50);
        assert_eq!(
            decay,
            Schedule::Exponential {
                gamma: 0.001f64.powf(0.02)
            }
        );
        assert!((decay.rate(0.1, 50, &[]) - 1e-4).abs() < 1e-12);
    }

    #[test]
    fn a_loaded_record_goes_on_where_it_was_saved() {
        let schedule = Schedule::Exponential { gamma: 0.5 };
        let mut first = schedule.init(0.1).unwrap();
        let (_, _) = (first.step(), first.step());
        let resumed = schedule.init(0.1).unwrap();
        let mut resumed = resumed.load_record(first.to_record());
        assert_eq!(resumed.step().base(), first.step().base());
        assert_eq!(resumed.step().base(), 0.1 / 8.0);
    }
}
