//! The network of the chapter. Images come in as [B, 1, 28, 28].

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::tanh;
use common::nn::{Linear, LinearConfig};
use common::train::Network;

/// Pixels of a garment.
pub const PIXELS: usize = 28 * 28;
/// Kinds of garment.
pub const CLASSES: usize = 10;

/// A fully connected network: 784 -> `layers` times (`neurons` -> tanh) -> 10.
///
/// [`Mlp::book`], three layers of 128, has 134,794 parameters (section 5.1); the search of section 5.4 tries others.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Linear>,
    output: Linear,
}

impl Mlp {
    /// A fresh network.
    pub fn new(neurons: usize, layers: usize, device: &Device) -> Self {
        let inputs = |layer: usize| if layer == 0 { PIXELS } else { neurons };
        let hidden =
            (0..layers).map(|layer| LinearConfig::new(inputs(layer), neurons).init(device));
        Self {
            hidden: hidden.collect(),
            output: LinearConfig::new(inputs(layers), CLASSES).init(device),
        }
    }

    /// The network of 5.1 to 5.12.
    pub fn book(device: &Device) -> Self {
        Self::new(128, 3, device)
    }
}

impl Network for Mlp {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images.flatten::<2>(1, 3); // [B, 784]
        for layer in &self.hidden {
            x = tanh(layer.forward(x)); // [B, neurons]
        }
        self.output.forward(x) // [B, 10]
    }
}
