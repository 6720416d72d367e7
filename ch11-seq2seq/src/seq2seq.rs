//! Encoder and decoder, and how they are taught (sections 11.3 and 11.4).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use common::data::PaddedSequences;
use common::kernels::weighted_cross_entropy;
use common::nn::{Embedding, EmbeddingConfig};
use common::seed::mix;

use crate::decoder::Decoder;
use crate::encoder::{EMBEDDING, Encoder};
use crate::pairs::PairBatch;
use crate::search::sampled;
use crate::words::{EOS, PAD};

/// Probability with which a batch is taught with the true words as the decoder's inputs.
const TEACHER_FORCING: f64 = 0.5;

/// A translator: 9,866,049 parameters for 24,577 words.
#[derive(Module, Debug)]
pub struct Seq2Seq {
    /// Shared by encoder and decoder.
    pub(crate) embedding: Embedding,
    pub(crate) encoder: Encoder,
    pub(crate) decoder: Decoder,
}

impl Seq2Seq {
    /// A fresh translator for a vocabulary of this many words.
    pub fn new(words: usize, device: &Device) -> Self {
        let embedding = EmbeddingConfig::new(words, EMBEDDING).with_padding(Some(PAD as usize));
        Self {
            embedding: embedding.init(device),
            encoder: Encoder::new(device),
            decoder: Decoder::new(words, device),
        }
    }

    /// Logits of the words of targets, each step given the true words before it.
    ///
    /// # Shapes
    /// - `source`: [B, S] with lengths
    /// - `target`: [B, T]
    /// - output: [B, T, V]
    pub fn forward(&self, source: &PaddedSequences, target: Tensor<2, Int>) -> Tensor<3> {
        let encoded = self.encoder.forward(&self.embedding, source);
        self.decoder
            .forward(&self.embedding, &encoded, shifted(target))
    }

    /// The loss of a batch when each step is given the true words before it, shape \[1\].
    pub fn forced_loss(&self, batch: &PairBatch) -> Tensor<1> {
        let logits = self.forward(&batch.source, batch.target.clone());
        time_summed_loss(logits, batch.target.clone())
    }

    /// The loss of a batch when each step is given a word drawn from the probabilities of the step before it, shape \[1\].
    ///
    /// A drawn word has no gradient. So the words are drawn first, by a copy that remembers nothing for gradients, and the pass that learns
    /// reads them as if they had been given: the same loss and gradients as drawing in that pass, for less work.
    pub fn free_loss(&self, batch: &PairBatch) -> Tensor<1> {
        let [_, steps] = batch.target.dims();
        let drawn = sampled(&self.valid(), &batch.source, steps, batch.seed); // [B, T]
        let drawn = Tensor::from_data(drawn, &batch.target.device());
        let logits = self.forward(&batch.source, drawn);
        time_summed_loss(logits, batch.target.clone())
    }
}

/// The coin of a batch: whether it is taught with the true words.
fn is_forced(seed: u64) -> bool {
    let coin = (mix(seed, 0) >> 11) as f64 / (1u64 << 53) as f64; // [0, 1)
    coin < TEACHER_FORCING
}

/// What the training loop gets: it reads nothing but the loss.
fn output(loss: Tensor<1>) -> RegressionOutput {
    let nothing = loss.clone().detach().unsqueeze::<2>(); // [1, 1]
    RegressionOutput::new(loss, nothing.clone(), nothing)
}

impl TrainStep for Seq2Seq {
    type Input = PairBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: PairBatch) -> TrainOutput<RegressionOutput> {
        let loss = match is_forced(batch.seed) {
            true => self.forced_loss(&batch),
            false => self.free_loss(&batch),
        };
        TrainOutput::new(self, loss.backward(), output(loss))
    }
}

impl InferenceStep for Seq2Seq {
    type Input = PairBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: PairBatch) -> RegressionOutput {
        output(self.forced_loss(&batch))
    }
}

/// EOS, with which the decoder begins, and all words but the last: [B, T].
fn shifted(target: Tensor<2, Int>) -> Tensor<2, Int> {
    let [batch, steps] = target.dims();
    let data = TensorData::new(vec![EOS as i32; batch], [batch, 1]);
    let first = Tensor::from_data(data, &target.device());
    match steps {
        0 | 1 => first,
        _ => Tensor::cat(vec![first, target.narrow(1, 0, steps - 1)], 1),
    }
}

/// The sum over the steps of the mean cross-entropy of the sentences that are not over: `Σ_t mean_b -log p(y_bt)`, without padding.
///
/// # Shapes
/// - `logits`: [B, T, V]
/// - `target`: [B, T]
/// - output: \[1\]
pub fn time_summed_loss(logits: Tensor<3>, target: Tensor<2, Int>) -> Tensor<1> {
    let valid = target.clone().not_equal_elem(PAD as i64).float(); // [B, T]
    let weights = valid.clone() / valid.sum_dim(0).clamp_min(1.0); // [B, T]
    let logits = logits.flatten::<2>(0, 1); // [B T, V]
    weighted_cross_entropy(logits, target.flatten(0, 1), weights.flatten(0, 1))
}
