//! Backward through time.

use rayon::prelude::*;

use super::super::packed::{Lines, Start};
use super::super::parallel::{Shared, Unwritten};
use super::forward::{BLOCK, Layer, Trace};
use super::gates::Step;
use super::schedule::Part;
use super::weights::Training;
use super::{Recurrence, Weights};

/// Gradients with respect to what a layer computes; none means zeros.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutputGradients<'a> {
    /// `[batch, time, directions * hidden]`
    pub out: Option<&'a [f32]>,
    /// `[directions, batch, hidden]`
    pub h: Option<&'a [f32]>,
    pub c: Option<&'a [f32]>,
}

/// The gradients of the input `[batch, time, inputs]` (if wanted) and of the first states `[directions, batch, hidden]`.
///
/// The gates of the traces become the gradients of their sums.
///
/// # Panics
/// If a slice does not have the size that the forward pass gave it, or the weights are not those of a training.
pub(crate) fn backward(
    layer: &Layer,
    traces: &mut [Trace],
    grads: OutputGradients,
    want_input: bool,
) -> [Vec<f32>; 3] {
    let (inputs, hidden) = (layer.inputs(), layer.hidden());
    let (steps, sequences) = (layer.batch * layer.time, layer.batch * layer.directions());
    let cells = if layer.kind() == Recurrence::Lstm {
        hidden
    } else {
        0
    };
    let fits = |grad: Option<&[f32]>, size: usize| grad.is_none_or(|grad| grad.len() == size);
    assert!(
        fits(grads.out, steps * layer.directions() * hidden)
            && fits(grads.h, sequences * hidden)
            && fits(grads.c, sequences * cells),
        "sizes of the gradients"
    );
    let rows = layer.schedule.rows;
    let mut dx = Unwritten::new(if want_input { steps * inputs } else { 0 });
    let mut dh = Unwritten::new(sequences * hidden);
    let mut dc = Unwritten::new(sequences * cells);
    {
        let [dx, dh, dc] = [dx.share(), dh.share(), dc.share()];
        let directions: Vec<_> = layer
            .weights
            .iter()
            .zip(traces)
            .map(|(weights, trace)| {
                assert!(
                    trace.gates.len() == rows * weights.pitch()
                        && trace.previous.len() == rows * hidden
                        && trace.cells.len() == rows * cells,
                    "sizes of the trace"
                );
                let training = weights.training.as_ref().expect("weights of a training");
                let gates = Shared::new(&mut trace.gates);
                (
                    &**weights,
                    training,
                    gates,
                    trace.previous.as_slice(),
                    trace.cells.as_slice(),
                )
            })
            .collect();
        let run = |part: &Part| {
            for (direction, &(weights, training, gates, previous, cells)) in
                directions.iter().enumerate()
            {
                let walk = Walk {
                    layer,
                    part,
                    direction,
                    weights,
                    training,
                    gates,
                    previous,
                    cells,
                    first: [dh, dc],
                };
                walk.run(grads);
                if want_input {
                    walk.input(dx);
                }
            }
        };
        match layer.schedule.parts.as_slice() {
            [part] => run(part),
            parts => parts.par_iter().for_each(run),
        }
    }
    // SAFETY: every place of the input belongs to a step or to the padding, and every sequence has first states: the walks
    // wrote all of them.
    unsafe { [dx.written(), dh.written(), dc.written()] }
}

/// One direction of the sequences of one thread.
struct Walk<'a> {
    layer: &'a Layer,
    part: &'a Part,
    direction: usize,
    weights: &'a Weights,
    training: &'a Training,
    gates: Shared<'a>,
    previous: &'a [f32],
    cells: &'a [f32],
    first: [Shared<'a>; 2],
}

impl Walk<'_> {
    fn run(&self, grads: OutputGradients) {
        let Self { part, weights, .. } = *self;
        let (hidden, pitch) = (weights.hidden, weights.pitch());
        let lstm = weights.kind == Recurrence::Lstm;
        let state = weights.kind.state_blocks();
        let start = match weights.kind {
            Recurrence::Gru => Start::Output,
            Recurrence::Rnn | Recurrence::Lstm => Start::Zero,
        };
        let mut dh = self.last_states(grads.h, hidden);
        let mut dc = self.last_states(grads.c, if lstm { hidden } else { 0 });
        let mut more = vec![0.0; part.rows(0).len() * hidden];
        for t in (0..part.steps()).rev() {
            let rows = part.rows(t);
            let more = grads.out.map(|grad| {
                let width = self.layer.directions() * hidden;
                for (to, (b, place)) in more
                    .chunks_exact_mut(hidden)
                    .zip(part.places(t, self.direction == 1))
                {
                    let at = (b * self.layer.time + place) * width + self.direction * hidden;
                    to.copy_from_slice(&grad[at..at + hidden]);
                }
                more.as_ptr()
            });
            // SAFETY: the rows are this walk's own and inside of the trace, `dh`, `dc` and `more` have a row for each of them.
            unsafe {
                let gates = self.gates.part(rows.start * pitch, rows.len() * pitch);
                let step = Step {
                    kind: weights.kind,
                    rows: rows.len(),
                    hidden,
                    gates,
                    previous: self.previous[rows.start * hidden..].as_ptr(),
                    cells: if lstm {
                        self.cells[rows.start * hidden..].as_ptr()
                    } else {
                        self.cells.as_ptr()
                    },
                };
                step.backward(dh.as_mut_ptr(), more, dc.as_mut_ptr());
                let from = Lines {
                    start: gates.add(state.start * hidden).cast_const(),
                    step: pitch,
                };
                let to = Lines {
                    start: dh.as_mut_ptr(),
                    step: hidden,
                };
                self.training.state.product(rows.len(), from, start, to);
            }
        }
        for (index, &(b, _)) in part.sequences.iter().enumerate() {
            let at = (self.direction * self.layer.batch + b) * hidden;
            // SAFETY: this sequence is this thread's own.
            unsafe {
                self.first[0].write(at, &dh[index * hidden..][..hidden]);
                if lstm {
                    self.first[1].write(at, &dc[index * hidden..][..hidden]);
                }
            }
        }
    }

    /// The gradients of the last states, one row for each sequence.
    fn last_states(&self, grad: Option<&[f32]>, width: usize) -> Vec<f32> {
        let mut rows = Vec::with_capacity(self.part.sequences.len() * width);
        for &(b, _) in &self.part.sequences {
            let at = (self.direction * self.layer.batch + b) * width;
            match grad {
                Some(grad) => rows.extend_from_slice(&grad[at..at + width]),
                None => rows.resize(rows.len() + width, 0.0),
            }
        }
        rows
    }

    /// Writes, or for the second direction adds, the gradient of the input.
    fn input(&self, dx: Shared) {
        let Self { part, weights, .. } = *self;
        let (inputs, pitch) = (weights.inputs, weights.pitch());
        let mut rows_of_block = Vec::new();
        let mut t = 0;
        while t < part.steps() {
            let (rows, next) = part.block(t, BLOCK);
            rows_of_block.resize(rows.len() * inputs, 0.0);
            // SAFETY: the rows are this walk's own; the blocks of the input come first in them.
            unsafe {
                let gates = self.gates.part(rows.start * pitch, rows.len() * pitch);
                let from = Lines {
                    start: gates.cast_const(),
                    step: pitch,
                };
                let to = Lines {
                    start: rows_of_block.as_mut_ptr(),
                    step: inputs,
                };
                self.training
                    .input
                    .product(rows.len(), from, Start::Zero, to);
            }
            let places = (t..next).flat_map(|t| part.places(t, self.direction == 1));
            for ((b, place), from) in places.zip(rows_of_block.chunks_exact(inputs)) {
                let at = (b * self.layer.time + place) * inputs;
                // SAFETY: this sequence is this thread's own; the first direction wrote all its places before.
                unsafe {
                    let to = dx.part(at, inputs);
                    if self.direction == 0 {
                        to.copy_from_nonoverlapping(from.as_ptr(), inputs);
                    } else {
                        let to = std::slice::from_raw_parts_mut(to, inputs);
                        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                    }
                }
            }
            t = next;
        }
        if self.direction == 0 {
            for &(b, length) in &part.sequences {
                let count = (self.layer.time - length) * inputs;
                // SAFETY: as above; `count` values after the last step.
                unsafe {
                    dx.part((b * self.layer.time + length) * inputs, count)
                        .write_bytes(0, count)
                };
            }
        }
    }
}
