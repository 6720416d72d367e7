//! The translator of 11.1, taught with the true words.

use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Tensor};
use ch11_seq2seq::Seq2Seq;
use ch11_seq2seq::pairs::PairBatch;
use common::Result;
use common::data::PaddedSequences;

use super::recurrent::clipped;
use crate::exchange::Tensors;
use crate::workload::Workload;

const WORDS: usize = 24_577;

impl Workload for Seq2Seq {
    type Batch = PairBatch;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        Seq2Seq::new(WORDS, device)
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<PairBatch> {
        Ok(PairBatch {
            source: PaddedSequences {
                ids: tensors.int(&format!("x.{index}"), device)?,
                lengths: tensors.lengths(&format!("lengths.{index}"))?,
            },
            target: tensors.int(&format!("y.{index}"), device)?,
            seed: 0,
        })
    }

    fn loss(&self, pairs: &PairBatch) -> Tensor<1> {
        self.forced_loss(pairs)
    }

    fn evaluate(&self, pairs: &PairBatch) {
        std::hint::black_box(self.forward(&pairs.source, pairs.target.clone()));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(10.0)
    }
}
