//! The book's `simpleGAN`: both players fully connected (sections 9.1 to 9.3).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::sigmoid;
use common::nn::{Linear, LinearConfig};

use crate::layers::FcBlock;
use crate::players::{Discriminator, Generator};
use crate::tangent::{Dual, Tangent};

/// Neurons of each hidden layer.
pub const NEURONS: usize = 512;

/// Noise to an example: three [`FcBlock`]s and a linear layer.
///
/// 996,624 parameters for digits (noise 128), 562,690 for points of the plane (noise 64).
#[derive(Module, Debug)]
pub struct SimpleGenerator {
    blocks: Vec<FcBlock>,
    output: Linear,
    noise: usize,
    /// Whether the output is squashed to 0 to 1, as pixels are.
    squash: bool,
}

impl SimpleGenerator {
    /// From `noise` values to examples of `values`.
    pub fn new(noise: usize, neurons: usize, values: usize, squash: bool, device: &Device) -> Self {
        let block = |inputs| FcBlock::new(inputs, neurons, device);
        Self {
            blocks: [noise, neurons, neurons].map(block).to_vec(),
            output: LinearConfig::new(neurons, values).init(device),
            noise,
            squash,
        }
    }
}

impl Generator for SimpleGenerator {
    fn noise_size(&self) -> usize {
        self.noise
    }

    fn generate(&self, z: Tensor<2>, _classes: Option<&[u8]>) -> Tensor<2> {
        let x = self.blocks.iter().fold(z, |x, block| block.forward(x)); // [B, 512]
        let x = self.output.forward(x); // [B, values]
        if self.squash { sigmoid(x) } else { x }
    }
}

/// An example to a score: three [`FcBlock`]s and a linear layer.
///
/// 930,817 parameters for digits, 530,433 for points of the plane.
#[derive(Module, Debug)]
pub struct SimpleDiscriminator {
    blocks: Vec<FcBlock>,
    output: Linear,
}

impl SimpleDiscriminator {
    /// For examples of `values`.
    pub fn new(values: usize, neurons: usize, device: &Device) -> Self {
        let block = |inputs| FcBlock::new(inputs, neurons, device);
        Self {
            blocks: [values, neurons, neurons].map(block).to_vec(),
            output: LinearConfig::new(neurons, 1).init(device),
        }
    }
}

impl Discriminator for SimpleDiscriminator {
    fn score(&self, x: Tensor<2>, _classes: Option<&[u8]>) -> Tensor<2> {
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [B, 512]
        self.output.forward(x) // [B, 1]
    }

    fn score_with_tangent(&self, x: Dual<2>, _classes: Option<&[u8]>) -> Dual<2> {
        let through = |x, block: &FcBlock| block.forward_with_tangent(x);
        let x = self.blocks.iter().fold(x, through); // [B, 512]
        self.output.forward_with_tangent(x) // [B, 1]
    }
}
