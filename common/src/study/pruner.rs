//! When to give a trial up.

use serde::{Deserialize, Serialize};

use super::{Direction, State, Trial};

/// When a study gives a trial up before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pruner {
    /// Never.
    None,
    /// When the best of the trial's reports so far is worse than the median of what the trials that came to their end reported at the same
    /// step. Optuna's `MedianPruner`.
    Median {
        /// Trials that must have come to their end before, 5 in Optuna.
        startup: usize,
    },
}

impl Pruner {
    /// The pruner that Optuna takes by itself.
    pub fn median() -> Self {
        Pruner::Median { startup: 5 }
    }

    /// Whether `trial` should be given up after its last report, which has been made.
    pub(super) fn gives_up(&self, trial: &Trial, others: &[Trial], direction: Direction) -> bool {
        let Pruner::Median { startup } = *self else {
            return false;
        };
        let Some(step) = trial.steps.len().checked_sub(1) else {
            return false;
        };
        let complete = || others.iter().filter(|t| t.state == State::Complete);
        if complete().count() < startup {
            return false;
        }
        let reports = complete().filter_map(|t| t.steps.get(step).copied().flatten());
        let Some(median) = median(reports.collect()) else {
            return false;
        };
        let numbers = trial.steps.iter().copied().flatten();
        let best = numbers.reduce(|best, next| direction.best(best, next));
        // A trial that has reported no number at all is given up.
        best.is_none_or(|best| direction.better(median, best))
    }
}

/// The middle value, or the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(state: State, steps: &[f64]) -> Trial {
        Trial {
            number: 0,
            parameters: Default::default(),
            steps: steps.iter().map(|v| v.is_finite().then_some(*v)).collect(),
            state,
            value: None,
        }
    }

    /// Three trials whose second reports are 1, 2 and 9, and one that was pruned.
    fn others() -> Vec<Trial> {
        let mut others: Vec<Trial> = [1.0, 2.0, 9.0]
            .iter()
            .map(|v| trial(State::Complete, &[5.0, *v]))
            .collect();
        others.push(trial(State::Pruned, &[5.0, 100.0]));
        others
    }

    fn gives_up(steps: &[f64], direction: Direction) -> bool {
        let running = trial(State::Running, steps);
        Pruner::Median { startup: 3 }.gives_up(&running, &others(), direction)
    }

    #[test]
    fn a_trial_worse_than_the_median_is_given_up() {
        assert!(gives_up(&[8.0, 2.1], Direction::Minimize));
        assert!(!gives_up(&[8.0, 2.0], Direction::Minimize));
        assert!(gives_up(&[1.0, 1.9], Direction::Maximize));
        assert!(!gives_up(&[1.0, 2.0], Direction::Maximize));
    }

    #[test]
    fn the_best_report_so_far_counts() {
        assert!(!gives_up(&[0.5, 99.0], Direction::Minimize));
        assert!(!gives_up(&[3.0, 0.0], Direction::Maximize));
    }

    #[test]
    fn without_enough_trials_or_reports_nothing_is_given_up() {
        let bad = trial(State::Running, &[8.0, 99.0]);
        let few = Pruner::Median { startup: 4 };
        assert!(!few.gives_up(&bad, &others(), Direction::Minimize));
        assert!(!gives_up(&[], Direction::Minimize));
        assert!(
            !gives_up(&[9.0, 9.0, 9.0], Direction::Minimize),
            "no other has a third report"
        );
        assert!(!Pruner::None.gives_up(&bad, &others(), Direction::Minimize));
    }

    #[test]
    fn reports_that_are_no_numbers_are_worse_than_any() {
        assert!(gives_up(&[f64::NAN, f64::NAN], Direction::Maximize));
        assert!(!gives_up(&[3.0, f64::NAN], Direction::Maximize));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
