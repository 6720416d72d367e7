//! What the networks of the chapter have in common: sizes, layers for each word, the classifier on top.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::data::{NEWS_CLASSES, PaddedSequences};
use common::kernels::leaky_relu;
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::Network;

/// Values of an embedding, and of most layers.
pub const WIDTH: usize = 128;
/// Of the leaky rectifier.
const SLOPE: f64 = 0.01;

/// A network that can tell which words it weighted how much.
pub trait Attentive: Network<Input = PaddedSequences> {
    /// Logits of the classes, and weights of the words.
    ///
    /// # Shapes
    /// - `texts`: ids [B, T]
    /// - output: [B, 4], [B, T]
    fn forward_with_weights(&self, texts: PaddedSequences) -> (Tensor<2>, Tensor<2>);
}

/// The chapter's activation.
pub(crate) fn act<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    leaky_relu(x, SLOPE)
}

/// Three layers for [`each_word`].
pub(crate) fn three_layers(device: &Device) -> Vec<Linear> {
    let layer = |_| LinearConfig::new(WIDTH, WIDTH).init(device);
    (0..3).map(layer).collect()
}

/// Linear layers with their activations, for each word by itself: [B, T, H] to [B, T, H].
pub(crate) fn each_word(layers: &[Linear], x: Tensor<3>) -> Tensor<3> {
    layers.iter().fold(x, |x, layer| act(layer.forward(x)))
}

/// From a text in [`WIDTH`] numbers to a score for each class: linear, leaky ReLU, batch norm, linear.
#[derive(Module, Debug)]
pub(crate) struct Head {
    hidden: Linear,
    norm: BatchNorm,
    output: Linear,
}

impl Head {
    /// For texts in so many numbers.
    pub(crate) fn new(inputs: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(inputs, WIDTH).init(device),
            norm: BatchNormConfig::new(WIDTH).init(device),
            output: LinearConfig::new(WIDTH, NEWS_CLASSES.len()).init(device),
        }
    }

    /// [B, inputs] to [B, 4]
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.norm.forward(act(self.hidden.forward(x))); // [B, H]
        self.output.forward(x)
    }
}
