//! Recurrent layers and cells, with the shapes, the initial weights and the results of PyTorch's.
//!
//! `x` is `[batch, time, inputs]`. Sequences of different lengths are padded at their end and come with their lengths: each
//! gives what it gives alone, as PyTorch's packed sequences do. Weights and biases are drawn from U(-k, k),
//! k = 1 / sqrt(hidden_size).

mod cells;
mod layers;

pub use cells::{
    GruCell, GruCellConfig, GruSteps, LstmCell, LstmCellConfig, LstmSteps, RnnCell, RnnCellConfig,
    RnnSteps,
};
pub use layers::{Gru, GruConfig, Lstm, LstmConfig, Rnn, RnnConfig};

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::kernels::{Recurrence, Recurrent, RecurrentWeights, recurrent};
use crate::nn::Dropout;

/// From the names of PyTorch's weights to the names of a layer's: patterns for
/// [`with_key_remapping`](burn::store::SafetensorsStore::with_key_remapping). Shapes and order of the gates are the same;
/// cells have PyTorch's names already.
pub const PYTORCH_KEYS: [(&str, &str); 2] = [
    (
        r"((?:weight|bias)_(?:ih|hh))_l(\d+)_reverse$",
        "layers.$2.reverse.$1",
    ),
    (
        r"((?:weight|bias)_(?:ih|hh))_l(\d+)$",
        "layers.$2.forward.$1",
    ),
];

/// The weights of a layer for one direction. An LSTM's gates come in the order i, f, g, o, a GRU's r, z, n.
#[derive(Module, Debug)]
pub struct Direction {
    /// `[gates * hidden_size, inputs]`
    pub weight_ih: Param<Tensor<2>>,
    /// `[gates * hidden_size, hidden_size]`
    pub weight_hh: Param<Tensor<2>>,
    /// `[gates * hidden_size]`
    pub bias_ih: Param<Tensor<1>>,
    /// `[gates * hidden_size]`
    pub bias_hh: Param<Tensor<1>>,
}

impl Direction {
    fn new(kind: Recurrence, inputs: usize, hidden: usize, device: &Device) -> Self {
        let bound = 1.0 / (hidden as f64).sqrt();
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let rows = kind.gates() * hidden;
        Self {
            weight_ih: uniform.init([rows, inputs], device),
            weight_hh: uniform.init([rows, hidden], device),
            bias_ih: uniform.init([rows], device),
            bias_hh: uniform.init([rows], device),
        }
    }

    fn weights(&self, kind: Recurrence) -> RecurrentWeights {
        let biases = [self.bias_ih.val(), self.bias_hh.val()];
        RecurrentWeights::new(kind, self.weight_ih.val(), self.weight_hh.val(), biases)
    }
}

/// One of the stacked layers.
#[derive(Module, Debug)]
pub struct Layer {
    /// From the first step to the last.
    pub forward: Direction,
    /// From the own last step of each sequence to the first.
    pub reverse: Option<Direction>,
}

impl Layer {
    fn directions(&self) -> impl Iterator<Item = &Direction> {
        std::iter::once(&self.forward).chain(&self.reverse)
    }
}

/// Sizes of a stack of layers.
struct Sizes {
    inputs: usize,
    hidden: usize,
    layers: usize,
    bidirectional: bool,
}

fn stack(kind: Recurrence, sizes: &Sizes, device: &Device) -> Vec<Layer> {
    let Sizes {
        inputs,
        hidden,
        layers,
        bidirectional,
    } = *sizes;
    let layer = |index: usize| {
        let inputs = match index {
            0 => inputs,
            _ => hidden * if bidirectional { 2 } else { 1 },
        };
        let direction = || Direction::new(kind, inputs, hidden, device);
        Layer {
            forward: direction(),
            reverse: bidirectional.then(direction),
        }
    };
    (0..layers).map(layer).collect()
}

/// Runs `x` through all layers: the last one's states at all steps, and the last states of all of them.
fn run(
    kind: Recurrence,
    layers: &[Layer],
    dropout: &Dropout,
    x: Tensor<3>,
    lengths: Option<&[usize]>,
    [h, c]: [Option<Tensor<3>>; 2],
) -> Recurrent {
    let ([batch, ..], device) = (x.dims(), x.device());
    let mut output = x;
    let (mut last, mut last_cells) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (index, layer) in layers.iter().enumerate() {
        let weights: Vec<_> = layer.directions().map(|d| d.weights(kind)).collect();
        let (count, [_, hidden]) = (weights.len(), weights[0].sizes());
        let states = |all: &Option<Tensor<3>>| match all {
            Some(all) => all.clone().narrow(0, first, count), // [D, B, H]
            None => Tensor::zeros([count, batch, hidden], &device),
        };
        if index > 0 {
            output = dropout.forward(output);
        }
        let cells = (kind == Recurrence::Lstm).then(|| states(&c));
        let result = recurrent(&weights, output, lengths, states(&h), cells);
        output = result.output; // [B, T, D * H]
        last.push(result.h);
        last_cells.extend(result.c);
        first += count;
    }
    Recurrent {
        output,
        h: join(last), // [layers * D, B, H]
        c: (kind == Recurrence::Lstm).then(|| join(last_cells)),
    }
}

fn join(mut states: Vec<Tensor<3>>) -> Tensor<3> {
    match states.len() {
        1 => states.remove(0),
        _ => Tensor::cat(states, 0),
    }
}
