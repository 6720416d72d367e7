//! BERT and DistilBERT: encoders that turn each piece of a text into a vector that knows its context (section 13.4).
//!
//! Devlin et al., BERT, 2019; Sanh et al., DistilBERT, 2019. What is left away is what needs no part in the vectors: BERT's pooler and the heads for
//! guessing masked pieces.

use burn::module::{Initializer, Module};
use burn::tensor::{Device, Int, Tensor};
use common::kernels::{AttentionMask, attention, gelu};
use common::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear,
    LinearConfig,
};

/// Sizes of an encoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BertConfig {
    /// Pieces in the vocabulary.
    pub vocabulary: usize,
    /// Values of a piece.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of an attention, which divide the values between them.
    pub heads: usize,
    /// Values between the two linear layers.
    pub inner: usize,
    /// Pieces of the longest text.
    pub positions: usize,
    /// Kinds of sentences of which BERT tells apart two; 0 for DistilBERT, which knows of none.
    pub token_types: usize,
    /// What the norms add to the variance.
    pub epsilon: f64,
    /// The part of the values and of the attention's weights that is dropped in training.
    pub dropout: f64,
}

impl BertConfig {
    /// `distilbert-base-uncased`: 66,362,880 parameters.
    pub fn distilbert() -> Self {
        Self {
            vocabulary: 30_522,
            width: 768,
            layers: 6,
            heads: 12,
            inner: 3_072,
            positions: 512,
            token_types: 0,
            epsilon: 1e-12,
            dropout: 0.1,
        }
    }
}

/// The vector of a piece, of its place, and of its sentence, added up.
#[derive(Module, Debug)]
struct Embeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Option<Embedding>,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Embeddings {
    fn new(config: &BertConfig, device: &Device) -> Self {
        let table = |rows: usize| {
            let table = EmbeddingConfig::new(rows, config.width);
            table.with_initializer(NARROW).init(device)
        };
        Self {
            word_embeddings: table(config.vocabulary),
            position_embeddings: table(config.positions),
            token_type_embeddings: (config.token_types > 0).then(|| table(config.token_types)),
            norm: norm(config, device),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// [B, T] to [B, T, H]
    fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [_, time] = ids.dims();
        let x = self.word_embeddings.forward(ids); // [B, T, H]
        let places = self.position_embeddings.weight.val().narrow(0, 0, time); // [T, H]
        let mut shared = places;
        if let Some(types) = &self.token_type_embeddings {
            // All of a text is of the first kind.
            shared = shared + types.weight.val().narrow(0, 0, 1);
        }
        let x = self.norm.forward(x + shared.unsqueeze::<3>());
        self.dropout.forward(x)
    }
}

/// Weights of BERT start from N(0, 0.02).
const NARROW: Initializer = Initializer::Normal {
    mean: 0.0,
    std: 0.02,
};

fn norm(config: &BertConfig, device: &Device) -> LayerNorm {
    let norm = LayerNormConfig::new(config.width);
    norm.with_epsilon(config.epsilon).init(device)
}

fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let linear = LinearConfig::new(inputs, outputs).with_initializer(NARROW);
    let mut linear = linear.init(device);
    linear.bias = Some(Initializer::Zeros.init([outputs], device));
    linear
}

/// What makes the queries, keys and values of a self-attention, and what follows it.
#[derive(Module, Debug)]
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
}

/// Self-attention, then two linear layers for each piece, each with a skip connection and a norm behind:
/// `x = LN(x + drop(MHA(x)))`, `x = LN(x + drop(W_2 gelu(W_1 x)))`.
#[derive(Module, Debug)]
struct BertLayer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    output_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
}

impl BertLayer {
    fn new(config: &BertConfig, device: &Device) -> Self {
        let BertConfig { width, inner, .. } = *config;
        let square = || linear(width, width, device);
        Self {
            attention: SelfAttention {
                query: square(),
                key: square(),
                value: square(),
                output: square(),
            },
            attention_norm: norm(config, device),
            inner: linear(width, inner, device),
            outer: linear(inner, width, device),
            output_norm: norm(config, device),
            dropout: DropoutConfig::new(config.dropout).init(),
            heads: config.heads,
        }
    }

    /// [B, T, H] to [B, T, H]
    fn forward(&self, x: Tensor<3>, mask: &AttentionMask) -> Tensor<3> {
        let rate = self.dropout.rate(&x);
        let of = |layer: &Linear| layer.forward(x.clone());
        let SelfAttention {
            query,
            key,
            value,
            output,
        } = &self.attention;
        let seen = attention(of(query), of(key), of(value), self.heads, mask, rate); // [B, T, H]
        let seen = self.dropout.forward(output.forward(seen));
        let x = self.attention_norm.forward(x + seen);
        let inner = gelu(self.inner.forward(x.clone())); // [B, T, inner]
        let f = self.dropout.forward(self.outer.forward(inner)); // [B, T, H]
        self.output_norm.forward(x + f)
    }
}

/// An encoder as Hugging Face's `DistilBertModel`, and `BertModel` without its pooler.
#[derive(Module, Debug)]
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<BertLayer>,
}

impl Bert {
    /// A fresh encoder.
    ///
    /// # Panics
    /// If the heads do not divide the width.
    pub fn new(config: &BertConfig, device: &Device) -> Self {
        let BertConfig { width, heads, .. } = *config;
        assert!(
            heads > 0 && width % heads == 0,
            "{heads} heads can't share {width} values"
        );
        Self {
            embeddings: Embeddings::new(config, device),
            layers: (0..config.layers)
                .map(|_| BertLayer::new(config, device))
                .collect(),
        }
    }

    /// A vector for each piece. Pieces that `mask` hides are seen by none; their own vectors mean nothing.
    ///
    /// # Shapes
    /// - `ids`: [B, T]
    /// - output: [B, T, H]
    ///
    /// # Panics
    /// If a text is longer than the encoder has positions, a number is not in the vocabulary, or the mask has another shape.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: &AttentionMask) -> Tensor<3> {
        let x = self.embeddings.forward(ids); // [B, T, H]
        self.layers
            .iter()
            .fold(x, |x, layer| layer.forward(x, mask))
    }

    /// The vectors of the vocabulary, [pieces, H].
    pub fn word_embeddings(&self) -> Tensor<2> {
        self.embeddings.word_embeddings.weight.val()
    }

    /// Values of a piece.
    pub fn width(&self) -> usize {
        self.embeddings.word_embeddings.weight.dims()[1]
    }

    /// Pieces of the longest text that it reads.
    pub fn positions(&self) -> usize {
        self.embeddings.position_embeddings.weight.dims()[0]
    }

    /// Pieces in the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.embeddings.word_embeddings.weight.dims()[0]
    }
}
