//! Convolutional networks without skips: 3.5 and 6.4.

use burn::module::Module;
use burn::tensor::Tensor;
use ch03_cnn::networks::PooledCnn;
use common::nn::pool::MaxPool2d;
use common::nn::{Linear, LinearConfig};
use common::train::{Network, Optimizer};

use super::blocks::{ConvNorm, halve};
use super::classifier;

classifier!(
    PooledCnn,
    4,
    |device| PooledCnn::new(device),
    (Optimizer::sgd().init(), 1e-3)
);

/// Eight convolutions with batch norm and leaky ReLU: 396,426 parameters (section 6.2).
#[derive(Module, Debug)]
pub struct NormedCnn {
    first: Vec<ConvNorm>,
    second: Vec<ConvNorm>,
    third: Vec<ConvNorm>,
    pool: MaxPool2d,
    output: Linear,
}

impl Network for NormedCnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let through = |layers: &[ConvNorm], x| layers.iter().fold(x, |x, layer| layer.forward(x));
        let x = self.pool.forward(through(&self.first, images)); // [B, 32, 14, 14]
        let x = self.pool.forward(through(&self.second, x)); // [B, 64, 7, 7]
        let x = through(&self.third, x); // [B, 128, 7, 7]
        self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
    }
}

classifier!(NormedCnn, 4, |device| {
    let layer = |channels| ConvNorm::new(channels, 0.1, device);
    NormedCnn {
        first: vec![layer([1, 32]), layer([32, 32]), layer([32, 32])],
        second: vec![layer([32, 64]), layer([64, 64]), layer([64, 64])],
        third: vec![layer([64, 128]), layer([128, 128])],
        pool: halve(),
        output: LinearConfig::new(128 * 7 * 7, 10).init(device),
    }
});
