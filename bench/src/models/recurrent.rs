//! Recurrent networks over characters: the LSTM of 6.10 and the GRU cells of 7.7.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, Tensor};
use ch06_design::names::NameClassifier;
use common::Result;
use common::data::PaddedSequences;
use common::kernels::leaky_relu;
use common::nn::rnn::{GruCell, GruCellConfig};
use common::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use common::train::{Clip, Network, Optimizer, cross_entropy};

use crate::exchange::Tensors;
use crate::workload::Workload;

/// AdamW at 0.001 with every gradient element held within +- `limit`.
pub(super) fn clipped(limit: f64) -> (ModuleOptimizer, f64) {
    (Optimizer::adamw().init_with(Some(Clip::Value(limit))), 1e-3)
}

/// Names in a padded batch, and their languages.
pub struct Names {
    names: PaddedSequences,
    languages: Tensor<1, Int>,
}

impl Workload for NameClassifier {
    type Batch = Names;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        Self::lstm(device)
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Names> {
        Ok(Names {
            names: PaddedSequences {
                ids: tensors.int(&format!("x.{index}"), device)?,
                lengths: tensors.lengths(&format!("lengths.{index}"))?,
            },
            languages: tensors.int(&format!("y.{index}"), device)?,
        })
    }

    fn loss(&self, batch: &Names) -> Tensor<1> {
        let logits = self.forward(batch.names.clone()); // [B, 18]
        cross_entropy(logits, batch.languages.clone())
    }

    fn evaluate(&self, batch: &Names) {
        std::hint::black_box(self.forward(batch.names.clone()));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(5.0)
    }
}

/// Two GRU cells whose normalised states are carried on, and a head for each step: 184,356 parameters (section 7.5).
#[derive(Module, Debug)]
pub struct CharGru {
    embedding: Embedding,
    cells: Vec<GruCell>,
    norms: Vec<LayerNorm>,
    hidden: Linear,
    hidden_norm: LayerNorm,
    output: Linear,
}

impl CharGru {
    /// Characters [B, T] to logits [B, T, 36].
    fn forward(&self, text: Tensor<2, Int>) -> Tensor<3> {
        let [batch, steps] = text.dims();
        let x = self.embedding.forward(text); // [B, T, E]
        let zero = Tensor::zeros([batch, 128], &x.device());
        let mut states = vec![zero; self.cells.len()];
        let mut tops = Vec::with_capacity(steps);
        let cells: Vec<_> = self.cells.iter().map(GruCell::steps).collect();
        for t in 0..steps {
            let mut h = x.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            for ((cell, norm), state) in cells.iter().zip(&self.norms).zip(&mut states) {
                h = norm.forward(cell.forward(h, state.clone())); // [B, H]
                *state = h.clone();
            }
            tops.push(h);
        }
        let top = Tensor::stack::<3>(tops, 1); // [B, T, H]
        let hidden = leaky_relu(self.hidden.forward(top), 0.01);
        self.output.forward(self.hidden_norm.forward(hidden)) // [B, T, V]
    }
}

impl Workload for CharGru {
    type Batch = (Tensor<2, Int>, Tensor<2, Int>);

    fn fresh(_dropout: bool, device: &Device) -> Self {
        let norm = || LayerNormConfig::new(128).init(device);
        let cell = |inputs| GruCellConfig::new(inputs, 128).init(device);
        Self {
            embedding: EmbeddingConfig::new(36, 32).init(device),
            cells: vec![cell(32), cell(128)],
            norms: vec![norm(), norm()],
            hidden: LinearConfig::new(128, 128).init(device),
            hidden_norm: norm(),
            output: LinearConfig::new(128, 36).init(device),
        }
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch> {
        let text = tensors.int(&format!("x.{index}"), device)?;
        let next = tensors.int(&format!("y.{index}"), device)?;
        Ok((text, next))
    }

    /// Sum over the steps of the mean over the batch.
    fn loss(&self, (text, next): &Self::Batch) -> Tensor<1> {
        let [_, steps] = text.dims();
        let logits = self.forward(text.clone()).flatten::<2>(0, 1); // [B T, V]
        cross_entropy(logits, next.clone().flatten(0, 1)) * steps as f64
    }

    fn evaluate(&self, (text, _): &Self::Batch) {
        std::hint::black_box(self.forward(text.clone()));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(2.0)
    }
}
