//! What is searched: a name and a range.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The values that a parameter may take. Samplers see each range as the interval from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// Any number between two.
    Uniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Any positive number between two, all orders of magnitude equally likely: exp U(ln low, ln high).
    LogUniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// A whole number.
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
}

impl Range {
    /// The value at `part` of the range, from 0 (low) to 1 (high). Each whole number has an equal share.
    pub(super) fn at(&self, part: f64) -> f64 {
        let part = part.clamp(0.0, 1.0);
        match *self {
            Range::Uniform { low, high } => (low + part * (high - low)).clamp(low, high),
            Range::LogUniform { low, high } => {
                let (from, to) = (low.ln(), high.ln());
                (from + part * (to - from)).exp().clamp(low, high)
            }
            Range::Integer { low, high } => {
                let (low, high) = (low as f64, high as f64);
                (low + (part * (high - low + 1.0)).floor()).min(high)
            }
        }
    }

    /// Where in the range a value lies, 0 to 1; a whole number lies in the middle of its share.
    pub(super) fn part(&self, value: f64) -> f64 {
        let part = match *self {
            Range::Uniform { low, high } => (value - low) / (high - low),
            Range::LogUniform { low, high } => (value / low).ln() / (high / low).ln(),
            Range::Integer { low, high } => {
                (value - low as f64 + 0.5) / (high as f64 - low as f64 + 1.0)
            }
        };
        part.clamp(0.0, 1.0)
    }

    /// Whether a value belongs to it.
    pub(super) fn contains(&self, value: f64) -> bool {
        match *self {
            Range::Uniform { low, high } | Range::LogUniform { low, high } => {
                (low..=high).contains(&value)
            }
            Range::Integer { low, high } => {
                value.fract() == 0.0 && (low as f64..=high as f64).contains(&value)
            }
        }
    }

    /// Whether figures should have a logarithmic axis for it.
    pub(super) fn is_logarithmic(&self) -> bool {
        matches!(self, Range::LogUniform { .. })
    }
}

/// A named range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name, as in the figures.
    pub name: String,
    /// Its values.
    pub range: Range,
}

impl Parameter {
    /// A number between `low` and `high`.
    pub fn uniform(name: &str, low: f64, high: f64) -> Self {
        Self::new(name, Range::Uniform { low, high })
    }

    /// A positive number between `low` and `high`, on a logarithmic scale.
    pub fn log_uniform(name: &str, low: f64, high: f64) -> Self {
        Self::new(name, Range::LogUniform { low, high })
    }

    /// A whole number from `low` to `high`, both included.
    pub fn integer(name: &str, low: i64, high: i64) -> Self {
        Self::new(name, Range::Integer { low, high })
    }

    fn new(name: &str, range: Range) -> Self {
        let name = name.to_string();
        Self { name, range }
    }

    /// # Errors
    /// [`Error::Usage`] for a range without values.
    pub(super) fn validate(&self) -> Result<()> {
        // Beyond 2^53 neighbouring whole numbers are one f64.
        const MOST: i64 = 1 << 53;
        let sound = match self.range {
            Range::Uniform { low, high } => low < high && (high - low).is_finite(),
            Range::LogUniform { low, high } => 0.0 < low && low < high && high.is_finite(),
            Range::Integer { low, high } => -MOST <= low && low <= high && high <= MOST,
        };
        match sound {
            true => Ok(()),
            false => Err(Error::Usage(format!(
                "{}: nothing can be drawn from {:?}",
                self.name, self.range
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_values_correspond() {
        let ranges = [
            Range::Uniform {
                low: -10.0,
                high: 10.0,
            },
            Range::LogUniform {
                low: 1e-6,
                high: 1e2,
            },
            Range::Integer { low: 1, high: 6 },
        ];
        for range in ranges {
            for i in 0..=100 {
                let value = range.at(f64::from(i) / 100.0);
                assert!(range.contains(value), "{range:?}: {value}");
                let again = range.at(range.part(value));
                assert!(
                    (again - value).abs() <= 1e-12 * value.abs().max(1.0),
                    "{range:?}"
                );
            }
        }
        let middle = Range::LogUniform {
            low: 1e-4,
            high: 1.0,
        };
        assert!((middle.at(0.5) - 1e-2).abs() < 1e-15);
    }

    #[test]
    fn whole_numbers_are_equally_likely() {
        let die = Range::Integer { low: 1, high: 6 };
        let mut count = [0; 6];
        for i in 0..600 {
            count[die.at((f64::from(i) + 0.5) / 600.0) as usize - 1] += 1;
        }
        assert_eq!(count, [100; 6]);
    }

    #[test]
    fn empty_ranges_are_refused() {
        let wrong = [
            Parameter::uniform("x", 1.0, 1.0),
            Parameter::uniform("x", f64::NAN, 1.0),
            Parameter::uniform("x", f64::MIN, f64::MAX),
            Parameter::log_uniform("x", 0.0, 1.0),
            Parameter::log_uniform("x", 1.0, f64::INFINITY),
            Parameter::integer("x", 2, 1),
            Parameter::integer("x", i64::MIN, 0),
        ];
        for parameter in wrong {
            assert!(parameter.validate().is_err(), "{parameter:?}");
        }
        assert!(Parameter::integer("x", 3, 3).validate().is_ok());
    }
}
