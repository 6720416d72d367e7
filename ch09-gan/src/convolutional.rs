//! The convolutional players (section 9.4). Both see digits of 28 x 28 as rows of 784 values.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::{adaptive_avg_pool2d, sigmoid};
use common::nn::conv::Conv2d;
use common::nn::pool::{AvgPool2d, AvgPool2dConfig};
use common::nn::{Linear, LinearConfig};

use crate::layers::{ConvBlock, GrowBlock, LeakyRelu, conv};
use crate::players::{Discriminator, Generator};
use crate::tangent::{Dual, Tangent};

/// Channels and side of the small picture that the noise is taken for.
const SEED: [usize; 3] = [16, 7, 7];

fn through(blocks: &[ConvBlock], x: Tensor<4>) -> Tensor<4> {
    blocks.iter().fold(x, |x, block| block.forward(x))
}

/// Noise to a digit: the noise is a picture of 16 x 7 x 7, which grows twice. 156,465 parameters.
#[derive(Module, Debug)]
pub struct ConvGenerator {
    first: Vec<ConvBlock>,
    grow_1: GrowBlock,
    second: Vec<ConvBlock>,
    grow_2: GrowBlock,
    third: Vec<ConvBlock>,
    output: Conv2d,
}

impl ConvGenerator {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let same = |inputs, outputs, side| ConvBlock::new([inputs, outputs], 5, side, device);
        Self {
            first: vec![same(16, 32, 7), same(32, 32, 7), same(32, 32, 7)],
            grow_1: GrowBlock::new([32, 16], 14, device),
            second: vec![same(16, 16, 14), same(16, 16, 14)],
            grow_2: GrowBlock::new([16, 8], 28, device),
            third: vec![same(8, 8, 28), same(8, 8, 28)],
            output: conv([8, 1], 5, device),
        }
    }
}

impl Generator for ConvGenerator {
    fn noise_size(&self) -> usize {
        SEED.iter().product()
    }

    fn generate(&self, z: Tensor<2>, _classes: Option<&[u8]>) -> Tensor<2> {
        let [batch, _] = z.dims();
        let [channels, height, width] = SEED;
        let x = z.reshape([batch, channels, height, width]); // [B, 16, 7, 7]
        let x = through(&self.first, x); // [B, 32, 7, 7]
        let x = through(&self.second, self.grow_1.forward(x)); // [B, 16, 14, 14]
        let x = through(&self.third, self.grow_2.forward(x)); // [B, 8, 28, 28]
        sigmoid(self.output.forward(x)).flatten(1, 3) // [B, 784]
    }
}

/// A digit to a score. 359,521 parameters.
#[derive(Module, Debug)]
pub struct ConvDiscriminator {
    first: Vec<ConvBlock>,
    second: Vec<ConvBlock>,
    third: Vec<ConvBlock>,
    halve: AvgPool2d,
    hidden: Linear,
    output: Linear,
}

impl ConvDiscriminator {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let same = |inputs, window, side| ConvBlock::new([inputs, 32], window, side, device);
        Self {
            first: vec![same(1, 5, 28), same(32, 5, 28)],
            second: vec![same(32, 5, 14), same(32, 5, 14)],
            third: vec![same(32, 3, 7), same(32, 3, 7)],
            halve: AvgPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            hidden: LinearConfig::new(512, 256).init(device),
            output: LinearConfig::new(256, 1).init(device),
        }
    }
}

impl Discriminator for ConvDiscriminator {
    fn score(&self, x: Tensor<2>, _classes: Option<&[u8]>) -> Tensor<2> {
        let [batch, _] = x.dims();
        let x = x.reshape([batch, 1, 28, 28]);
        let x = self.halve.forward(through(&self.first, x)); // [B, 32, 14, 14]
        let x = self.halve.forward(through(&self.second, x)); // [B, 32, 7, 7]
        let x = adaptive_avg_pool2d(through(&self.third, x), [4, 4]); // [B, 32, 4, 4]
        let x = self.hidden.forward(x.flatten(1, 3)); // [B, 256]
        self.output.forward(LeakyRelu.forward(x)) // [B, 1]
    }

    fn score_with_tangent(&self, x: Dual<2>, _classes: Option<&[u8]>) -> Dual<2> {
        let [batch, _] = x.value.dims();
        let through = |blocks: &[ConvBlock], x: Dual<4>| {
            let step = |x, block: &ConvBlock| block.forward_with_tangent(x);
            blocks.iter().fold(x, step)
        };
        let x = x.map(|x| x.reshape([batch, 1, 28, 28]));
        let x = self.halve.forward_with_tangent(through(&self.first, x)); // [B, 32, 14, 14]
        let x = self.halve.forward_with_tangent(through(&self.second, x)); // [B, 32, 7, 7]
        let x = through(&self.third, x).map(|x| adaptive_avg_pool2d(x, [4, 4])); // [B, 32, 4, 4]
        let x = self.hidden.forward_with_tangent(x.map(|x| x.flatten(1, 3))); // [B, 256]
        self.output
            .forward_with_tangent(LeakyRelu.forward_with_tangent(x)) // [B, 1]
    }
}
