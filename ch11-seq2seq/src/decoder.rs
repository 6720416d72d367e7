//! Writes a sentence word by word, looking at the encoder's states before each (section 11.4).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use ch10_attention::{AttentionScore, DotScore, apply_attention};
use common::kernels::leaky_relu;
use common::nn::rnn::{GruCell, GruCellConfig, GruSteps};
use common::nn::{Embedding, LayerNorm, LayerNormConfig, Linear, LinearConfig};

use crate::encoder::{EMBEDDING, Encoded, HIDDEN};

/// Of the leaky rectifier.
const SLOPE: f64 = 0.01;

/// Three GRU cells, one on the other; attention of the topmost state to the encoder's states; two hidden layers and a score for each word.
#[derive(Module, Debug)]
pub struct Decoder {
    cells: Vec<GruCell>,
    attention: DotScore,
    hidden_1: Linear,
    norm_1: LayerNorm,
    hidden_2: Linear,
    norm_2: LayerNorm,
    output: Linear,
}

/// The cells made ready for the steps of one sentence, and their states.
pub struct Memory {
    cells: Vec<GruSteps>,
    /// [B, H] each
    states: Vec<Tensor<2>>,
}

impl Memory {
    /// Takes in the embeddings of a word per sentence, [B, E], and gives the topmost state, [B, H].
    pub fn step(&mut self, x: Tensor<2>) -> Tensor<2> {
        let mut h = x;
        for (cell, state) in self.cells.iter().zip(&mut self.states) {
            h = cell.forward(h, state.clone()); // [B, H]
            *state = h.clone();
        }
        h
    }

    /// Keeps, at each place, the states of another row.
    pub fn select(&mut self, rows: &Tensor<1, Int>) {
        for state in &mut self.states {
            *state = state.clone().select(0, rows.clone());
        }
    }
}

impl Decoder {
    /// A fresh decoder for a vocabulary of this many words.
    pub fn new(words: usize, device: &Device) -> Self {
        let cell = |inputs| GruCellConfig::new(inputs, HIDDEN).init(device);
        let norm = || LayerNormConfig::new(HIDDEN).init(device);
        Self {
            cells: vec![cell(EMBEDDING), cell(HIDDEN), cell(HIDDEN)],
            attention: DotScore,
            hidden_1: LinearConfig::new(2 * HIDDEN, HIDDEN).init(device),
            norm_1: norm(),
            hidden_2: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            norm_2: norm(),
            output: LinearConfig::new(HIDDEN, words).init(device),
        }
    }

    /// The cells, each of them in the encoder's last state.
    pub fn start(&self, encoded: &Encoded) -> Memory {
        Memory {
            cells: self.cells.iter().map(GruCell::steps).collect(),
            states: vec![encoded.last.clone(); self.cells.len()],
        }
    }

    /// From topmost states to scores for the next words: each state looks at the source, and what it sees goes through the layers beside it.
    ///
    /// # Shapes
    /// - `tops`: [B, T, H]
    /// - output: logits [B, T, V], weights of the source's words [B, T, S]
    pub fn read_out(&self, tops: Tensor<3>, encoded: &Encoded) -> (Tensor<3>, Tensor<3>) {
        let states = encoded.states.clone(); // [B, S, H]
        let scores = self.attention.forward(states.clone(), tops.clone()); // [B, T, S]
        let (context, weights) = apply_attention(states, scores, Some(encoded.valid.clone()));
        let y = Tensor::cat(vec![context, tops], 2); // [B, T, 2H]
        let y = leaky_relu(self.hidden_1.forward(y), SLOPE); // [B, T, H]
        let y = self.norm_1.forward(y);
        let y = leaky_relu(self.hidden_2.forward(y), SLOPE);
        let y = self.norm_2.forward(y);
        (self.output.forward(y), weights)
    }

    /// Logits for all steps when the inputs are known: the cells go step by step, the rest is done for all steps at once.
    ///
    /// # Shapes
    /// - `inputs`: [B, T]
    /// - output: [B, T, V]
    pub fn forward(
        &self,
        embedding: &Embedding,
        encoded: &Encoded,
        inputs: Tensor<2, Int>,
    ) -> Tensor<3> {
        let [_, steps] = inputs.dims();
        let x = embedding.forward(inputs); // [B, T, E]
        let mut memory = self.start(encoded);
        let step = |t: usize| memory.step(x.clone().narrow(1, t, 1).squeeze_dim::<2>(1));
        let tops: Vec<Tensor<2>> = (0..steps).map(step).collect();
        self.read_out(Tensor::stack(tops, 1), encoded).0
    }
}
