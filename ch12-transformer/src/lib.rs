//! Chapter 12: network design alternatives to RNNs.
//!
//! A recurrent network reads a text word by word, which is slow, because no word can be read before the one in front of it is done. The chapter
//! goes through what can take its place on news in four classes: the mean of the words' embeddings, which forgets all order; an attention that
//! weights the words; convolutions over time; sines that tell each word where it stands, and make up for much of the lost order; and the
//! transformer, in which every word looks at every other one.
//!
//! Reading order: [`padding`] (what shorter texts are filled up with), [`gru`] (what all is measured by), [`layers`], [`average`],
//! [`attention_bag`], [`cnn`], [`position`], then [`multi_head`], [`encoder`], [`decoder`], [`transformer`], and [`experiments`], [`classify`]
//! (put to use). The tokenizer and the vocabulary are [`common::data::basic_english`] and [`common::data::Vocabulary`].
//!
//! Letters in shape comments: B texts in a batch, T words of the longest, H values of a word.

pub mod attention_bag;
pub mod average;
pub mod classify;
pub mod cnn;
pub mod decoder;
pub mod encoder;
pub mod experiments;
pub mod gru;
pub mod layers;
pub mod multi_head;
pub mod padding;
pub mod position;
pub mod transformer;

pub use attention_bag::{EmbeddingAttentionBag, NewsAttention};
pub use average::NewsAverage;
pub use cnn::NewsCnn;
pub use decoder::DecoderLayer;
pub use encoder::{EncoderLayer, LayerSizes};
pub use experiments::chapter;
pub use gru::NewsGru;
pub use layers::Attentive;
pub use multi_head::{causal_mask, multi_head_attention, scaled_dot_product};
pub use padding::Padding;
pub use position::{PositionalEncoding, position_code};
pub use transformer::NewsTransformer;
