//! Reads a sentence in both directions (section 11.4).

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use ch10_attention::valid_tokens;
use common::data::PaddedSequences;
use common::nn::Embedding;
use common::nn::rnn::{Gru, GruConfig};

use crate::words::PAD;

/// Layers of the encoder and cells of the decoder.
pub const LAYERS: usize = 3;
/// Values of an embedding.
pub const EMBEDDING: usize = 64;
/// Values of a state: half of them from each direction of the encoder.
pub const HIDDEN: usize = 256;

/// What the decoder gets of a source.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// A state for each word, what was read from the left beside what was read from the right: [B, S, H].
    pub states: Tensor<3>,
    /// Which words are no padding: [B, S].
    pub valid: Tensor<2, Bool>,
    /// The last state in both directions, with which every cell of the decoder starts: [B, H].
    pub last: Tensor<2>,
}

impl Encoded {
    /// So many copies of a source that was encoded alone.
    pub fn repeated(&self, times: usize) -> Self {
        Self {
            states: self.states.clone().repeat_dim(0, times),
            valid: self.valid.clone().repeat_dim(0, times),
            last: self.last.clone().repeat_dim(0, times),
        }
    }
}

/// Three layers of GRU in both directions. Each sentence is read over its own length: padding changes nothing.
#[derive(Module, Debug)]
pub struct Encoder {
    gru: Gru,
}

impl Encoder {
    /// A fresh encoder.
    pub fn new(device: &Device) -> Self {
        let gru = GruConfig::new(EMBEDDING, HIDDEN / 2).with_num_layers(LAYERS);
        Self {
            gru: gru.with_bidirectional(true).init(device),
        }
    }

    /// Reads sources with the embedding that encoder and decoder share.
    ///
    /// # Panics
    /// If a word's number is not in the embedding.
    pub fn forward(&self, embedding: &Embedding, source: &PaddedSequences) -> Encoded {
        let valid = valid_tokens(source.ids.clone(), PAD); // [B, S]
        let x = embedding.forward(source.ids.clone()); // [B, S, E]
        let (states, last) = self.gru.forward(x, Some(&source.lengths), None); // [B, S, H], [2 L, B, H / 2]
        let [count, batch, half] = last.dims();
        let last = last.narrow(0, count - 2, 2).swap_dims(0, 1); // [B, 2, H / 2]
        Encoded {
            states,
            valid,
            last: last.reshape([batch, 2 * half]), // [B, H]
        }
    }
}
