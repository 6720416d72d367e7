//! Fully connected networks: 2.9, 5.1 and 7.4.

use burn::tensor::{Device, Tensor};
use ch02_fc::networks::MoonsMlp;
use ch05_training::networks::Mlp;
use ch07_autoencoder::autoencoders::DeepAutoencoder;
use common::Result;
use common::train::{Network, Optimizer, mean_squared_error};

use super::classifier;
use crate::exchange::Tensors;
use crate::workload::Workload;

classifier!(
    MoonsMlp,
    2,
    |device| MoonsMlp::new(device),
    (Optimizer::sgd().init(), 1e-3)
);

classifier!(
    Mlp,
    4,
    |device| Mlp::book(device),
    (Optimizer::sgd().init(), 0.1)
);

impl Workload for DeepAutoencoder {
    /// [B, 1, 28, 28]
    type Batch = Tensor<4>;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        DeepAutoencoder::wide(device)
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Tensor<4>> {
        tensors.float(&format!("x.{index}"), device)
    }

    fn loss(&self, x: &Tensor<4>) -> Tensor<1> {
        mean_squared_error(self.forward(x.clone()), x.clone().flatten(1, 3))
    }

    fn evaluate(&self, x: &Tensor<4>) {
        std::hint::black_box(self.forward(x.clone()));
    }
}
