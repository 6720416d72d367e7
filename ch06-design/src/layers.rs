//! What stands between two layers with weights: an activation, alone or after a normalisation (sections 6.1 and 6.2).

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::kernels::leaky_relu;
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::{
    BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, Tanh,
};

/// The slope of the chapter's leaky rectifiers below zero.
pub const SLOPE: f64 = 0.1;

/// The leaky rectifier: `max(a x, x)` with the slope a = 0.1 below zero (section 6.1.2).
///
/// Its derivative is 1 or a, never near 0 on both sides as that of tanh is: gradients do not vanish on their way down.
#[derive(Module, Debug, Default)]
pub struct LeakyRelu;

impl LeakyRelu {
    /// The function of each value; any shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        leaky_relu(x, SLOPE)
    }
}

/// What a plain network has between its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `tanh(x)`: 6.1.
    Tanh,
    /// `max(0.1 x, x)`: 6.3.
    LeakyRelu,
    /// The same after batch norm: 6.4.
    BatchNorm,
    /// The same after layer norm: 6.5.
    LayerNorm,
}

/// Normalisation and activation after a layer whose output for one example has `N` axes.
///
/// * batch norm: `gamma (x - mu) / sqrt(var + eps) + beta`, mean and variance of each channel over the batch and all pixels, in
///   evaluation their running averages (section 6.2.2);
/// * layer norm: the same formula with mean and variance of each example over all its values, and a gamma and beta for each
///   value (section 6.2.4).
#[derive(Module, Debug)]
pub enum Hidden<const N: usize> {
    /// `tanh(x)`
    Tanh(Tanh),
    /// `max(0.1 x, x)`
    LeakyRelu(LeakyRelu),
    /// The leaky rectifier of the batch norm.
    BatchNorm(BatchNorm),
    /// The leaky rectifier of the layer norm.
    LayerNorm(LayerNorm<N>),
}

impl<const N: usize> Hidden<N> {
    /// What `style` asks for, after a layer with this output for one example: \[values\] or [channels, height, width].
    pub fn new(style: Style, shape: [usize; N], device: &Device) -> Self {
        match style {
            Style::Tanh => Self::Tanh(Tanh::new()),
            Style::LeakyRelu => Self::LeakyRelu(LeakyRelu),
            // The first axis of an example is the one with the channels.
            Style::BatchNorm => Self::BatchNorm(BatchNormConfig::new(shape[0]).init(device)),
            Style::LayerNorm => Self::LayerNorm(LayerNormConfig::over(shape).init(device)),
        }
    }

    /// # Shapes
    /// - `x` and output: `[batch, ...shape]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Tanh(tanh) => tanh.forward(x),
            Self::LeakyRelu(leaky) => leaky.forward(x),
            Self::BatchNorm(norm) => norm.forward_leaky_relu(x, SLOPE),
            Self::LayerNorm(norm) => leaky_relu(norm.forward(x), SLOPE),
        }
    }
}

/// A convolution with an odd square window that keeps height and width.
pub fn conv([inputs, outputs]: [usize; 2], window: usize, device: &Device) -> Conv2d {
    let p = window / 2;
    Conv2dConfig::new([inputs, outputs], [window, window])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .init(device)
}

/// `act(BN(W x + b))`: a linear layer, batch norm, leaky rectifier.
#[derive(Module, Debug)]
pub struct LinearNorm {
    linear: Linear,
    norm: BatchNorm,
}

impl LinearNorm {
    /// From this many values to that many.
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(inputs, outputs).init(device),
            norm: BatchNormConfig::new(outputs).init(device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs]`
    /// - output: `[batch, outputs]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.forward_leaky_relu(self.linear.forward(x), SLOPE)
    }
}

/// `act(BN(conv(x)))`: a convolution that keeps the size, batch norm, leaky rectifier.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    slope: f64,
}

impl ConvNorm {
    /// With a window of `window` x `window` and the rectifier's slope below zero.
    pub fn new(channels: [usize; 2], window: usize, slope: f64, device: &Device) -> Self {
        Self {
            conv: conv(channels, window, device),
            norm: BatchNormConfig::new(channels[1]).init(device),
            slope,
        }
    }

    /// # Shapes
    /// - `x`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm
            .forward_leaky_relu(self.conv.forward(x), self.slope)
    }
}
