//! What the chapter's networks are measured by: a recurrent one (section 12.1).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch04_rnn::LastTimeStep;
use common::data::{NEWS_CLASSES, PaddedSequences};
use common::nn::rnn::{Gru, GruConfig};
use common::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use common::train::Network;

use crate::layers::WIDTH;
use crate::padding::Padding;

/// Layers of the GRU, each in both directions.
const LAYERS: usize = 3;

/// Embedding, three bidirectional GRU layers, the last states of both directions. 3,434,884 parameters for 20,647 words.
#[derive(Module, Debug)]
pub struct NewsGru {
    embedding: Embedding,
    gru: Gru,
    last: LastTimeStep,
    output: Linear,
    #[module(skip)]
    padding: Padding,
}

impl NewsGru {
    /// A fresh network for a vocabulary of `words`. As printed, it reads the padding too.
    pub fn new(words: usize, padding: Padding, device: &Device) -> Self {
        let gru = GruConfig::new(WIDTH, WIDTH).with_num_layers(LAYERS);
        Self {
            embedding: EmbeddingConfig::new(words, WIDTH).init(device),
            gru: gru.with_bidirectional(true).init(device),
            last: LastTimeStep::new(LAYERS, true),
            output: LinearConfig::new(2 * WIDTH, NEWS_CLASSES.len()).init(device),
            padding,
        }
    }
}

impl Network for NewsGru {
    type Input = PaddedSequences;

    fn forward(&self, texts: PaddedSequences) -> Tensor<2> {
        let x = self.embedding.forward(texts.ids); // [B, T, H]
        let lengths = match self.padding {
            Padding::Masked => Some(texts.lengths.as_slice()),
            Padding::AsPrinted => None,
        };
        let (_, h) = self.gru.forward(x, lengths, None); // [6, B, H]
        self.output.forward(self.last.forward(h)) // [B, 4]
    }
}
