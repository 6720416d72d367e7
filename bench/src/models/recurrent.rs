//! Recurrent networks over characters: the LSTM of 6.10 and the GRU cells of 7.7.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, Tensor};
use ch07_autoencoder::auto_regressive::AutoRegressive;
use ch07_autoencoder::loss::cross_entropy_over_time;
use common::Result;
use common::nn::rnn::{Lstm, LstmConfig};
use common::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use common::train::{Clip, Optimizer, cross_entropy};

use crate::exchange::Tensors;
use crate::workload::Workload;

/// AdamW at 0.001 with every gradient element held within +- `limit`.
pub(super) fn clipped(limit: f64) -> (ModuleOptimizer, f64) {
    (Optimizer::adamw().init_with(Some(Clip::Value(limit))), 1e-3)
}

/// Three LSTM layers, the state after each name's last letter: 1,390,674 parameters (section 6.6).
#[derive(Module, Debug)]
pub struct NamesLstm {
    embedding: Embedding,
    lstm: Lstm,
    output: Linear,
}

/// Names, lengths and languages.
pub struct Names {
    letters: Tensor<2, Int>,
    lengths: Vec<usize>,
    languages: Tensor<1, Int>,
}

impl NamesLstm {
    /// Logits [B, 18].
    fn forward(&self, names: &Names) -> Tensor<2> {
        let x = self.embedding.forward(names.letters.clone()); // [B, T, E]
        let (_, (last, _)) = self.lstm.forward(x, Some(&names.lengths), None); // [3, B, H]
        let [layers, _, _] = last.dims();
        self.output
            .forward(last.narrow(0, layers - 1, 1).squeeze_dim(0)) // [B, 18]
    }
}

impl Workload for NamesLstm {
    type Batch = Names;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(57, 64).init(device),
            lstm: LstmConfig::new(64, 256).with_num_layers(3).init(device),
            output: LinearConfig::new(256, 18).init(device),
        }
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Names> {
        Ok(Names {
            letters: tensors.int(&format!("x.{index}"), device)?,
            lengths: tensors.lengths(&format!("lengths.{index}"))?,
            languages: tensors.int(&format!("y.{index}"), device)?,
        })
    }

    fn loss(&self, names: &Names) -> Tensor<1> {
        cross_entropy(self.forward(names), names.languages.clone())
    }

    fn evaluate(&self, names: &Names) {
        std::hint::black_box(self.forward(names));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(5.0)
    }
}

/// Two GRU cells whose normalised states are carried on, and a head for each step: 184,356 parameters (section 7.5).
impl Workload for AutoRegressive {
    type Batch = (Tensor<2, Int>, Tensor<2, Int>);

    fn fresh(_dropout: bool, device: &Device) -> Self {
        AutoRegressive::new(36, device)
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch> {
        let text = tensors.int(&format!("x.{index}"), device)?;
        let next = tensors.int(&format!("y.{index}"), device)?;
        Ok((text, next))
    }

    fn loss(&self, (text, next): &Self::Batch) -> Tensor<1> {
        cross_entropy_over_time(self.forward(text.clone()), next.clone())
    }

    fn evaluate(&self, (text, _): &Self::Batch) {
        std::hint::black_box(self.forward(text.clone()));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(2.0)
    }
}
