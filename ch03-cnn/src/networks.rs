//! The three networks of the chapter. Images come in as [B, 1, 28, 28].

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::kernels::tanh;
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{Linear, LinearConfig};
use common::train::Network;

/// Pixels of a digit.
pub const PIXELS: usize = 28 * 28;
/// Digits.
pub const CLASSES: usize = 10;
/// Filters of the first layers.
pub const FILTERS: usize = 16;

/// A 3x3 convolution that keeps the size of the image: padding k / 2 = 1.
fn same_conv(inputs: usize, outputs: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([inputs, outputs], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(device)
}

/// The fully connected network to compare with: 784 -> 256 -> tanh -> 10, 203,530 parameters (section 3.4).
#[derive(Module, Debug)]
pub struct FullyConnected {
    hidden: Linear,
    output: Linear,
}

impl FullyConnected {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(PIXELS, 256).init(device),
            output: LinearConfig::new(256, CLASSES).init(device),
        }
    }
}

impl Network for FullyConnected {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = images.flatten::<2>(1, 3); // [B, 784]
        let h = tanh(self.hidden.forward(x)); // [B, 256]
        self.output.forward(h) // [B, 10]
    }
}

/// One convolution, then a linear layer: 125,610 parameters (section 3.4).
#[derive(Module, Debug)]
pub struct SimpleCnn {
    conv: Conv2d,
    output: Linear,
}

impl SimpleCnn {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        Self {
            conv: same_conv(1, FILTERS, device),
            output: LinearConfig::new(FILTERS * PIXELS, CLASSES).init(device),
        }
    }
}

impl Network for SimpleCnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = tanh(self.conv.forward(images)); // [B, 16, 28, 28]
        let x = x.flatten::<2>(1, 3); // [B, 12544]
        self.output.forward(x) // [B, 10]
    }
}

/// Six convolutions with a 2x2 max pool after the third and the sixth: 43,626 parameters (section 3.5).
#[derive(Module, Debug)]
pub struct PooledCnn {
    first: Vec<Conv2d>,
    second: Vec<Conv2d>,
    pool: MaxPool2d,
    output: Linear,
}

impl PooledCnn {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let (f, wide) = (FILTERS, 2 * FILTERS);
        let block = |inputs: usize, filters: usize| {
            let sizes = [(inputs, filters), (filters, filters), (filters, filters)];
            sizes.map(|(i, o)| same_conv(i, o, device)).to_vec()
        };
        Self {
            first: block(1, f),
            second: block(f, wide),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            output: LinearConfig::new(wide * 7 * 7, CLASSES).init(device),
        }
    }
}

impl PooledCnn {
    /// What the last layer sees: images [B, 1, 28, 28] as 32 maps of what the filters have found, [B, 32, 7, 7].
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let mut x = images;
        for conv in &self.first {
            x = tanh(conv.forward(x)); // [B, 16, 28, 28]
        }
        x = self.pool.forward(x); // [B, 16, 14, 14]
        for conv in &self.second {
            x = tanh(conv.forward(x)); // [B, 32, 14, 14]
        }
        self.pool.forward(x) // [B, 32, 7, 7]
    }

    /// Scores for each digit, from [`features`](Self::features).
    pub fn scores(&self, features: Tensor<4>) -> Tensor<2> {
        self.output.forward(features.flatten::<2>(1, 3)) // [B, 10]
    }
}

impl Network for PooledCnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.scores(self.features(images))
    }
}
