//! Residual connections: a block adds to what it is given (section 6.5).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::nn::conv::Conv2d;
use common::nn::{BatchNorm, BatchNormConfig};

use crate::layers::{ConvNorm, SLOPE, conv};

/// A residual block of type E: `x + F(x)`, F twice 3x3 convolution, batch norm, leaky rectifier (section 6.5.1).
///
/// The gradient of the output reaches x unchanged through the sum, whatever F does.
#[derive(Module, Debug)]
pub struct ResidualBlockE {
    f: Vec<ConvNorm>,
}

impl ResidualBlockE {
    /// For this many channels, which stay as many.
    pub fn new(channels: usize, device: &Device) -> Self {
        let layer = |_| ConvNorm::new([channels, channels], 3, SLOPE, device);
        Self {
            f: (0..2).map(layer).collect(),
        }
    }

    /// # Shapes
    /// - `x` and output: `[batch, channels, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let f = self.f.iter().fold(x.clone(), |z, layer| layer.forward(z)); // [B, C, H, W]
        x + f
    }
}

/// `conv(act(BN(x)))`: the order inside a bottleneck.
#[derive(Module, Debug)]
struct NormConv {
    norm: BatchNorm,
    conv: Conv2d,
}

/// `BN(conv_1x1(x))`: x with as many channels as F(x) has.
#[derive(Module, Debug)]
struct Shortcut {
    conv: Conv2d,
    norm: BatchNorm,
}

/// A residual bottleneck: `S(x) + F(x)`, F from `inputs` to b = max(outputs / 4, inputs) channels by a 1x1 convolution, from b to b by
/// a 3x3, from b to `outputs` by a 1x1, each after batch norm and leaky rectifier (section 6.5.3).
///
/// S(x) = x where the channels stay as many, else `BN(conv_1x1(x))`.
#[derive(Module, Debug)]
pub struct ResidualBottleNeck {
    f: Vec<NormConv>,
    shortcut: Option<Shortcut>,
}

impl ResidualBottleNeck {
    /// From channels to channels.
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        let narrow = inputs.max(outputs / 4);
        let norm = |channels| BatchNormConfig::new(channels).init(device);
        let layer = |inputs, outputs, window| NormConv {
            norm: norm(inputs),
            conv: conv([inputs, outputs], window, device),
        };
        Self {
            f: vec![
                layer(inputs, narrow, 1),
                layer(narrow, narrow, 3),
                layer(narrow, outputs, 1),
            ],
            shortcut: (inputs != outputs).then(|| Shortcut {
                conv: conv([inputs, outputs], 1, device),
                norm: norm(outputs),
            }),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs, height, width]`
    /// - output: `[batch, outputs, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let f = self.f.iter().fold(x.clone(), |z, layer| {
            layer.conv.forward(layer.norm.forward_leaky_relu(z, SLOPE))
        }); // [B, outputs, H, W]
        let shortcut = match &self.shortcut {
            Some(s) => s.norm.forward(s.conv.forward(x)), // [B, outputs, H, W]
            None => x,
        };
        shortcut + f
    }
}
