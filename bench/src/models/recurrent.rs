//! Recurrent networks over characters: the LSTM of 6.10 and the GRU cells of 7.7.

use burn::grad_clipping::GradientClipping;
use burn::module::Module;
use burn::nn::lstm::{Lstm, LstmConfig};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, Tensor};
use common::Result;
use common::kernels::{leaky_relu, sigmoid, tanh};
use common::nn::{Linear, LinearConfig};
use common::train::{Optimizer, cross_entropy};

use crate::exchange::Tensors;
use crate::workload::Workload;

/// AdamW at 0.001 with every gradient element held within +- `limit`.
pub(super) fn clipped(limit: f32) -> (ModuleOptimizer, f64) {
    let optimizer = Optimizer::adamw().init();
    let clipping = GradientClipping::Value(limit);
    (optimizer.with_grad_clipping(clipping), 1e-3)
}

/// Three LSTM layers, the state after each name's last letter: 1,390,674 parameters (section 6.6).
#[derive(Module, Debug)]
pub struct NamesLstm {
    embedding: Embedding,
    lstm: Vec<Lstm>,
    output: Linear,
}

/// Names, lengths and languages.
pub struct Names {
    letters: Tensor<2, Int>,
    lengths: Tensor<1, Int>,
    languages: Tensor<1, Int>,
}

impl NamesLstm {
    /// Letters [B, T] and lengths \[B\] to logits [B, 18].
    fn forward(&self, letters: Tensor<2, Int>, lengths: Tensor<1, Int>) -> Tensor<2> {
        let mut x = self.embedding.forward(letters); // [B, T, E]
        for layer in &self.lstm {
            x = layer.forward(x, None).0; // [B, T, H]
        }
        let [batch, _, width] = x.dims();
        // What follows a name's last letter is padding, which the states before it have not seen.
        let last = (lengths - 1)
            .unsqueeze_dims::<3>(&[1, 2])
            .expand([batch, 1, width]);
        self.output.forward(x.gather(1, last).squeeze_dim(1)) // [B, 18]
    }
}

impl Workload for NamesLstm {
    type Batch = Names;

    fn fresh(_dropout: bool, device: &Device) -> Self {
        let layer = |inputs| LstmConfig::new(inputs, 256, true).init(device);
        Self {
            embedding: EmbeddingConfig::new(57, 64).init(device),
            lstm: vec![layer(64), layer(256), layer(256)],
            output: LinearConfig::new(256, 18).init(device),
        }
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Names> {
        Ok(Names {
            letters: tensors.int(&format!("x.{index}"), device)?,
            lengths: tensors.int(&format!("lengths.{index}"), device)?,
            languages: tensors.int(&format!("y.{index}"), device)?,
        })
    }

    fn loss(&self, names: &Names) -> Tensor<1> {
        let logits = self.forward(names.letters.clone(), names.lengths.clone());
        cross_entropy(logits, names.languages.clone())
    }

    fn evaluate(&self, names: &Names) {
        std::hint::black_box(self.forward(names.letters.clone(), names.lengths.clone()));
    }

    fn optimizer() -> (ModuleOptimizer, f64) {
        clipped(5.0)
    }
}

/// A GRU cell in PyTorch's form, all gates in one product each for the input and the state (section 7.5).
#[derive(Module, Debug)]
pub struct GruCell {
    input: Linear,
    hidden: Linear,
}

impl GruCell {
    /// From this many inputs to a state of this width.
    pub fn new(inputs: usize, width: usize, device: &Device) -> Self {
        Self {
            input: LinearConfig::new(inputs, 3 * width).init(device),
            hidden: LinearConfig::new(width, 3 * width).init(device),
        }
    }

    /// Inputs [B, E] and states [B, H] to the next states: h' = (1 - z) n + z h.
    pub fn forward(&self, x: Tensor<2>, h: Tensor<2>) -> Tensor<2> {
        let [_, width] = h.dims();
        let from_input = self.input.forward(x); // [B, 3H]
        let from_state = self.hidden.forward(h.clone()); // [B, 3H]
        let gates = sigmoid(
            from_input.clone().narrow(1, 0, 2 * width) + from_state.clone().narrow(1, 0, 2 * width),
        );
        let reset = gates.clone().narrow(1, 0, width);
        let update = gates.narrow(1, width, width);
        let new = tanh(
            from_input.narrow(1, 2 * width, width) + reset * from_state.narrow(1, 2 * width, width),
        );
        new.clone() + update * (h - new)
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
        for t in 0..steps {
            let mut h = x.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            for ((cell, norm), state) in self.cells.iter().zip(&self.norms).zip(&mut states) {
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
        Self {
            embedding: EmbeddingConfig::new(36, 32).init(device),
            cells: vec![
                GruCell::new(32, 128, device),
                GruCell::new(128, 128, device),
            ],
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
