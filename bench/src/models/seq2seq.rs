//! The translator of 11.1, taught with the true words.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, Tensor};
use common::Result;
use common::kernels::{AttentionMask, attention, leaky_relu, weighted_cross_entropy};
use common::nn::rnn::{Gru, GruCell, GruCellConfig, GruConfig};
use common::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};

use super::recurrent::clipped;
use crate::exchange::Tensors;
use crate::workload::Workload;

const WORDS: usize = 24_577;
const PAD: i32 = 0;

/// Pairs of sentences, padded.
pub struct Pairs {
    source: Tensor<2, Int>,
    lengths: Vec<usize>,
    /// The last word of each source, with which the decoder begins: [B, 1].
    last: Tensor<2, Int>,
    target: Tensor<2, Int>,
}

/// A bidirectional GRU, three GRU cells with attention over its states: 9,866,049 parameters (section 11.4).
#[derive(Module, Debug)]
pub struct Seq2Seq {
    embedding: Embedding,
    encoder: Gru,
    cells: Vec<GruCell>,
    hidden_1: Linear,
    norm_1: LayerNorm,
    hidden_2: Linear,
    norm_2: LayerNorm,
    output: Linear,
}

impl Seq2Seq {
    /// Logits [B, T, V].
    fn forward(&self, pairs: &Pairs) -> Tensor<3> {
        let padding = AttentionMask::padding(pairs.source.clone().equal_elem(PAD)); // [B, S]
        let source = self.embedding.forward(pairs.source.clone()); // [B, S, E]
        let (outputs, last) = self.encoder.forward(source, Some(&pairs.lengths), None);
        let last = |from_end: usize| last.clone().narrow(0, 6 - from_end, 1).squeeze_dim::<2>(0);
        let ends = Tensor::cat(vec![last(2), last(1)], 1); // [B, 256]
        let [_, steps] = pairs.target.dims();
        let words = match steps {
            1 => pairs.last.clone(),
            _ => Tensor::cat(
                vec![
                    pairs.last.clone(),
                    pairs.target.clone().narrow(1, 0, steps - 1),
                ],
                1,
            ),
        };
        let x = self.embedding.forward(words); // [B, T, E]
        let mut states = vec![ends; self.cells.len()];
        let mut tops = Vec::with_capacity(steps);
        let cells: Vec<_> = self.cells.iter().map(GruCell::steps).collect();
        for t in 0..steps {
            let mut h = x.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            for (cell, state) in cells.iter().zip(&mut states) {
                h = cell.forward(h, state.clone()); // [B, 256]
                *state = h.clone();
            }
            tops.push(h);
        }
        let top = Tensor::stack::<3>(tops, 1); // [B, T, 256]
        // Scores q k / 16, which is the square root of the width.
        let context = attention(top.clone(), outputs.clone(), outputs, 1, &padding, 0.0); // [B, T, 256]
        let y = Tensor::cat(vec![context, top], 2); // [B, T, 512]
        let y = self
            .norm_1
            .forward(leaky_relu(self.hidden_1.forward(y), 0.01));
        let y = self
            .norm_2
            .forward(leaky_relu(self.hidden_2.forward(y), 0.01));
        self.output.forward(y)
    }
}

impl Workload for Seq2Seq {
    type Batch = Pairs;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        let encoder = GruConfig::new(64, 128).with_num_layers(3);
        let cell = |inputs| GruCellConfig::new(inputs, 256).init(device);
        let norm = || LayerNormConfig::new(256).init(device);
        Self {
            embedding: EmbeddingConfig::new(WORDS, 64).init(device),
            encoder: encoder.with_bidirectional(true).init(device),
            cells: vec![cell(64), cell(256), cell(256)],
            hidden_1: LinearConfig::new(512, 256).init(device),
            norm_1: norm(),
            hidden_2: LinearConfig::new(256, 256).init(device),
            norm_2: norm(),
            output: LinearConfig::new(256, WORDS).init(device),
        }
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Pairs> {
        Ok(Pairs {
            source: tensors.int(&format!("x.{index}"), device)?,
            lengths: tensors.lengths(&format!("lengths.{index}"))?,
            last: tensors.int(&format!("last.{index}"), device)?,
            target: tensors.int(&format!("y.{index}"), device)?,
        })
    }

    /// Sum over the steps of the mean over the sentences that are not over.
    fn loss(&self, pairs: &Pairs) -> Tensor<1> {
        let valid = pairs.target.clone().not_equal_elem(PAD).float(); // [B, T]
        let weights = valid.clone() / valid.sum_dim(0); // [B, T]
        let logits = self.forward(pairs).flatten::<2>(0, 1); // [B T, V]
        weighted_cross_entropy(
            logits,
            pairs.target.clone().flatten(0, 1),
            weights.flatten(0, 1),
        )
    }

    fn evaluate(&self, pairs: &Pairs) {
        std::hint::black_box(self.forward(pairs));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(10.0)
    }
}
