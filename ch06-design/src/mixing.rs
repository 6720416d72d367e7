//! 1x1 convolutions: the channels of each pixel mixed, its neighbours left alone (section 6.4).

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::layers::ConvNorm;

/// PyTorch's slope of a leaky rectifier, which the book leaves as it is here.
const SLOPE: f64 = 0.01;

/// `act(BN(conv_1x1(x)))` from C channels to C channels: a linear layer over the channels, the same at each pixel.
///
/// It has C (C + 1) weights, a ninth of those of a 3x3 convolution.
#[derive(Module, Debug)]
pub struct InfoShare {
    mix: ConvNorm,
}

impl InfoShare {
    /// For this many channels.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            mix: ConvNorm::new([channels, channels], 1, SLOPE, device),
        }
    }

    /// # Shapes
    /// - `x` and output: `[batch, channels, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.mix.forward(x)
    }
}
