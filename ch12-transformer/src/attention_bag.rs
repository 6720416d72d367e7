//! An average of the words in which the important ones weigh more (sections 12.2.1 and 12.4), with the attention of chapter 10.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch10_attention::{AdditiveAttentionScore, AttentionAvg, valid_tokens};
use common::data::{PAD, PaddedSequences};
use common::nn::{Embedding, EmbeddingConfig, Linear};
use common::train::Network;

use crate::layers::{Attentive, Head, WIDTH, each_word, three_layers};
use crate::padding::Padding;
use crate::position::PositionalEncoding;

/// A text as the average of its words, weighted by an additive score against their mean.
#[derive(Module, Debug)]
pub struct EmbeddingAttentionBag {
    embedding: Embedding,
    positions: Option<PositionalEncoding>,
    layers: Vec<Linear>,
    attention: AttentionAvg<AdditiveAttentionScore>,
    #[module(skip)]
    padding: Padding,
}

impl EmbeddingAttentionBag {
    /// A fresh bag for a vocabulary of `words`.
    pub fn new(
        words: usize,
        positions: Option<PositionalEncoding>,
        padding: Padding,
        device: &Device,
    ) -> Self {
        Self {
            embedding: EmbeddingConfig::new(words, WIDTH).init(device),
            positions,
            layers: three_layers(device),
            attention: AttentionAvg::new(AdditiveAttentionScore::new(WIDTH, device)),
            padding,
        }
    }

    /// The average, [B, H], and the weight of each word, [B, T].
    pub fn forward(&self, texts: PaddedSequences) -> (Tensor<2>, Tensor<2>) {
        let valid = valid_tokens(texts.ids.clone(), PAD); // [B, T]
        let mut x = self.embedding.forward(texts.ids); // [B, T, H]
        if let Some(positions) = &self.positions {
            x = positions.forward(x);
        }
        let x = each_word(&self.layers, x); // [B, T, H]
        let context = self.padding.context(x.clone(), valid.clone()); // [B, H]
        self.attention.forward_with_weights(x, context, Some(valid))
    }
}

/// The bag and two layers. 2,742,661 parameters for 20,647 words.
#[derive(Module, Debug)]
pub struct NewsAttention {
    bag: EmbeddingAttentionBag,
    head: Head,
}

impl NewsAttention {
    /// A fresh network for a vocabulary of `words`.
    pub fn new(
        words: usize,
        positions: Option<PositionalEncoding>,
        padding: Padding,
        device: &Device,
    ) -> Self {
        Self {
            bag: EmbeddingAttentionBag::new(words, positions, padding, device),
            head: Head::new(WIDTH, device),
        }
    }
}

impl Attentive for NewsAttention {
    fn forward_with_weights(&self, texts: PaddedSequences) -> (Tensor<2>, Tensor<2>) {
        let (average, weights) = self.bag.forward(texts);
        (self.head.forward(average), weights)
    }
}

impl Network for NewsAttention {
    type Input = PaddedSequences;

    fn forward(&self, texts: PaddedSequences) -> Tensor<2> {
        self.forward_with_weights(texts).0
    }
}
