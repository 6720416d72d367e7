//! The states at all steps.

use std::sync::Arc;

use rayon::prelude::*;

use super::super::packed::{Lines, Start};
use super::super::parallel::{Shared, Unwritten};
use super::gates::Step;
use super::schedule::{Part, Schedule};
use super::{Recurrence, Weights};

/// Rows whose product with the input is taken at once: enough for the weights to be read seldom, and few enough
/// for the result to stay in the cache until its steps come.
pub(super) const BLOCK: usize = 96;

/// A layer, its weights for each direction (the second is the reverse one), and a batch for it.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub weights: Vec<Arc<Weights>>,
    pub schedule: Arc<Schedule>,
    pub batch: usize,
    /// Places in time of the padded batch.
    pub time: usize,
    /// Whether the states at all places are wanted, not only the last ones.
    pub all_states: bool,
}

impl Layer {
    pub fn inputs(&self) -> usize {
        self.weights[0].inputs
    }

    pub fn hidden(&self) -> usize {
        self.weights[0].hidden
    }

    pub fn directions(&self) -> usize {
        self.weights.len()
    }

    pub fn kind(&self) -> Recurrence {
        self.weights[0].kind
    }
}

/// What the backward pass needs of a direction, a row for each step of each sequence, in the order of the schedule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// The input.
    pub x: Vec<f32>,
    /// The hidden state before the step.
    pub previous: Vec<f32>,
    /// The cell state before the step; empty but for the LSTM.
    pub cells: Vec<f32>,
    /// The gates; after the backward pass the gradients of their sums.
    pub gates: Vec<f32>,
}

impl Trace {
    /// Adds the steps of another trace, without cells.
    pub fn append(&mut self, other: Self) {
        if self.gates.is_empty() {
            *self = other;
            return;
        }
        self.x.extend(other.x);
        self.previous.extend(other.previous);
        self.gates.extend(other.gates);
    }

    pub fn clear(&mut self) {
        self.x.clear();
        self.previous.clear();
        self.cells.clear();
        self.gates.clear();
    }
}

/// What a layer computes.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// The hidden states at all places, `[batch, time, directions * hidden]`; zeros after the end of a sequence.
    pub out: Vec<f32>,
    /// The last hidden and (LSTM only) cell states, `[directions, batch, hidden]`.
    pub h: Vec<f32>,
    pub c: Vec<f32>,
    /// For each direction.
    pub traces: Vec<Trace>,
}

/// The buffers of a [`Trace`] while several threads write them.
struct Buffers<'a> {
    x: Shared<'a>,
    previous: Shared<'a>,
    cells: Shared<'a>,
    gates: Shared<'a>,
}

/// Runs a layer over `x` `[batch, time, inputs]` from the states `h` and (LSTM only) `c` `[directions, batch, hidden]`.
///
/// # Panics
/// If the slices have other sizes.
pub(crate) fn forward(layer: &Layer, x: &[f32], h: &[f32], c: &[f32]) -> Outputs {
    let (inputs, hidden) = (layer.inputs(), layer.hidden());
    let (steps, sequences) = (layer.batch * layer.time, layer.batch * layer.directions());
    let cells = if layer.kind() == Recurrence::Lstm {
        hidden
    } else {
        0
    };
    assert_eq!(x.len(), steps * inputs, "size of the input");
    assert_eq!(h.len(), sequences * hidden, "size of the hidden state");
    assert_eq!(c.len(), sequences * cells, "size of the cell state");
    let parts = &layer.schedule.parts;
    let sequences_of_parts: usize = parts.iter().map(|part| part.sequences.len()).sum();
    assert!(
        sequences_of_parts == layer.batch && parts.iter().all(|part| part.steps() <= layer.time),
        "a schedule for this batch"
    );
    let rows = layer.schedule.rows;
    let mut buffers: Vec<_> = layer
        .weights
        .iter()
        .map(|weights| {
            [inputs, hidden, cells, weights.pitch()].map(|width| Unwritten::new(rows * width))
        })
        .collect();
    let mut out = Unwritten::new(if layer.all_states {
        steps * layer.directions() * hidden
    } else {
        0
    });
    let mut last = Unwritten::new(sequences * hidden);
    let mut last_cells = Unwritten::new(sequences * cells);
    {
        let buffers: Vec<_> = buffers
            .iter_mut()
            .map(|[x, previous, cells, gates]| Buffers {
                x: x.share(),
                previous: previous.share(),
                cells: cells.share(),
                gates: gates.share(),
            })
            .collect();
        let [out, last, last_cells] = [out.share(), last.share(), last_cells.share()];
        let run = |part: &Part| {
            for (direction, buffers) in buffers.iter().enumerate() {
                let walk = Walk {
                    layer,
                    part,
                    direction,
                    weights: &layer.weights[direction],
                    buffers,
                    out,
                    last: [last, last_cells],
                };
                walk.run(x, [h, c]);
            }
        };
        match layer.schedule.parts.as_slice() {
            [part] => run(part),
            parts => parts.par_iter().for_each(run),
        }
    }
    // SAFETY: every row of the schedule belongs to a step, every place of the output to a step or to the padding, and every
    // sequence has a last state: the walks wrote all of them.
    unsafe {
        let traces = buffers
            .into_iter()
            .map(|[x, previous, cells, gates]| Trace {
                x: x.written(),
                previous: previous.written(),
                cells: cells.written(),
                gates: gates.written(),
            });
        Outputs {
            traces: traces.collect(),
            out: out.written(),
            h: last.written(),
            c: last_cells.written(),
        }
    }
}

/// One direction of the sequences of one thread.
struct Walk<'a> {
    layer: &'a Layer,
    part: &'a Part,
    direction: usize,
    weights: &'a Weights,
    buffers: &'a Buffers<'a>,
    out: Shared<'a>,
    last: [Shared<'a>; 2],
}

impl Walk<'_> {
    fn run(&self, x: &[f32], states: [&[f32]; 2]) {
        let Self {
            part,
            weights,
            buffers,
            ..
        } = *self;
        let (hidden, pitch) = (weights.hidden, weights.pitch());
        let lstm = weights.kind == Recurrence::Lstm;
        let count = part.sequences.len();
        let (mut h, mut c) = (
            vec![0.0; count * hidden],
            vec![0.0; if lstm { count * hidden } else { 0 }],
        );
        self.take_input(x);
        for (index, &(b, _)) in part.sequences.iter().enumerate() {
            let at = (self.direction * self.layer.batch + b) * hidden;
            self.keep_state(0, index, 0, &states[0][at..at + hidden]);
            if lstm {
                self.keep_state(1, index, 0, &states[1][at..at + hidden]);
            }
        }
        let mut projected = 0;
        for t in 0..part.steps() {
            let rows = part.rows(t);
            if t == projected {
                projected = self.project(t);
            }
            let state = weights.kind.state_blocks();
            // SAFETY: the rows are this walk's own. The products with the input wrote the gates, `keep_state` the states before
            // this step (below, at the step before), and `h` and `c` have room for all sequences.
            unsafe {
                let gates = buffers.gates.part(rows.start * pitch, rows.len() * pitch);
                let previous = buffers
                    .previous
                    .part(rows.start * hidden, rows.len() * hidden);
                let from = Lines {
                    start: previous.cast_const(),
                    step: hidden,
                };
                let to = Lines {
                    start: gates.add(state.start * hidden),
                    step: pitch,
                };
                weights.state.product(rows.len(), from, Start::Output, to);
                let step = Step {
                    kind: weights.kind,
                    rows: rows.len(),
                    hidden,
                    gates,
                    previous,
                    cells: if lstm {
                        buffers.cells.part(rows.start * hidden, rows.len() * hidden)
                    } else {
                        previous
                    },
                };
                step.forward(h.as_mut_ptr(), c.as_mut_ptr());
            }
            let width = self.layer.directions() * hidden;
            for (index, (b, place)) in part.places(t, self.direction == 1).enumerate() {
                let state = &h[index * hidden..][..hidden];
                let at = (b * self.layer.time + place) * width + self.direction * hidden;
                if self.layer.all_states {
                    // SAFETY: this sequence is this thread's own, and so are its places in the output.
                    unsafe { self.out.write(at, state) };
                }
                self.keep_state(0, index, t + 1, state);
                if lstm {
                    self.keep_state(1, index, t + 1, &c[index * hidden..][..hidden]);
                }
            }
        }
        if self.layer.all_states {
            self.write_padding();
        }
    }

    /// Copies the input of all steps to their rows.
    fn take_input(&self, x: &[f32]) {
        let inputs = self.weights.inputs;
        for t in 0..self.part.steps() {
            let rows = self.part.rows(t);
            for (row, (b, place)) in rows.zip(self.part.places(t, self.direction == 1)) {
                let at = (b * self.layer.time + place) * inputs;
                // SAFETY: the rows are this walk's own.
                unsafe { self.buffers.x.write(row * inputs, &x[at..at + inputs]) };
            }
        }
    }

    /// The part of the gates that does not depend on the state, for step `t` and some after it; the step after those.
    fn project(&self, t: usize) -> usize {
        let Self {
            part,
            weights,
            buffers,
            ..
        } = *self;
        let (inputs, hidden, pitch) = (weights.inputs, weights.hidden, weights.pitch());
        let (rows, next) = part.block(t, BLOCK);
        let (start, rest) = weights
            .start
            .split_at(weights.kind.input_blocks().end * hidden);
        // SAFETY: the rows are this walk's own; `take_input` wrote the input of all steps.
        unsafe {
            let x = buffers.x.part(rows.start * inputs, rows.len() * inputs);
            let gates = buffers.gates.part(rows.start * pitch, rows.len() * pitch);
            let from = Lines {
                start: x.cast_const(),
                step: inputs,
            };
            let to = Lines {
                start: gates,
                step: pitch,
            };
            weights
                .input
                .product(rows.len(), from, Start::Row(start), to);
            if !rest.is_empty() {
                for row in rows {
                    buffers.gates.write(row * pitch + start.len(), rest);
                }
            }
        }
        next
    }

    /// Stores the hidden (0) or cell (1) state of a sequence before step `t`, or, if it is over by then, as its last.
    fn keep_state(&self, which: usize, index: usize, t: usize, state: &[f32]) {
        let (b, length) = self.part.sequences[index];
        let (to, row) = if t < length {
            let buffer = [self.buffers.previous, self.buffers.cells][which];
            (buffer, self.part.rows(t).start + index)
        } else {
            (self.last[which], self.direction * self.layer.batch + b)
        };
        // SAFETY: the rows and the sequence are this walk's own.
        unsafe { to.write(row * state.len(), state) };
    }

    /// Zeros after the end of each sequence.
    fn write_padding(&self) {
        let hidden = self.weights.hidden;
        let width = self.layer.directions() * hidden;
        for &(b, length) in &self.part.sequences {
            for place in length..self.layer.time {
                let at = (b * self.layer.time + place) * width + self.direction * hidden;
                // SAFETY: this sequence is this thread's own; the part is `hidden` values.
                unsafe { self.out.part(at, hidden).write_bytes(0, hidden) };
            }
        }
    }
}
