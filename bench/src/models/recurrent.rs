//! Recurrent networks over characters: the LSTM of 6.10 and the GRU cells of 7.7.

use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, Tensor};
use ch06_design::names::NameClassifier;
use ch07_autoencoder::auto_regressive::AutoRegressive;
use ch07_autoencoder::loss::cross_entropy_over_time;
use common::Result;
use common::data::PaddedSequences;
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
