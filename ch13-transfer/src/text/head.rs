//! What is trained on top of a frozen encoder (section 13.4.3).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch10_attention::{AdditiveAttentionScore, AttentionAvg};
use ch12_transformer::Padding;
use common::data::NEWS_CLASSES;
use common::kernels::relu;
use common::nn::{Linear, LinearConfig};
use common::train::Network;

use super::features::PieceVectors;

/// The pieces of a text, weighted by additive attention with their mean as context, then linear, ReLU, linear: 1,774,853 parameters on DistilBERT.
#[derive(Module, Debug)]
pub struct AttentionHead {
    attention: AttentionAvg<AdditiveAttentionScore>,
    hidden: Linear,
    output: Linear,
    #[module(skip)]
    padding: Padding,
}

impl AttentionHead {
    /// A fresh head for vectors of `width` values. As printed, the sum of the context runs over the padding too.
    pub fn new(width: usize, padding: Padding, device: &Device) -> Self {
        Self {
            attention: AttentionAvg::new(AdditiveAttentionScore::new(width, device)),
            hidden: LinearConfig::new(width, width).init(device),
            output: LinearConfig::new(width, NEWS_CLASSES.len()).init(device),
            padding,
        }
    }

    /// Logits [B, 4], and the weight of each piece [B, T].
    pub fn forward_with_weights(&self, texts: PieceVectors) -> (Tensor<2>, Tensor<2>) {
        let PieceVectors { h, valid } = texts;
        let context = self.padding.context(h.clone(), valid.clone()); // [B, H]
        let attention = &self.attention;
        let (average, weights) = attention.forward_with_weights(h, context, Some(valid)); // [B, H], [B, T]
        let hidden = relu(self.hidden.forward(average)); // [B, H]
        (self.output.forward(hidden), weights) // [B, 4], [B, T]
    }
}

impl Network for AttentionHead {
    type Input = PieceVectors;

    fn forward(&self, texts: PieceVectors) -> Tensor<2> {
        self.forward_with_weights(texts).0
    }
}
