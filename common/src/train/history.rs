//! The results table of a training: one row per epoch, with the book's columns.

use serde::{Deserialize, Serialize};

/// Begins the names of columns with numbers of the model itself.
pub(super) const OBSERVED: &str = "model ";

/// One row per epoch: `epoch` (from 0, as in the book), `total time` (seconds spent training, evaluation not counted),
/// `train loss`, `test loss`, `train accuracy`, `test accuracy`, ...
///
/// A loss is the unweighted mean of the losses of the batches; a training score is of the outputs produced during the epoch, in
/// training mode, while the weights change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    columns: Vec<String>,
    rows: Vec<Vec<Option<f64>>>, // JSON has no NaN: `None` stands for it
}

impl History {
    /// An empty table.
    pub fn new(columns: Vec<String>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds an epoch; `values` stand in the order of [`columns`](Self::columns).
    pub fn push(&mut self, values: &[f64]) {
        debug_assert_eq!(values.len(), self.columns.len());
        let row = values.iter().map(|v| v.is_finite().then_some(*v)).collect();
        self.rows.push(row);
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, a value per column; NaN where a value is not defined.
    pub fn rows(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        self.rows
            .iter()
            .map(|row| row.iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }

    /// How many epochs there are.
    pub fn epochs(&self) -> usize {
        self.rows.len()
    }

    /// Whether each row has a value per column, which a file edited by hand may not have.
    pub(super) fn is_table(&self) -> bool {
        self.rows.iter().all(|row| row.len() == self.columns.len())
    }

    /// Forgets all epochs after the first `epochs`.
    pub fn truncate(&mut self, epochs: usize) {
        self.rows.truncate(epochs);
    }

    /// Whether there is a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
    }

    /// The values of a column, an epoch each; empty if there is no such column.
    pub fn column(&self, name: &str) -> Vec<f64> {
        match self.columns.iter().position(|column| column == name) {
            Some(index) => self.rows().map(|row| row[index]).collect(),
            None => Vec::new(),
        }
    }

    /// The value of the first epoch; NaN if there is none.
    pub fn first(&self, name: &str) -> f64 {
        self.column(name).first().copied().unwrap_or(f64::NAN)
    }

    /// The value of the last epoch; NaN if there is none.
    pub fn last(&self, name: &str) -> f64 {
        self.column(name).last().copied().unwrap_or(f64::NAN)
    }

    /// The epoch (from 0) with the lowest value of a column, the earliest of several; none without a number.
    pub fn argmin(&self, name: &str) -> Option<usize> {
        let column = self.column(name);
        let numbers = column.iter().enumerate().filter(|(_, v)| v.is_finite());
        numbers
            .min_by(|a, b| a.1.total_cmp(b.1))
            .map(|(epoch, _)| epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_last_and_argmin() {
        let mut history = History::new(vec!["epoch".into(), "test loss".into()]);
        for (epoch, loss) in [0.5, 0.2, 0.2, f64::NAN].into_iter().enumerate() {
            history.push(&[epoch as f64, loss]);
        }
        assert_eq!(history.first("test loss"), 0.5);
        assert!(history.last("test loss").is_nan());
        assert_eq!(history.argmin("test loss"), Some(1));
        assert!(history.column("no such").is_empty());
        history.truncate(2);
        assert_eq!(history.last("test loss"), 0.2);
    }

    #[test]
    fn json_keeps_every_bit_and_nan() {
        let mut history = History::new(vec!["a".into(), "b".into()]);
        history.push(&[0.1 + 0.2, f64::NAN]);
        let text = serde_json::to_string(&history).unwrap();
        let back: History = serde_json::from_str(&text).unwrap();
        assert_eq!(
            back.column("a")[0].to_bits(),
            history.column("a")[0].to_bits()
        );
        assert!(back.column("b")[0].is_nan());
    }
}
