//! Segmentation as a prediction per pixel: the networks without and with transposed convolution (sections 8.1 and 8.2).

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use ch06_design::layers::{ConvNorm, conv};
use common::nn::conv::{Conv2d, ConvTranspose2d, ConvTranspose2dConfig};
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{BatchNorm, BatchNormConfig};

/// The slope of the chapter's leaky rectifiers below zero, PyTorch's default.
pub const SLOPE: f64 = 0.01;

/// A network that gives a logit for each pixel.
pub trait SegmentationNetwork: Module + ModuleDisplay + std::fmt::Display + 'static {
    /// # Shapes
    /// - `images`: `[batch, 3, height, width]`, height and width divisible by [`multiple`](Self::multiple)
    /// - output: `[batch, 1, height, width]`, positive where an object is more likely than not
    fn forward(&self, images: Tensor<4>) -> Tensor<4>;

    /// What height and width have to be divisible by.
    fn multiple(&self) -> usize;
}

/// The book's `cnnLayer`: a 3x3 convolution that keeps the size, batch norm, leaky rectifier.
pub fn cnn_layer(channels: [usize; 2], device: &Device) -> ConvNorm {
    ConvNorm::new(channels, 3, SLOPE, device)
}

/// A transposed convolution that doubles height and width: (n - 1) 2 - 2 + 3 + 1 = 2 n (section 8.2).
///
/// Each input pixel writes a 3x3 patch, two pixels apart; where patches overlap they are summed.
pub fn double(channels: [usize; 2], device: &Device) -> ConvTranspose2d {
    ConvTranspose2dConfig::new(channels, [3, 3])
        .with_stride([2, 2])
        .with_padding([1, 1])
        .with_padding_out([1, 1])
        .init(device)
}

/// 8.1: six layers with 32 filters, then one filter that gives the logits. 47,809 parameters.
#[derive(Module, Debug)]
pub struct PlainCnn {
    layers: Vec<ConvNorm>,
    output: Conv2d,
}

impl PlainCnn {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let layer = |i| cnn_layer([if i == 0 { 3 } else { 32 }, 32], device);
        Self {
            layers: (0..6).map(layer).collect(),
            output: conv([32, 1], 3, device),
        }
    }
}

impl SegmentationNetwork for PlainCnn {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let layers = self.layers.iter();
        let x = layers.fold(images, |x, layer| layer.forward(x)); // [B, 32, H, W]
        self.output.forward(x) // [B, 1, H, W]
    }

    fn multiple(&self) -> usize {
        1
    }
}

/// 8.2: two layers, three on half the size, enlarged again by a transposed convolution. 131,137 parameters.
#[derive(Module, Debug)]
pub struct TransposedCnn {
    fine: Vec<ConvNorm>,
    coarse: Vec<ConvNorm>,
    enlarge: ConvTranspose2d,
    norm: BatchNorm,
    last: ConvNorm,
    output: Conv2d,
    pool: MaxPool2d,
}

impl TransposedCnn {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let layers = |sizes: &[[usize; 2]]| sizes.iter().map(|s| cnn_layer(*s, device)).collect();
        Self {
            fine: layers(&[[3, 32], [32, 32]]),
            coarse: layers(&[[32, 64], [64, 64], [64, 64]]),
            enlarge: double([64, 32], device),
            norm: BatchNormConfig::new(32).init(device),
            last: cnn_layer([32, 32], device),
            output: conv([32, 1], 3, device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
        }
    }
}

impl SegmentationNetwork for TransposedCnn {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let through = |layers: &[ConvNorm], x| layers.iter().fold(x, |x, layer| layer.forward(x));
        let x = through(&self.fine, images); // [B, 32, H, W]
        let x = through(&self.coarse, self.pool.forward(x)); // [B, 64, H/2, W/2]
        let x = self.enlarge.forward(x); // [B, 32, H, W]
        let x = self.norm.forward_leaky_relu(x, SLOPE);
        self.output.forward(self.last.forward(x)) // [B, 1, H, W]
    }

    fn multiple(&self) -> usize {
        2
    }
}
