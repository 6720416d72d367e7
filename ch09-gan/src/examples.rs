//! Data sets as rows of values.

use burn::tensor::{Device, Tensor};
use common::data::{Images, Points};

/// Examples to be imitated.
pub trait Examples {
    /// Number of examples.
    fn count(&self) -> usize;

    /// The examples with these numbers: `[indices, values]`.
    fn rows(&self, indices: &[usize], device: &Device) -> Tensor<2>;

    /// Their classes.
    fn classes(&self, indices: &[usize]) -> Vec<u8>;
}

impl Examples for Images {
    fn count(&self) -> usize {
        self.len()
    }

    fn rows(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        self.tensor(indices, device).flatten(1, 3)
    }

    fn classes(&self, indices: &[usize]) -> Vec<u8> {
        indices.iter().map(|i| self.label(*i)).collect()
    }
}

impl Examples for Points {
    fn count(&self) -> usize {
        self.len()
    }

    fn rows(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        self.tensor(indices, device)
    }

    fn classes(&self, indices: &[usize]) -> Vec<u8> {
        indices.iter().map(|i| self.labels[*i]).collect()
    }
}
