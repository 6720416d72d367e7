//! Residual blocks, plain and ReZero, and the deep network of 28 of them (section 14.2).

use burn::module::{Module, Param};
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::kernels::{global_avg_pool, relu};
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::Network;

use crate::networks::{CLASSES, FILTERS};

/// How a block adds to what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `relu(S(x) + F(x))`
    Plain,
    /// `S(x) + alpha relu(F(x))` with a learned alpha that is 0 at first (Bachlechner et al., 2020).
    ReZero,
}

/// A residual block: F is 3x3 convolution, batch norm, rectifier, 3x3 convolution of the block's stride, batch norm; S(x) = x, or a 1x1
/// convolution of the same stride and batch norm where channels or size change (section 14.2.1). No convolution has a bias.
///
/// With alpha = 0 a ReZero block is S alone: the network is shallow at first, and each block comes in as far as it helps.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    conv_1: Conv2d,
    norm_1: BatchNorm,
    conv_2: Conv2d,
    norm_2: BatchNorm,
    shortcut: Option<Conv2d>,
    shortcut_norm: Option<BatchNorm>,
    /// \[1\]
    alpha: Option<Param<Tensor<1>>>,
}

impl ResidualBlock {
    /// From channels to channels, every `stride`-th row and column.
    pub fn new(
        inputs: usize,
        outputs: usize,
        stride: usize,
        style: Style,
        device: &Device,
    ) -> Self {
        let conv = |inputs, window: usize, stride| {
            let p = window / 2;
            Conv2dConfig::new([inputs, outputs], [window, window])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                .with_bias(false)
                .init(device)
        };
        let norm = || BatchNormConfig::new(outputs).init(device);
        let changes = stride > 1 || inputs != outputs;
        Self {
            conv_1: conv(inputs, 3, 1),
            norm_1: norm(),
            conv_2: conv(outputs, 3, stride),
            norm_2: norm(),
            shortcut: changes.then(|| conv(inputs, 1, stride)),
            shortcut_norm: changes.then(norm),
            alpha: (style == Style::ReZero).then(|| Param::from_tensor(Tensor::zeros([1], device))),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs, height, width]`
    /// - output: `[batch, outputs, height / stride, width / stride]`, rounded up
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let f = self.conv_1.forward(x.clone()); // [B, outputs, H, W]
        let f = self.norm_1.forward_leaky_relu(f, 0.0);
        let f = self.conv_2.forward(f); // [B, outputs, H / stride, W / stride]
        let s = match (&self.shortcut, &self.shortcut_norm) {
            (Some(conv), Some(norm)) => norm.forward(conv.forward(x)),
            _ => x,
        };
        match &self.alpha {
            Some(alpha) => {
                s + alpha.val().unsqueeze::<4>() * self.norm_2.forward_leaky_relu(f, 0.0)
            }
            None => relu(s + self.norm_2.forward(f)),
        }
    }
}

/// Four stages of residual blocks, global average pooling and a linear layer. The first block of a stage changes the channels, to once,
/// twice, four and four times those of the first, and from the second stage on halves height and width.
///
/// At the book's size, 28 blocks: 1,181,194 parameters; 1,181,222 with an alpha in each block.
#[derive(Module, Debug)]
pub struct ResidualNet {
    blocks: Vec<ResidualBlock>,
    output: Linear,
}

impl ResidualNet {
    /// The book's network: 16 filters in the first stage, seven blocks in each.
    pub fn new(style: Style, device: &Device) -> Self {
        Self::with_size(style, FILTERS, 7, device)
    }

    /// With `filters` in the first stage and `depth` blocks in each; 0 counts as 1.
    pub fn with_size(style: Style, filters: usize, depth: usize, device: &Device) -> Self {
        let (filters, depth) = (filters.max(1), depth.max(1));
        let mut blocks = Vec::with_capacity(4 * depth);
        let mut inputs = 3;
        for (outputs, stride) in [(1, 1), (2, 2), (4, 2), (4, 2)] {
            let outputs = outputs * filters;
            blocks.push(ResidualBlock::new(inputs, outputs, stride, style, device));
            let block = |_| ResidualBlock::new(outputs, outputs, 1, style, device);
            blocks.extend((1..depth).map(block));
            inputs = outputs;
        }
        Self {
            blocks,
            output: LinearConfig::new(inputs, CLASSES).init(device),
        }
    }

    /// Number of blocks.
    pub fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// The alpha of each block; none without ReZero.
    pub fn alphas(&self) -> Vec<f64> {
        let alphas = self.blocks.iter().filter_map(|block| block.alpha.as_ref());
        let number = |alpha: &Param<Tensor<1>>| f64::from(alpha.val().into_scalar::<f32>());
        alphas.map(number).collect()
    }
}

impl Network for ResidualNet {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let blocks = self.blocks.iter();
        let x = blocks.fold(images, |x, block| block.forward(x)); // [B, 16, 24, 24]; 32, 12; 64, 6; 64, 3
        self.output.forward(global_avg_pool(x)) // [B, 10]
    }
}
