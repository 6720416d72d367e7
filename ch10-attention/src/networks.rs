//! The networks of the chapter: all pixels at once (10.1), attention without a context (10.2), with one (10.5).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::leaky_relu;
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::Network;

use crate::attention::{AttentionAvg, apply_attention};
use crate::bags::{DIGITS, PIXELS};
use crate::masks::{masked_mean, valid_items};
use crate::scores::AttentionScore;

/// Features of a digit, and of a bag.
pub const HIDDEN: usize = 256;
/// Of the leaky rectifier.
const SLOPE: f64 = 0.01;

/// A network that can tell how important it finds each digit of a bag.
pub trait Attentive: Network<Input = Tensor<5>> {
    /// Logits of the classes, and weights of the digits.
    ///
    /// # Shapes
    /// - `bags`: [B, T, 1, 28, 28]
    /// - output: [B, 10], [B, T]
    fn forward_with_weights(&self, bags: Tensor<5>) -> (Tensor<2>, Tensor<2>);
}

/// A linear layer, its activation, a norm.
#[derive(Module, Debug)]
struct Hidden {
    linear: Linear,
    norm: BatchNorm,
}

impl Hidden {
    fn new(inputs: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(inputs, HIDDEN).init(device),
            norm: BatchNormConfig::new(HIDDEN).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.forward(leaky_relu(self.linear.forward(x), SLOPE)) // [B, H]
    }
}

/// A fully connected network on all pixels of a bag of `digits` digits: it has to learn what a digit is for each place anew. 738,058
/// parameters for 3 digits (section 10.1).
#[derive(Module, Debug)]
pub struct Baseline {
    hidden: Vec<Hidden>,
    output: Linear,
}

impl Baseline {
    /// A fresh network for bags of this many digits.
    pub fn new(digits: usize, device: &Device) -> Self {
        let inputs = [digits * PIXELS, HIDDEN, HIDDEN];
        Self {
            hidden: inputs.map(|inputs| Hidden::new(inputs, device)).into(),
            output: LinearConfig::new(HIDDEN, DIGITS).init(device),
        }
    }
}

impl Network for Baseline {
    /// [B, T, 1, 28, 28]
    type Input = Tensor<5>;

    fn forward(&self, bags: Tensor<5>) -> Tensor<2> {
        let x = bags.flatten::<2>(1, 4); // [B, T * 784]
        let x = self.hidden.iter().fold(x, |x, layer| layer.forward(x)); // [B, H]
        self.output.forward(x) // [B, 10]
    }
}

/// Reads each digit by itself, with the same weights for all of them.
#[derive(Module, Debug)]
struct Backbone {
    layers: Vec<Linear>,
}

impl Backbone {
    fn new(device: &Device) -> Self {
        let inputs = [PIXELS, HIDDEN, HIDDEN];
        let linear = |inputs| LinearConfig::new(inputs, HIDDEN).init(device);
        Self {
            layers: inputs.map(linear).into(),
        }
    }

    /// [B, T, 1, 28, 28] to [B, T, H]
    fn forward(&self, bags: Tensor<5>) -> Tensor<3> {
        let x = bags.flatten::<3>(2, 4); // [B, T, 784]
        let layers = self.layers.iter();
        layers.fold(x, |x, layer| leaky_relu(layer.forward(x), SLOPE))
    }
}

/// From the average of the digits to a score for each class.
#[derive(Module, Debug)]
struct Head {
    norm_1: BatchNorm,
    hidden: Linear,
    norm_2: BatchNorm,
    output: Linear,
}

impl Head {
    fn new(device: &Device) -> Self {
        Self {
            norm_1: BatchNormConfig::new(HIDDEN).init(device),
            hidden: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            norm_2: BatchNormConfig::new(HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, DIGITS).init(device),
        }
    }

    /// [B, H] to [B, 10]
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.hidden.forward(self.norm_1.forward(x)); // [B, H]
        self.output
            .forward(self.norm_2.forward(leaky_relu(x, SLOPE)))
    }
}

/// Attention without a context: a digit's importance is judged from the digit alone. 467,979 parameters (section 10.1.3).
///
/// It takes all items for digits, as the book's does: for padded bags see [`ContextAttention`].
#[derive(Module, Debug)]
pub struct SimpleAttention {
    backbone: Backbone,
    weight_1: Linear,
    weight_2: Linear,
    head: Head,
}

impl SimpleAttention {
    /// A fresh network for bags of any size.
    pub fn new(device: &Device) -> Self {
        Self {
            backbone: Backbone::new(device),
            weight_1: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            weight_2: LinearConfig::new(HIDDEN, 1).init(device),
            head: Head::new(device),
        }
    }
}

impl Attentive for SimpleAttention {
    fn forward_with_weights(&self, bags: Tensor<5>) -> (Tensor<2>, Tensor<2>) {
        let h = self.backbone.forward(bags); // [B, T, H]
        let a = leaky_relu(self.weight_1.forward(h.clone()), SLOPE); // [B, T, H]
        let scores = self.weight_2.forward(a).swap_dims(1, 2); // [B, 1, T]
        let (average, weights) = apply_attention(h, scores, None);
        let logits = self.head.forward(average.squeeze_dim(1)); // [B, 10]
        (logits, weights.squeeze_dim(1))
    }
}

impl Network for SimpleAttention {
    /// [B, T, 1, 28, 28]
    type Input = Tensor<5>;

    fn forward(&self, bags: Tensor<5>) -> Tensor<2> {
        self.forward_with_weights(bags).0
    }
}

/// Attention with the mean of the bag as context; digits of padding are masked (section 10.3). 401,930 parameters with the dot score, 467,467
/// with the general one, 533,515 with the additive one.
#[derive(Module, Debug)]
pub struct ContextAttention<S: Module> {
    backbone: Backbone,
    attention: AttentionAvg<S>,
    head: Head,
}

impl<S: AttentionScore> ContextAttention<S> {
    /// A fresh network with this score of states of [`HIDDEN`] features.
    pub fn new(score: S, device: &Device) -> Self {
        Self {
            backbone: Backbone::new(device),
            attention: AttentionAvg::new(score),
            head: Head::new(device),
        }
    }
}

impl<S: AttentionScore> Attentive for ContextAttention<S> {
    fn forward_with_weights(&self, bags: Tensor<5>) -> (Tensor<2>, Tensor<2>) {
        let valid = valid_items(bags.clone(), 0.0); // [B, T]
        let h = self.backbone.forward(bags); // [B, T, H]
        let context = masked_mean(h.clone(), valid.clone()); // [B, H]
        let (average, weights) = self.attention.forward_with_weights(h, context, Some(valid));
        (self.head.forward(average), weights)
    }
}

impl<S: AttentionScore> Network for ContextAttention<S> {
    /// [B, T, 1, 28, 28]
    type Input = Tensor<5>;

    fn forward(&self, bags: Tensor<5>) -> Tensor<2> {
        self.forward_with_weights(bags).0
    }
}
