//! The classifier of names (sections 4.2 to 4.4).

use burn::module::Module;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use common::data::{LANGUAGES, NAME_ALPHABET, PaddedSequences, Sequences};
use common::nn::rnn::{Rnn, RnnConfig};
use common::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use common::train::Network;
use common::{Error, Result};

use crate::LastTimeStep;

/// Values of a letter's embedding.
pub const EMBEDDING: usize = 64;
/// Values of a state.
pub const HIDDEN: usize = 256;

/// Letters to vectors, vectors through an RNN, its last state to a score for each language.
///
/// Parameters: 90,706 with one layer, 353,874 with three, 966,226 with three in both directions.
#[derive(Module, Debug)]
pub struct NameClassifier {
    embedding: Embedding,
    rnn: Rnn,
    last: LastTimeStep,
    output: Linear,
}

impl NameClassifier {
    /// A fresh network.
    pub fn new(layers: usize, bidirectional: bool, device: &Device) -> Self {
        let directions = if bidirectional { 2 } else { 1 };
        Self {
            embedding: EmbeddingConfig::new(NAME_ALPHABET.len(), EMBEDDING).init(device),
            rnn: RnnConfig::new(EMBEDDING, HIDDEN)
                .with_num_layers(layers)
                .with_bidirectional(bidirectional)
                .init(device),
            last: LastTimeStep::new(layers, bidirectional),
            output: LinearConfig::new(directions * HIDDEN, LANGUAGES.len()).init(device),
        }
    }

    /// The probability of each language for a name, given as token numbers of [`NAME_ALPHABET`].
    ///
    /// # Errors
    /// [`Error::Usage`] for a name without letters, [`Error::Training`] when the device fails.
    pub fn languages(&self, name: &[u32], device: &Device) -> Result<Vec<f32>> {
        if name.is_empty() {
            return Err(Error::Usage("a name has at least one letter".into()));
        }
        let alone: Sequences = [name].into_iter().collect();
        let logits = self.forward(alone.padded(&[0], 0, device)); // [1, C]
        let p = softmax(logits, 1).into_data().try_to_vec::<f32>();
        p.map_err(|error| Error::Training(format!("reading probabilities: {error:?}")))
    }
}

impl Network for NameClassifier {
    type Input = PaddedSequences;

    fn forward(&self, names: PaddedSequences) -> Tensor<2> {
        let x = self.embedding.forward(names.ids); // [B, T, E]
        let (_, h) = self.rnn.forward(x, Some(&names.lengths), None); // [L * D, B, H]
        let last = self.last.forward(h); // [B, D * H]
        self.output.forward(last) // [B, C]
    }
}
