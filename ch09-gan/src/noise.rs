//! Random numbers for the game, each batch from a seed of its own: a training that was stopped anywhere goes on as if it had not been.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A source of noise.
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// The source of this seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Rows of numbers from N(0, 1): `[rows, width]`.
    pub fn normal(&mut self, rows: usize, width: usize, device: &Device) -> Tensor<2> {
        let values = (0..rows * width).map(|_| StandardNormal.sample(&mut self.0));
        let values: Vec<f32> = values.collect();
        Tensor::from_data(TensorData::new(values, [rows, width]), device)
    }

    /// Numbers from U(0, 1): `[rows, 1]`.
    pub fn uniform(&mut self, rows: usize, device: &Device) -> Tensor<2> {
        let values: Vec<f32> = (0..rows).map(|_| self.0.random()).collect();
        Tensor::from_data(TensorData::new(values, [rows, 1]), device)
    }
}
