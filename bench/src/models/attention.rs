//! Attention over a bag of digits: 10.5, and the pooling that 12.7 shares.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use common::kernels::{leaky_relu, masked_softmax, matmul, tanh};
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::Network;

use super::classifier;

/// The average of states weighted by additive scores a = v^T tanh(W [h; c]) against a context c (section 10.2).
#[derive(Module, Debug)]
pub struct AttentionAvg {
    w: Linear,
    v: Linear,
}

impl AttentionAvg {
    /// For states of this width.
    pub fn new(width: usize, device: &Device) -> Self {
        Self {
            w: LinearConfig::new(2 * width, width).init(device),
            v: LinearConfig::new(width, 1).init(device),
        }
    }

    /// States [B, T, H], context [B, H] and which states count [B, T] to their average [B, H].
    pub fn forward(&self, h: Tensor<3>, context: Tensor<2>, valid: Tensor<2, Bool>) -> Tensor<2> {
        let context = context.unsqueeze_dim::<3>(1).expand(h.dims()); // [B, T, H]
        let pairs = Tensor::cat(vec![h.clone(), context], 2); // [B, T, 2H]
        let score = self.v.forward(tanh(self.w.forward(pairs))); // [B, T, 1]
        let weights = masked_softmax(score.swap_dims(1, 2), valid.bool_not().unsqueeze_dim(1)); // [B, 1, T]
        matmul(weights, h).squeeze_dim(1) // [B, H]
    }
}

/// A network per digit, attention over the digits of a bag, a classifier: 533,515 parameters (section 10.3).
#[derive(Module, Debug)]
pub struct BagNet {
    backbone: Vec<Linear>,
    attention: AttentionAvg,
    norm_1: BatchNorm,
    hidden: Linear,
    norm_2: BatchNorm,
    output: Linear,
}

fn act<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    leaky_relu(x, 0.01)
}

impl Network for BagNet {
    /// [B, T, 1, 28, 28]
    type Input = Tensor<5>;

    fn forward(&self, bags: Tensor<5>) -> Tensor<2> {
        let x = bags.flatten::<3>(2, 4); // [B, T, 784]
        let valid = x.clone().not_equal_elem(0.0).any_dim(2).squeeze_dim::<2>(2); // [B, T]
        let x = self
            .backbone
            .iter()
            .fold(x, |x, layer| act(layer.forward(x))); // [B, T, H]
        let mask = valid.clone().float().unsqueeze_dim::<3>(1); // [B, 1, T]
        let count = mask.clone().sum_dim(2).squeeze_dim::<2>(2); // [B, 1]
        let context = matmul(mask, x.clone()).squeeze_dim::<2>(1) / (count + 1e-10); // [B, H]
        let x = self
            .norm_1
            .forward(self.attention.forward(x, context, valid)); // [B, H]
        let x = self.norm_2.forward(act(self.hidden.forward(x))); // [B, H]
        self.output.forward(x) // [B, 10]
    }
}

classifier!(BagNet, 5, |device| {
    let width = 256;
    let linear = |inputs| LinearConfig::new(inputs, width).init(device);
    BagNet {
        backbone: vec![linear(784), linear(width), linear(width)],
        attention: AttentionAvg::new(width, device),
        norm_1: BatchNormConfig::new(width).init(device),
        hidden: linear(width),
        norm_2: BatchNormConfig::new(width).init(device),
        output: LinearConfig::new(width, 10).init(device),
    }
});
