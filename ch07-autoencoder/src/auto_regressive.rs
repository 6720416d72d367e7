//! A recurrent network that predicts the next character from all before it (section 7.5.2).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use common::kernels::leaky_relu;
use common::nn::rnn::{GruCell, GruCellConfig, GruSteps};
use common::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};

/// Values of a character's embedding.
pub const EMBEDDING: usize = 32;
/// Values of a state.
pub const HIDDEN: usize = 128;
/// Recurrent layers.
const LAYERS: usize = 2;

/// Embedding, two GRU cells, and a head that scores each symbol as the next one.
///
/// The state of a cell is normalised (layer norm), and the normalised state is what the next step starts from. 184,356 parameters with 36
/// symbols.
#[derive(Module, Debug)]
pub struct AutoRegressive {
    embedding: Embedding,
    cells: Vec<GruCell>,
    norms: Vec<LayerNorm>,
    hidden: Linear,
    hidden_norm: LayerNorm,
    output: Linear,
}

/// The state of each layer, [B, H].
pub type States = Vec<Tensor<2>>;

impl AutoRegressive {
    /// A fresh network for a vocabulary of so many symbols.
    pub fn new(symbols: usize, device: &Device) -> Self {
        let norm = || LayerNormConfig::new(HIDDEN).init(device);
        let cell = |inputs| GruCellConfig::new(inputs, HIDDEN).init(device);
        Self {
            embedding: EmbeddingConfig::new(symbols, EMBEDDING).init(device),
            cells: vec![cell(EMBEDDING), cell(HIDDEN)],
            norms: vec![norm(), norm()],
            hidden: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            hidden_norm: norm(),
            output: LinearConfig::new(HIDDEN, symbols).init(device),
        }
    }

    /// Zeros, from which a text starts.
    pub fn init_hidden(&self, batch: usize, device: &Device) -> States {
        vec![Tensor::zeros([batch, HIDDEN], device); LAYERS]
    }

    /// The network made ready to go through texts step by step.
    pub fn steps(&self) -> Steps<'_> {
        Steps {
            network: self,
            cells: self.cells.iter().map(GruCell::steps).collect(),
        }
    }

    /// Scores of the next character after each character.
    ///
    /// # Shapes
    /// - `text`: [B, T]
    /// - output: [B, T, V]
    pub fn forward(&self, text: Tensor<2, Int>) -> Tensor<3> {
        let [batch, time] = text.dims();
        let mut states = self.init_hidden(batch, &text.device());
        let steps = self.steps();
        let text = text.swap_dims(0, 1); // [T, B]
        let step = |t| {
            let x_t = text.clone().narrow(0, t, 1).squeeze_dim::<1>(0); // [B]
            steps.read(x_t, &mut states) // [B, H]
        };
        let tops: Vec<_> = (0..time).map(step).collect();
        // The head is the same at each step: once for all steps takes a product instead of T.
        let logits = self.head(Tensor::cat(tops, 0)); // [T B, V]
        let [_, symbols] = logits.dims();
        logits.reshape([time, batch, symbols]).swap_dims(0, 1) // [B, T, V]
    }

    /// Linear, leaky ReLU, layer norm, linear: [rows, H] to [rows, V].
    fn head(&self, top: Tensor<2>) -> Tensor<2> {
        let hidden = leaky_relu(self.hidden.forward(top), 0.01); // [rows, H]
        self.output.forward(self.hidden_norm.forward(hidden)) // [rows, V]
    }
}

/// [`AutoRegressive`] with its recurrent weights laid out for many steps.
pub struct Steps<'a> {
    network: &'a AutoRegressive,
    cells: Vec<GruSteps>,
}

impl Steps<'_> {
    /// Scores of the next character after one more character of each text; `states` become those after it.
    ///
    /// # Shapes
    /// - `x`: \[B\]
    /// - output: [B, V]
    pub fn step(&self, x: Tensor<1, Int>, states: &mut States) -> Tensor<2> {
        let top = self.read(x, states);
        self.network.head(top)
    }

    /// The last layer's state after one more character, [B, H].
    fn read(&self, x: Tensor<1, Int>, states: &mut States) -> Tensor<2> {
        let mut h = self.network.embedding.lookup(x); // [B, E]
        let layers = self.cells.iter().zip(&self.network.norms);
        for ((cell, norm), state) in layers.zip(states) {
            h = norm.forward(cell.forward(h, state.clone())); // [B, H]
            *state = h.clone();
        }
        h
    }
}
