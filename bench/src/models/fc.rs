//! Fully connected networks: 2.9, 5.1 and 7.4.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch02_fc::networks::MoonsMlp;
use ch05_training::networks::Mlp;
use common::Result;
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::{Optimizer, mean_squared_error};

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

/// A linear layer, batch norm, ReLU.
#[derive(Module, Debug)]
struct LinearNorm {
    linear: Linear,
    norm: BatchNorm,
}

/// The over-complete autoencoder, 784 -> four times 1568 -> back: 17,240,944 parameters (section 7.3).
#[derive(Module, Debug)]
pub struct Autoencoder {
    encoder: Vec<LinearNorm>,
    code: Linear,
    decoder: Vec<LinearNorm>,
    output: Linear,
}

impl Autoencoder {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let through = |layers: &[LinearNorm], x: Tensor<2>| {
            layers.iter().fold(x, |x, layer| {
                layer.norm.forward_leaky_relu(layer.linear.forward(x), 0.0) // [B, 1568]
            })
        };
        let code = self.code.forward(through(&self.encoder, x)); // [B, 1568]
        self.output.forward(through(&self.decoder, code)) // [B, 784]
    }
}

impl Workload for Autoencoder {
    type Batch = Tensor<2>;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        let (pixels, wide) = (784, 1568);
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let layer = |inputs| LinearNorm {
            linear: linear(inputs, wide),
            norm: BatchNormConfig::new(wide).init(device),
        };
        Self {
            encoder: vec![layer(pixels), layer(wide), layer(wide)],
            code: linear(wide, wide),
            decoder: vec![layer(wide), layer(wide), layer(wide)],
            output: linear(wide, pixels),
        }
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Tensor<2>> {
        tensors.float(&format!("x.{index}"), device)
    }

    fn loss(&self, x: &Tensor<2>) -> Tensor<1> {
        mean_squared_error(self.forward(x.clone()), x.clone())
    }

    fn evaluate(&self, x: &Tensor<2>) {
        std::hint::black_box(self.forward(x.clone()));
    }
}
