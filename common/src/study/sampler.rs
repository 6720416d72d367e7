//! What to try next.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Parameter, Range, State, Trial};
use crate::seed::mix;
use crate::{Error, Result};

/// How a study chooses the parameters of its next trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Each parameter from its range, whatever came before.
    Random,
    /// Tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization"), each parameter by itself.
    ///
    /// The best tenth of the trials and the rest give two densities l(x) and g(x), each a mixture of normal distributions around the values
    /// that were tried. Of 24 values drawn from l the one with the greatest l(x) / g(x) is tried next. The crate `tpe` does it.
    Tpe {
        /// Trials drawn at random before that, 10 in Optuna.
        startup: usize,
    },
}

impl Sampler {
    /// The sampler that Optuna takes by itself.
    pub fn tpe() -> Self {
        Sampler::Tpe { startup: 10 }
    }

    /// A value of each parameter for trial `number`. `ranked` are the trials before it, the best first.
    pub(super) fn draw(
        &self,
        space: &[Parameter],
        ranked: &[&Trial],
        seed: u64,
        number: usize,
    ) -> Result<Vec<f64>> {
        let mut rng = ChaCha8Rng::seed_from_u64(mix(seed, number as u64));
        let mut value = |parameter: &Parameter| {
            let part = match *self {
                Sampler::Tpe { startup } if ranked.len() >= startup.max(1) => {
                    parzen(&parameter.name, &parameter.range, ranked, &mut rng)?
                }
                _ => rng.random::<f64>(),
            };
            Ok(parameter.range.at(part))
        };
        space.iter().map(&mut value).collect()
    }
}

/// Asks the Parzen estimator for a part of `range`, 0 to 1.
fn parzen(name: &str, range: &Range, ranked: &[&Trial], rng: &mut ChaCha8Rng) -> Result<f64> {
    let failed = |why: String| Error::Training(format!("search for {name}: {why}"));
    let unit = tpe::range(0.0, 1.0).map_err(|error| failed(error.to_string()))?;
    let mut estimator = tpe::TpeOptimizer::new(tpe::parzen_estimator(), unit);
    for (rank, trial) in ranked.iter().enumerate() {
        // The estimator's interval does not have its upper end.
        let part = range.part(trial.get(name)).min(1.0 - f64::EPSILON);
        let told = estimator.tell(part, rank as f64);
        told.map_err(|error| failed(error.to_string()))?;
    }
    estimator
        .ask(rng)
        .map_err(|error| failed(error.to_string()))
}

/// The trials told so far, the best first, as Optuna ranks them: those that came to their end by value, then the pruned ones, those that
/// lasted longer first. What gave no number is last.
pub(super) fn ranked(trials: &[Trial], better: impl Fn(f64, f64) -> bool) -> Vec<&Trial> {
    let of = |state: State| trials.iter().filter(move |trial| trial.state == state);
    let order = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) if better(a, b) => std::cmp::Ordering::Less,
        (Some(a), Some(b)) if better(b, a) => std::cmp::Ordering::Greater,
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        _ => std::cmp::Ordering::Equal,
    };
    let mut complete: Vec<&Trial> = of(State::Complete).collect();
    complete.sort_by(|a, b| order(a.value, b.value));
    let mut pruned: Vec<&Trial> = of(State::Pruned).collect();
    pruned.sort_by(|a, b| {
        let longer = b.steps.len().cmp(&a.steps.len());
        longer.then(order(a.last_step(), b.last_step()))
    });
    complete.extend(pruned);
    complete
}
