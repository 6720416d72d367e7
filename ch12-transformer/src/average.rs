//! The mean of the words, in no order at all (section 12.2), and with the place of each word added to it (section 12.4).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch10_attention::valid_tokens;
use common::data::{PAD, PaddedSequences};
use common::nn::{Embedding, EmbeddingConfig, Linear};
use common::train::Network;

use crate::layers::{Head, WIDTH, each_word, three_layers};
use crate::padding::Padding;
use crate::position::PositionalEncoding;

/// Embedding, perhaps positions, three layers for each word, the mean over time, two layers. 2,709,636 parameters for 20,647 words.
#[derive(Module, Debug)]
pub struct NewsAverage {
    embedding: Embedding,
    positions: Option<PositionalEncoding>,
    layers: Vec<Linear>,
    head: Head,
    #[module(skip)]
    padding: Padding,
}

impl NewsAverage {
    /// A fresh network for a vocabulary of `words`.
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
            head: Head::new(WIDTH, device),
            padding,
        }
    }
}

impl Network for NewsAverage {
    type Input = PaddedSequences;

    fn forward(&self, texts: PaddedSequences) -> Tensor<2> {
        let valid = valid_tokens(texts.ids.clone(), PAD); // [B, T]
        let mut x = self.embedding.forward(texts.ids); // [B, T, H]
        if let Some(positions) = &self.positions {
            x = positions.forward(x);
        }
        let x = each_word(&self.layers, x); // [B, T, H]
        self.head.forward(self.padding.mean(x, valid)) // [B, 4]
    }
}
