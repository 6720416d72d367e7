//! Networks with skips: 6.9, 13.1 and 14.6.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use ch06_design::deep::ResidualCnn;
use ch14_advanced::residual::{ResidualNet, Style};
use common::kernels::{global_avg_pool, relu};
use common::nn::conv::Conv2d;
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::Network;

use super::blocks::conv;
use super::classifier;

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

classifier!(ResidualCnn, 4, |device| ResidualCnn::new(device));
classifier!(ResidualNet, 4, |device| ResidualNet::new(
    Style::ReZero,
    device
));

/// Two 3x3 convolutions with batch norm beside a shortcut, ResNet-18's block. It strides in the first convolution.
#[derive(Module, Debug)]
struct Block {
    conv_1: Conv2d,
    norm_1: BatchNorm,
    conv_2: Conv2d,
    norm_2: BatchNorm,
    shortcut: Option<Conv2d>,
    shortcut_norm: Option<BatchNorm>,
}

impl Block {
    fn new(inputs: usize, outputs: usize, stride: usize, device: &Device) -> Self {
        let changes = stride > 1 || inputs != outputs;
        Self {
            conv_1: conv([inputs, outputs], 3, stride, false, device),
            norm_1: norm(outputs, device),
            conv_2: conv([outputs, outputs], 3, 1, false, device),
            norm_2: norm(outputs, device),
            shortcut: changes.then(|| conv([inputs, outputs], 1, stride, false, device)),
            shortcut_norm: changes.then(|| norm(outputs, device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let f = self.conv_1.forward(x.clone());
        let f = self.conv_2.forward(self.norm_1.forward_leaky_relu(f, 0.0));
        let s = match (&self.shortcut, &self.shortcut_norm) {
            (Some(conv), Some(norm)) => norm.forward(conv.forward(x)),
            _ => x,
        };
        relu(s + self.norm_2.forward(f))
    }
}

/// ResNet-18 with two classes: 11,177,538 parameters (section 13.1).
#[derive(Module, Debug)]
pub struct ResNet18 {
    conv: Conv2d,
    norm: BatchNorm,
    pool: MaxPool2d,
    blocks: Vec<Block>,
    output: Linear,
}

impl Network for ResNet18 {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.norm.forward_leaky_relu(self.conv.forward(images), 0.0); // [B, 64, H/2, W/2]
        let x = self.pool.forward(x); // [B, 64, H/4, W/4]
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [B, 512, H/32, W/32]
        self.output.forward(global_avg_pool(x)) // [B, 2]
    }
}

classifier!(ResNet18, 4, |device| {
    let block = |inputs, outputs, stride| Block::new(inputs, outputs, stride, device);
    let stage = |inputs, outputs| [block(inputs, outputs, 2), block(outputs, outputs, 1)];
    let first = [block(64, 64, 1), block(64, 64, 1)];
    ResNet18 {
        conv: conv([3, 64], 7, 2, false, device),
        norm: norm(64, device),
        pool: MaxPool2dConfig::new([3, 3])
            .with_strides([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(),
        blocks: [first, stage(64, 128), stage(128, 256), stage(256, 512)].concat(),
        output: LinearConfig::new(512, 2).init(device),
    }
});
