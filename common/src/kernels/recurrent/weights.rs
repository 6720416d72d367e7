//! The weights of one direction of a layer, ready for the products, and what gathers their gradients.

use std::sync::{Mutex, PoisonError};

use super::super::matmul::{Matrix, column_sums, matmul};
use super::super::packed::Packed;
use super::{Recurrence, Trace};

/// Steps whose weight gradients are taken in one product: a cell gives few at a time.
const TOGETHER: usize = 2048;

/// The weights of one direction of a layer, packed for all products of a forward and a backward pass.
#[derive(Debug)]
pub(crate) struct Weights {
    pub kind: Recurrence,
    pub inputs: usize,
    pub hidden: usize,
    /// `[inputs, input blocks]` and `[hidden, state blocks]`
    pub input: Packed,
    pub state: Packed,
    /// What the sums of the gates start from: the biases, `[blocks]`.
    pub start: Vec<f32>,
    /// What only the backward pass needs.
    pub training: Option<Training>,
}

#[derive(Debug)]
pub(crate) struct Training {
    /// `[input blocks, inputs]` and `[state blocks, hidden]`
    pub input: Packed,
    pub state: Packed,
    gradients: Mutex<Gathered>,
}

/// The steps that are still to be multiplied, and the gradients of the others.
#[derive(Debug, Default)]
struct Gathered {
    steps: Trace,
    sums: Option<WeightGradients>,
}

/// The gradients of `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`.
pub(crate) type WeightGradients = [Vec<f32>; 4];

impl Weights {
    /// Packs `weight_ih` `[gates * hidden, inputs]`, `weight_hh` `[gates * hidden, hidden]`, and both biases
    /// `[gates * hidden]`, in PyTorch's order of the gates.
    ///
    /// # Panics
    /// If the slices have other sizes.
    pub fn new(
        kind: Recurrence,
        [inputs, hidden]: [usize; 2],
        [weight_ih, weight_hh, bias_ih, bias_hh]: [&[f32]; 4],
        training: bool,
    ) -> Self {
        let outputs = kind.gates() * hidden;
        let both = bias_ih.iter().zip(bias_hh).map(|(i, h)| i + h);
        let mut rotated = Vec::new();
        let mut weight_ih = weight_ih;
        let start = match kind {
            Recurrence::Rnn | Recurrence::Lstm => both.collect(),
            Recurrence::Gru => {
                // PyTorch's order is r, z, n; the blocks are n, r, z, hidden part of n.
                rotated.extend_from_slice(weight_ih);
                rotated.rotate_right(hidden * inputs);
                weight_ih = &rotated;
                let n = 2 * hidden;
                let mut start = bias_ih[n..].to_vec();
                start.extend(both.take(n));
                start.extend_from_slice(&bias_hh[n..]);
                start
            }
        };
        let input = Matrix::new(weight_ih, outputs, inputs);
        let state = Matrix::new(weight_hh, outputs, hidden);
        Self {
            kind,
            inputs,
            hidden,
            input: Packed::new(input.transposed()),
            state: Packed::new(state.transposed()),
            start,
            training: training.then(|| Training {
                input: Packed::new(input),
                state: Packed::new(state),
                gradients: Mutex::default(),
            }),
        }
    }

    /// Values of all blocks.
    pub fn pitch(&self) -> usize {
        self.kind.blocks() * self.hidden
    }

    /// The gradients that the steps of a trace after its backward pass contribute.
    fn gradients(&self, steps: &Trace) -> WeightGradients {
        let (inputs, hidden, pitch) = (self.inputs, self.hidden, self.pitch());
        let rows = steps.gates.len() / pitch;
        let gates = Matrix::new(&steps.gates, rows, pitch);
        let [input, state] = [self.kind.input_blocks(), self.kind.state_blocks()]
            .map(|blocks| blocks.start * hidden..blocks.end * hidden);
        let product = |blocks: &std::ops::Range<usize>, with: &[f32], cols: usize| {
            let gates = gates.columns(blocks.clone()).transposed();
            matmul(gates, Matrix::new(with, rows, cols), &[])
        };
        let mut weight_ih = product(&input, &steps.x, inputs);
        let weight_hh = product(&state, &steps.previous, hidden);
        let sums = column_sums(&steps.gates, pitch);
        let (mut bias_ih, bias_hh) = (sums[input].to_vec(), sums[state].to_vec());
        if self.kind == Recurrence::Gru {
            weight_ih.rotate_left(hidden * inputs);
            bias_ih.rotate_left(hidden);
        }
        [weight_ih, weight_hh, bias_ih, bias_hh]
    }
}

impl Training {
    /// Takes the steps of a trace after its backward pass into the gradients.
    pub fn gather(&self, weights: &Weights, trace: Trace) {
        let mut gathered = self
            .gradients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        gathered.steps.append(trace);
        if gathered.steps.gates.len() >= TOGETHER * weights.pitch() {
            gathered.multiply(weights);
        }
    }

    /// The gradients of the weights from all steps so far.
    pub fn take(&self, weights: &Weights) -> WeightGradients {
        let mut gathered = self
            .gradients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if gathered.sums.is_none() || !gathered.steps.gates.is_empty() {
            gathered.multiply(weights);
        }
        gathered.sums.take().unwrap_or_default()
    }
}

impl Gathered {
    fn multiply(&mut self, weights: &Weights) {
        let more = weights.gradients(&self.steps);
        self.steps.clear();
        match &mut self.sums {
            None => self.sums = Some(more),
            Some(sums) => {
                for (sum, more) in sums.iter_mut().flatten().zip(more.iter().flatten()) {
                    *sum += more;
                }
            }
        }
    }
}
