//! How the objective depends on the parameters: a smooth surface through the trials, and what each parameter does to it.

use super::{State, Study, Trial};

/// Places at which a parameter is looked at.
const PLACES: usize = 21;

/// The objective between the trials, by kernel regression (Nadaraya 1964, Watson 1964): the mean of the trials' values, weighted by
/// exp(-d^2 / 2 w^2) of the distance d in the parameters that are looked at, each range counting as 1. The width w is half the distance that
/// the trials would have if they divided the cube evenly.
pub(super) struct Surface {
    width: f64,
    /// Position of each trial in the unit cube.
    trials: Vec<Vec<f64>>,
    values: Vec<f64>,
}

impl Surface {
    /// The surface over the parameters with these numbers.
    pub(super) fn over(study: &Study, parameters: &[usize]) -> Self {
        let place = |trial: &Trial| {
            let place = parameters.iter().map(|p| {
                let parameter = &study.space()[*p];
                parameter.range.part(trial.get(&parameter.name))
            });
            place.collect()
        };
        let (trials, values): (Vec<_>, Vec<_>) = study
            .complete()
            .map(|(trial, value)| (place(trial), value))
            .unzip();
        let dimensions = parameters.len().max(1) as f64;
        Self {
            width: 0.5 * (trials.len().max(1) as f64).powf(-1.0 / dimensions),
            trials,
            values,
        }
    }

    /// Its height at a place in the unit cube; NaN without trials.
    pub(super) fn at(&self, place: &[f64]) -> f64 {
        let distances = self.trials.iter().map(|trial| {
            let across = trial.iter().zip(place).map(|(a, b)| (a - b).powi(2));
            across.sum::<f64>()
        });
        let distances: Vec<f64> = distances.collect();
        // Relative to the nearest trial, so that far from all of them the nearest decides and nothing underflows.
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let weights = distances
            .iter()
            .map(|d| (-(d - nearest) / (2.0 * self.width * self.width)).exp());
        let (mut sum, mut total) = (0.0, 0.0);
        for (weight, value) in weights.zip(&self.values) {
            sum += weight * value;
            total += weight;
        }
        sum / total
    }
}

impl Study {
    /// How much each parameter matters, all together 1: the spread of the objective when that parameter alone is moved over its range and
    /// the others stay where the trials had them (partial dependence; Greenwell, Boehmke and McCarthy 2018). With few trials it is a
    /// hint, not a measurement. Zeros if nothing depends on anything, or no trial came to its end.
    pub fn importance(&self) -> Vec<(String, f64)> {
        let all: Vec<usize> = (0..self.space().len()).collect();
        let surface = Surface::over(self, &all);
        let spread = |parameter: usize| {
            let at = |place: usize| {
                let part = place as f64 / (PLACES - 1) as f64;
                let moved = surface.trials.iter().map(|trial| {
                    let mut trial = trial.clone();
                    trial[parameter] = part;
                    surface.at(&trial)
                });
                moved.sum::<f64>() / surface.trials.len() as f64
            };
            let curve: Vec<f64> = (0..PLACES).map(at).collect();
            let mean = curve.iter().sum::<f64>() / PLACES as f64;
            let variance = curve.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / PLACES as f64;
            if variance.is_finite() {
                variance.sqrt()
            } else {
                0.0
            }
        };
        let spreads: Vec<f64> = all.into_iter().map(spread).collect();
        let total: f64 = spreads.iter().sum();
        let share = |spread: f64| if total > 0.0 { spread / total } else { 0.0 };
        let names = self.space().iter().map(|parameter| parameter.name.clone());
        names.zip(spreads.into_iter().map(share)).collect()
    }

    /// How many trials ended in this state.
    pub fn count(&self, state: State) -> usize {
        let trials = self.trials().iter();
        trials.filter(|trial| trial.state == state).count()
    }
}
