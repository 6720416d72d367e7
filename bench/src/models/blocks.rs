//! Layers in the order in which most networks of the book have them.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{BatchNorm, BatchNormConfig};

/// A convolution with a square window and this much padding on each side.
pub fn conv(
    channels: [usize; 2],
    window: usize,
    stride: usize,
    bias: bool,
    device: &Device,
) -> Conv2d {
    let p = window / 2;
    Conv2dConfig::new(channels, [window, window])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .with_bias(bias)
        .init(device)
}

/// The largest of each 2x2 window.
pub fn halve() -> MaxPool2d {
    MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()
}

/// A convolution that keeps the size, batch norm, leaky ReLU.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    slope: f64,
}

impl ConvNorm {
    /// A 3x3 convolution from channels to channels.
    pub fn new(channels: [usize; 2], slope: f64, device: &Device) -> Self {
        Self {
            conv: conv(channels, 3, 1, true, device),
            norm: BatchNormConfig::new(channels[1]).init(device),
            slope,
        }
    }

    /// [batch, channels in, height, width] to [batch, channels out, height, width]
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm
            .forward_leaky_relu(self.conv.forward(x), self.slope)
    }
}
