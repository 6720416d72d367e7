//! The transformer of the chapter (section 12.5).

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use ch10_attention::{AdditiveAttentionScore, AttentionAvg, valid_tokens};
use common::data::{PAD, PaddedSequences};
use common::kernels::AttentionMask;
use common::nn::{Embedding, EmbeddingConfig};
use common::train::Network;

use crate::encoder::{EncoderLayer, LayerSizes};
use crate::layers::{Attentive, Head, WIDTH};
use crate::multi_head::multi_head_attention;
use crate::padding::Padding;
use crate::position::PositionalEncoding;

/// Layers of the encoder, heads of each, values between the linear layers.
const LAYERS: usize = 3;
const HEADS: usize = 8;
const INNER: usize = 2048;

/// Embedding, positions, three encoder layers, the average of chapter 10 weighted by an additive score, two layers. 4,472,197 parameters for
/// 20,647 words.
#[derive(Module, Debug)]
pub struct NewsTransformer {
    embedding: Embedding,
    positions: PositionalEncoding,
    layers: Vec<EncoderLayer>,
    attention: AttentionAvg<AdditiveAttentionScore>,
    head: Head,
    #[module(skip)]
    padding: Padding,
}

impl NewsTransformer {
    /// A fresh network for a vocabulary of `words`; the book's dropout is 0.1. As printed, words attend to the padding too.
    pub fn new(words: usize, dropout: f64, padding: Padding, device: &Device) -> Self {
        let sizes = LayerSizes {
            width: WIDTH,
            heads: HEADS,
            inner: INNER,
            dropout,
        };
        Self {
            embedding: EmbeddingConfig::new(words, WIDTH).init(device),
            positions: PositionalEncoding::new(dropout),
            layers: (0..LAYERS)
                .map(|_| EncoderLayer::new(sizes, device))
                .collect(),
            attention: AttentionAvg::new(AdditiveAttentionScore::new(WIDTH, device)),
            head: Head::new(WIDTH, device),
            padding,
        }
    }

    /// Words with their positions, [B, T, H], and which of the places are words, [B, T].
    fn words(&self, ids: Tensor<2, Int>) -> (Tensor<3>, Tensor<2, Bool>) {
        let valid = valid_tokens(ids.clone(), PAD);
        (self.positions.forward(self.embedding.forward(ids)), valid)
    }

    /// How much each word of a text looks at each, in the first layer: the mean of the heads.
    ///
    /// # Shapes
    /// - `ids`: [1, T], without padding
    /// - output: [T, T], a row for each word that looks
    pub fn first_attention(&self, ids: Tensor<2, Int>) -> Option<Tensor<2>> {
        let (x, _) = self.words(ids); // [1, T, H]
        let layer = self.layers.first()?.attention();
        let (_, weights) = multi_head_attention(layer, x.clone(), x.clone(), x, None); // [1, N, T, T]
        Some(weights.mean_dim(1).squeeze_dims(&[0, 1]))
    }
}

impl Attentive for NewsTransformer {
    fn forward_with_weights(&self, texts: PaddedSequences) -> (Tensor<2>, Tensor<2>) {
        let (x, valid) = self.words(texts.ids); // [B, T, H]
        let mask = match self.padding {
            Padding::Masked => AttentionMask::padding(valid.clone().bool_not()),
            Padding::AsPrinted => AttentionMask::none(),
        };
        let layers = self.layers.iter();
        let x = layers.fold(x, |x, layer| layer.forward(x, &mask)); // [B, T, H]
        let context = self.padding.context(x.clone(), valid.clone()); // [B, H]
        let (average, weights) = self.attention.forward_with_weights(x, context, Some(valid));
        (self.head.forward(average), weights)
    }
}

impl Network for NewsTransformer {
    type Input = PaddedSequences;

    fn forward(&self, texts: PaddedSequences) -> Tensor<2> {
        self.forward_with_weights(texts).0
    }
}
