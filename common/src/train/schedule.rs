//! Learning-rate schedules: Burn's schedulers, stepped once per epoch as in the book.

use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::exponential::ExponentialLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::lr_scheduler::step::StepLrSchedulerConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the learning rate changes from epoch to epoch; epoch t counts from 0 and starts at the recipe's rate `lr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// lr
    #[default]
    Constant,
    /// lr gamma^t
    Exponential {
        /// Factor per epoch, in (0, 1].
        gamma: f64,
    },
    /// lr gamma^(t / every, rounded down)
    Step {
        /// Epochs between two drops.
        every: usize,
        /// Factor per drop.
        gamma: f64,
    },
    /// min + (lr - min) (1 + cos(pi t / epochs)) / 2
    Cosine {
        /// Epochs until `min` is reached.
        epochs: usize,
        /// The lowest rate.
        min: f64,
    },
}

impl Schedule {
    /// Burn's scheduler for a first rate of `lr`; step it once per epoch.
    ///
    /// # Errors
    /// [`Error::Usage`] for constants that Burn refuses, such as a rate outside (0, 1].
    pub fn init(&self, lr: f64) -> Result<ModuleLrScheduler> {
        let refused =
            |reason: String| Error::Usage(format!("learning rate {lr} with {self:?}: {reason}"));
        // Burn lets NaN through.
        let constant = match *self {
            Schedule::Constant => 0.0,
            Schedule::Exponential { gamma } | Schedule::Step { gamma, .. } => gamma,
            Schedule::Cosine { min, .. } => min,
        };
        if !(lr.is_finite() && constant.is_finite()) {
            return Err(refused("not a number".into()));
        }
        Ok(match *self {
            Schedule::Constant => ModuleLrScheduler::from(lr),
            Schedule::Exponential { gamma } => ExponentialLrSchedulerConfig::new(lr, gamma)
                .init()
                .map_err(refused)?,
            Schedule::Step { every, gamma } => StepLrSchedulerConfig::new(lr, every)
                .with_gamma(gamma)
                .init()
                .map_err(refused)?,
            Schedule::Cosine { epochs, min } => CosineAnnealingLrSchedulerConfig::new(lr, epochs)
                .with_min_lr(min)
                .init()
                .map_err(refused)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule, epochs: usize) -> Vec<f64> {
        let mut scheduler = schedule.init(0.1).unwrap();
        (0..epochs).map(|_| scheduler.step().base()).collect()
    }

    #[test]
    fn each_schedule_follows_its_formula() {
        let expect = |schedule: Schedule, formula: &dyn Fn(f64) -> f64| {
            for (t, rate) in rates(schedule, 7).into_iter().enumerate() {
                let want = formula(t as f64);
                assert!(
                    (rate - want).abs() < 1e-12,
                    "{schedule:?} at {t}: {rate} is not {want}"
                );
            }
        };
        expect(Schedule::Constant, &|_| 0.1);
        expect(Schedule::Exponential { gamma: 0.5 }, &|t| {
            0.1 * 0.5f64.powf(t)
        });
        let step = Schedule::Step {
            every: 3,
            gamma: 0.1,
        };
        expect(step, &|t| 0.1 * 0.1f64.powf((t / 3.0).floor()));
        let cosine = Schedule::Cosine {
            epochs: 10,
            min: 0.01,
        };
        expect(cosine, &|t| {
            0.01 + 0.09 * (1.0 + (std::f64::consts::PI * t / 10.0).cos()) / 2.0
        });
    }

    #[test]
    fn a_refused_rate_is_an_error() {
        assert!(Schedule::Exponential { gamma: 1.5 }.init(0.1).is_err());
    }
}
