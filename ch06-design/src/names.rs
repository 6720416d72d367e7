//! The classifier of names, with an RNN or an LSTM as its memory (section 6.6).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch04_rnn::LastTimeStep;
use ch04_rnn::networks::{EMBEDDING, HIDDEN};
use common::data::{LANGUAGES, NAME_ALPHABET, PaddedSequences};
use common::nn::rnn::{Lstm, LstmConfig, Rnn, RnnConfig};
use common::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use common::train::Network;

/// Stacked layers.
const LAYERS: usize = 3;

/// Three recurrent layers.
#[derive(Module, Debug)]
enum Memory {
    /// `h' = tanh(W_x x + b_x + W_h h + b_h)`: the state is overwritten at each step.
    Rnn(Rnn),
    /// `f, i, o = σ(W [x, h] + b)`, `g = tanh(W [x, h] + b)`, `C' = f C + i g`, `h' = o tanh(C')`: where f is 1 and i is 0, C and its
    /// gradient pass a step unchanged.
    Lstm(Lstm),
}

/// Letters to vectors, vectors through three layers with a memory, the last state to a score for each language.
///
/// 353,874 parameters with an RNN, 1,390,674 with an LSTM.
#[derive(Module, Debug)]
pub struct NameClassifier {
    embedding: Embedding,
    memory: Memory,
    last: LastTimeStep,
    output: Linear,
}

impl NameClassifier {
    fn new(memory: Memory, device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(NAME_ALPHABET.len(), EMBEDDING).init(device),
            memory,
            last: LastTimeStep::new(LAYERS, false),
            output: LinearConfig::new(HIDDEN, LANGUAGES.len()).init(device),
        }
    }

    /// A fresh network with an RNN.
    pub fn rnn(device: &Device) -> Self {
        let config = RnnConfig::new(EMBEDDING, HIDDEN).with_num_layers(LAYERS);
        Self::new(Memory::Rnn(config.init(device)), device)
    }

    /// A fresh network with an LSTM.
    pub fn lstm(device: &Device) -> Self {
        let config = LstmConfig::new(EMBEDDING, HIDDEN).with_num_layers(LAYERS);
        Self::new(Memory::Lstm(config.init(device)), device)
    }
}

impl Network for NameClassifier {
    type Input = PaddedSequences;

    fn forward(&self, names: PaddedSequences) -> Tensor<2> {
        let x = self.embedding.forward(names.ids); // [B, T, 64]
        let h = match &self.memory {
            Memory::Rnn(rnn) => rnn.forward(x, Some(&names.lengths), None).1,
            Memory::Lstm(lstm) => lstm.forward(x, Some(&names.lengths), None).1.0,
        }; // [3, B, 256]
        self.output.forward(self.last.forward(h)) // [B, 18]
    }
}
