//! The networks of skip connections and residual blocks (sections 6.3 and 6.5). Images come in as [B, 1, 28, 28].

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::leaky_relu;
use common::nn::conv::Conv2d;
use common::nn::pool::MaxPool2d;
use common::nn::{Linear, LinearConfig};
use common::train::Network;

use crate::layers::{SLOPE, conv};
use crate::networks::{CLASSES, FILTERS, NEURONS, PIXELS, halve, scores};
use crate::residual::{ResidualBlockE, ResidualBottleNeck};
use crate::skip::{SkipConv2d, SkipFc};

/// Three [`SkipFc`] of two layers, 784 -> 256 -> 256 -> 256, and a linear layer: 1,086,266 parameters (6.6).
#[derive(Module, Debug)]
pub struct SkipMlp {
    blocks: Vec<SkipFc>,
    output: Linear,
}

impl SkipMlp {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let inputs = [PIXELS, NEURONS, NEURONS];
        let blocks = inputs.map(|inputs| SkipFc::new(2, inputs, NEURONS, device));
        Self {
            blocks: blocks.into(),
            output: LinearConfig::new(NEURONS, CLASSES).init(device),
        }
    }
}

impl Network for SkipMlp {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images.flatten::<2>(1, 3); // [B, 784]
        for block in &self.blocks {
            x = block.forward(x); // [B, 256]
        }
        self.output.forward(x) // [B, 10]
    }
}

/// A convolution, a [`SkipConv2d`] of three layers in each of two stages and one of two layers in the third: 636,362
/// parameters (6.7).
#[derive(Module, Debug)]
pub struct SkipCnn {
    first: Conv2d,
    blocks: Vec<SkipConv2d>,
    pool: MaxPool2d,
    output: Linear,
}

impl SkipCnn {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let [one, two, four] = [FILTERS, 2 * FILTERS, 4 * FILTERS];
        let sizes = [(3, one, two), (3, two, four), (2, four, four)];
        Self {
            first: conv([1, FILTERS], 3, device),
            blocks: sizes
                .map(|(layers, inputs, outputs)| SkipConv2d::new(layers, inputs, outputs, device))
                .into(),
            pool: halve(),
            output: scores(device),
        }
    }
}

impl Network for SkipCnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = self.first.forward(images); // [B, 32, 28, 28]
        for (stage, block) in self.blocks.iter().enumerate() {
            x = block.forward(x); // [B, 64, 28, 28]; 128, 14, 14; 128, 7, 7
            if stage < 2 {
                x = self.pool.forward(x);
            }
            if stage == 0 {
                // The book has one more rectifier here, with PyTorch's slope.
                x = leaky_relu(x, 0.01);
            }
        }
        self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
    }
}

/// In each of three stages a [`ResidualBottleNeck`], which doubles the channels, and a [`ResidualBlockE`], a leaky rectifier behind each:
/// 525,412 parameters (6.9).
#[derive(Module, Debug)]
pub struct ResidualCnn {
    stages: Vec<(ResidualBottleNeck, ResidualBlockE)>,
    pool: MaxPool2d,
    output: Linear,
}

impl ResidualCnn {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let [one, two, four] = [FILTERS, 2 * FILTERS, 4 * FILTERS];
        let stage = |(inputs, outputs)| {
            (
                ResidualBottleNeck::new(inputs, outputs, device),
                ResidualBlockE::new(outputs, device),
            )
        };
        Self {
            stages: [(1, one), (one, two), (two, four)].map(stage).into(),
            pool: halve(),
            output: scores(device),
        }
    }
}

impl Network for ResidualCnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let act = |x| leaky_relu(x, SLOPE);
        let mut x = images;
        for (stage, (bottleneck, block)) in self.stages.iter().enumerate() {
            if stage > 0 {
                x = self.pool.forward(x);
            }
            x = act(block.forward(act(bottleneck.forward(x)))); // [B, 32, 28, 28]; 64, 14, 14; 128, 7, 7
        }
        self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
    }
}
