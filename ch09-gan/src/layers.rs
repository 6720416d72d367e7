//! What both players are built of: a layer with weights, a leaky rectifier, layer norm, in this order (section 9.1).

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::kernels::{leaky_relu, leaky_relu_tangent};
use common::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use common::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};

use crate::tangent::{Dual, Tangent};

/// The slope of the chapter's leaky rectifiers below zero.
pub const SLOPE: f64 = 0.2;

/// The leaky rectifier: x above zero, 0.2 x below.
#[derive(Clone, Copy, Debug)]
pub struct LeakyRelu;

impl LeakyRelu {
    /// The function of each value; any shape.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        leaky_relu(x, SLOPE)
    }
}

impl<const D: usize> Tangent<D, D> for LeakyRelu {
    fn forward_with_tangent(&self, x: Dual<D>) -> Dual<D> {
        let value = self.forward(x.value);
        let tangent = leaky_relu_tangent(value.clone(), x.tangent, SLOPE);
        Dual { value, tangent }
    }
}

/// `LN(act(W x + b))`
#[derive(Module, Debug)]
pub struct FcBlock {
    pub(crate) linear: Linear,
    pub(crate) norm: LayerNorm,
}

impl FcBlock {
    /// From this many values to that many.
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(inputs, outputs).init(device),
            norm: LayerNormConfig::new(outputs).init(device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs]`
    /// - output: `[batch, outputs]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.forward(LeakyRelu.forward(self.linear.forward(x)))
    }
}

impl Tangent<2, 2> for FcBlock {
    fn forward_with_tangent(&self, x: Dual<2>) -> Dual<2> {
        let x = self.linear.forward_with_tangent(x);
        self.norm
            .forward_with_tangent(LeakyRelu.forward_with_tangent(x))
    }
}

/// A convolution with an odd square window that keeps height and width.
pub fn conv([inputs, outputs]: [usize; 2], window: usize, device: &Device) -> Conv2d {
    let p = window / 2;
    Conv2dConfig::new([inputs, outputs], [window, window])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .init(device)
}

/// `LN(act(conv(x)))` with a convolution that keeps the size, normalised over channels and pixels (section 9.4).
#[derive(Module, Debug)]
pub struct ConvBlock {
    conv: Conv2d,
    norm: LayerNorm<3>,
}

impl ConvBlock {
    /// From channels to channels, on pictures of `side` x `side`.
    pub fn new(channels: [usize; 2], window: usize, side: usize, device: &Device) -> Self {
        Self {
            conv: conv(channels, window, device),
            norm: LayerNormConfig::over([channels[1], side, side]).init(device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, channels in, side, side]`
    /// - output: `[batch, channels out, side, side]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(LeakyRelu.forward(self.conv.forward(x)))
    }
}

impl Tangent<4, 4> for ConvBlock {
    fn forward_with_tangent(&self, x: Dual<4>) -> Dual<4> {
        let x = self.conv.forward_with_tangent(x);
        self.norm
            .forward_with_tangent(LeakyRelu.forward_with_tangent(x))
    }
}

/// `LN(act(conv^T(x)))` with a transposed convolution that doubles the size. Its window of 4 is a multiple of its stride of 2: each
/// pixel of the output is made from as many of the input, so no checkerboard shows (section 9.4).
#[derive(Module, Debug)]
pub struct GrowBlock {
    conv: ConvTranspose2d,
    norm: LayerNorm<3>,
}

impl GrowBlock {
    /// From channels to channels, to pictures of `side` x `side`.
    pub fn new(channels: [usize; 2], side: usize, device: &Device) -> Self {
        Self {
            conv: ConvTranspose2dConfig::new(channels, [4, 4])
                .with_stride([2, 2])
                .with_padding([1, 1])
                .init(device),
            norm: LayerNormConfig::over([channels[1], side, side]).init(device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, channels in, side / 2, side / 2]`
    /// - output: `[batch, channels out, side, side]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(LeakyRelu.forward(self.conv.forward(x)))
    }
}
