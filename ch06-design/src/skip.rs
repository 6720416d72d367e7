//! Skip connections: a layer that sees what all layers before it have made (section 6.3).

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::layers::{ConvNorm, LinearNorm, SLOPE};

/// Fully connected layers, the last one on the outputs of all others (section 6.3.1).
///
/// `z_0 = x`, `z_i = act(BN(W_i z_(i-1) + b_i))` for i = 1 .. n - 1, each as wide as the input; the output is
/// `act(BN(W_n [z_1, ..., z_(n-1)] + b_n))`. With n = 2 there is one z to be seen and nothing is skipped: two plain layers.
#[derive(Module, Debug)]
pub struct SkipFc {
    hidden: Vec<LinearNorm>,
    output: LinearNorm,
}

impl SkipFc {
    /// `layers` layers, at least 2, from this many values to that many.
    pub fn new(layers: usize, inputs: usize, outputs: usize, device: &Device) -> Self {
        let seen = layers.saturating_sub(1).max(1);
        let hidden = (0..seen).map(|_| LinearNorm::new(inputs, inputs, device));
        Self {
            hidden: hidden.collect(),
            output: LinearNorm::new(seen * inputs, outputs, device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs]`
    /// - output: `[batch, outputs]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut z = x;
        let mut all = Vec::with_capacity(self.hidden.len());
        for layer in &self.hidden {
            z = layer.forward(z); // [B, inputs]
            all.push(z.clone());
        }
        self.output.forward(Tensor::cat(all, 1)) // [B, outputs]
    }
}

/// The same with 3x3 convolutions: the last one sees the channels of all others (section 6.3.2).
///
/// `z_0 = x`, `z_i = act(BN(conv_i(z_(i-1))))` for i = 1 .. n - 1; the output is `act(BN(conv_n([z_1, ..., z_(n-1)])))`, joined
/// along the channels.
#[derive(Module, Debug)]
pub struct SkipConv2d {
    hidden: Vec<ConvNorm>,
    output: ConvNorm,
}

impl SkipConv2d {
    /// `layers` layers, at least 2, from channels to channels.
    pub fn new(layers: usize, inputs: usize, outputs: usize, device: &Device) -> Self {
        let seen = layers.saturating_sub(1).max(1);
        let hidden = (0..seen).map(|_| ConvNorm::new([inputs, inputs], 3, SLOPE, device));
        Self {
            hidden: hidden.collect(),
            output: ConvNorm::new([seen * inputs, outputs], 3, SLOPE, device),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs, height, width]`
    /// - output: `[batch, outputs, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut z = x;
        let mut all = Vec::with_capacity(self.hidden.len());
        for layer in &self.hidden {
            z = layer.forward(z); // [B, inputs, H, W]
            all.push(z.clone());
        }
        self.output.forward(Tensor::cat(all, 1)) // [B, outputs, H, W]
    }
}
