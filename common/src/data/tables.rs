//! Rows of numbers in memory: features with class labels, and inputs with regression targets.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Points of a feature space with a class each: features [n, dim], row-major.
#[derive(Clone, Debug)]
pub struct Points {
    /// The coordinates of all points, one point after the other.
    pub features: Vec<f32>,
    /// Coordinates of a point.
    pub dim: usize,
    /// The class of each point.
    pub labels: Vec<u8>,
    /// Number of classes.
    pub classes: usize,
}

impl Points {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The coordinates of point `i`.
    ///
    /// # Panics
    /// If there is no point `i`.
    pub fn point(&self, i: usize) -> &[f32] {
        &self.features[i * self.dim..(i + 1) * self.dim]
    }

    /// The first `n` points, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self {
            features: self.features[..n * self.dim].to_vec(),
            labels: self.labels[..n].to_vec(),
            ..*self
        }
    }

    /// The points with these numbers, in this order.
    ///
    /// # Panics
    /// If there is no point of one of these numbers.
    pub fn subset(&self, indices: &[usize]) -> Self {
        let points = indices.iter().flat_map(|&i| self.point(i));
        Self {
            features: points.copied().collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
            ..*self
        }
    }

    /// The points with these numbers: [indices, dim].
    ///
    /// # Panics
    /// If there is no point of one of these numbers.
    pub fn tensor(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        rows_tensor(&self.features, self.dim, indices, device)
    }

    /// The classes of the points with these numbers: \[indices\].
    ///
    /// # Panics
    /// If there is no point of one of these numbers.
    pub fn labels_tensor(&self, indices: &[usize], device: &Device) -> Tensor<1, Int> {
        labels_tensor(&self.labels, indices, device)
    }
}

/// Inputs [n, input_dim] and regression targets [n, target_dim], row-major.
#[derive(Clone, Debug)]
pub struct Regression {
    /// All inputs, one row after the other.
    pub inputs: Vec<f32>,
    /// All targets, one row after the other.
    pub targets: Vec<f32>,
    /// Numbers in an input.
    pub input_dim: usize,
    /// Numbers in a target.
    pub target_dim: usize,
}

impl Regression {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.inputs.len() / self.input_dim.max(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The first `n` rows, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self {
            inputs: self.inputs[..n * self.input_dim].to_vec(),
            targets: self.targets[..n * self.target_dim].to_vec(),
            ..*self
        }
    }

    /// The inputs of the rows with these numbers: [indices, input_dim].
    ///
    /// # Panics
    /// If there is no row of one of these numbers.
    pub fn tensor(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        rows_tensor(&self.inputs, self.input_dim, indices, device)
    }

    /// The targets of the rows with these numbers: [indices, target_dim].
    ///
    /// # Panics
    /// If there is no row of one of these numbers.
    pub fn targets_tensor(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        rows_tensor(&self.targets, self.target_dim, indices, device)
    }
}

fn rows_tensor(rows: &[f32], dim: usize, indices: &[usize], device: &Device) -> Tensor<2> {
    let mut values = Vec::with_capacity(indices.len() * dim);
    for &i in indices {
        values.extend_from_slice(&rows[i * dim..(i + 1) * dim]);
    }
    Tensor::from_data(TensorData::new(values, [indices.len(), dim]), device)
}

/// The labels with these numbers: \[indices\].
pub(super) fn labels_tensor(labels: &[u8], indices: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = indices.iter().map(|&i| i32::from(labels[i])).collect();
    Tensor::from_data(TensorData::new(values, [indices.len()]), device)
}
