//! What happens at each step after the matrix product: the gates and the new state, and back.

use super::super::functions::{sigmoid, tanh};
use super::super::simd::{Kernel, Vector, dispatch};
use super::Recurrence;

/// The rows of one step: one after the other, each of `hidden` values, the gates of `hidden` values for each block.
///
/// Raw, because they are parts of buffers that several threads fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub kind: Recurrence,
    pub rows: usize,
    pub hidden: usize,
    /// Before the forward pass the sums of the products; then the gates; after the backward pass their gradients.
    pub gates: *mut f32,
    /// The last hidden state; read by the GRU.
    pub previous: *const f32,
    /// The last cell state; read by the LSTM.
    pub cells: *const f32,
}

impl Step {
    /// Turns sums into gates and writes the new states to `h` and, for the LSTM, `c`.
    ///
    /// # Safety
    /// All rows can be read and those of the gates and of the states written; no other thread uses them.
    pub unsafe fn forward(self, h: *mut f32, c: *mut f32) {
        dispatch(Forward { step: self, h, c });
    }

    /// Turns gates into their gradients.
    ///
    /// `dh` is the gradient of the new hidden state so far, to which `more` is added if there is one; it becomes the part of
    /// the last state's gradient that does not go through the matrix product. `dc`, for the LSTM, is the gradient of the new
    /// cell state and becomes that of the last one.
    ///
    /// # Safety
    /// As for [`Self::forward`].
    pub unsafe fn backward(self, dh: *mut f32, more: Option<*const f32>, dc: *mut f32) {
        dispatch(Backward {
            step: self,
            dh,
            more,
            dc,
        });
    }
}

struct Forward {
    step: Step,
    h: *mut f32,
    c: *mut f32,
}

struct Backward {
    step: Step,
    dh: *mut f32,
    more: Option<*const f32>,
    dc: *mut f32,
}

/// The next `count` values, at most a vector.
///
/// # Safety
/// The processor has the instruction set of `V`; `count` values can be read.
#[inline(always)]
unsafe fn get<V: Vector>(from: *const f32, count: usize) -> V {
    // SAFETY: the caller's promise; a short vector goes through an array.
    unsafe {
        if count == V::LANES {
            return V::load(from);
        }
        let mut values = [0.0f32; 16];
        values.as_mut_ptr().copy_from_nonoverlapping(from, count);
        V::load(values.as_ptr())
    }
}

/// Writes the first `count` values of a vector.
///
/// # Safety
/// The processor has the instruction set of `V`; `count` values can be written.
#[inline(always)]
unsafe fn put<V: Vector>(value: V, to: *mut f32, count: usize) {
    // SAFETY: the caller's promise; a short vector goes through an array.
    unsafe {
        if count == V::LANES {
            return value.store(to);
        }
        let mut values = [0.0f32; 16];
        value.store(values.as_mut_ptr());
        to.copy_from_nonoverlapping(values.as_ptr(), count);
    }
}

impl Kernel for Forward {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { step, h, c } = self;
        let size = step.hidden;
        // SAFETY: the instruction set is the caller's promise, the rows are those of `Step::forward`.
        unsafe {
            let one = V::splat(1.0);
            for row in 0..step.rows {
                let gates = step.gates.add(row * size * step.kind.blocks());
                for j in (0..size).step_by(V::LANES) {
                    let n = (size - j).min(V::LANES);
                    let at = row * size + j;
                    let gate = |block: usize| gates.add(block * size + j);
                    let sum = |block: usize| get::<V>(gate(block), n);
                    let new = match step.kind {
                        Recurrence::Rnn => {
                            let new = tanh(sum(0));
                            put(new, gate(0), n);
                            new
                        }
                        Recurrence::Lstm => {
                            let (i, f) = (sigmoid(sum(0)), sigmoid(sum(1)));
                            let (g, o) = (tanh(sum(2)), sigmoid(sum(3)));
                            let cell = f.mul_add(get(step.cells.add(at), n), i.mul(g));
                            for (block, value) in [i, f, g, o].into_iter().enumerate() {
                                put(value, gate(block), n);
                            }
                            put(cell, c.add(at), n);
                            o.mul(tanh(cell))
                        }
                        Recurrence::Gru => {
                            let (r, z) = (sigmoid(sum(1)), sigmoid(sum(2)));
                            let candidate = tanh(r.mul_add(sum(3), sum(0)));
                            put(candidate, gate(0), n);
                            put(r, gate(1), n);
                            put(z, gate(2), n);
                            let keep = z.mul(get(step.previous.add(at), n));
                            one.sub(z).mul_add(candidate, keep)
                        }
                    };
                    put(new, h.add(at), n);
                }
            }
        }
    }
}

impl Kernel for Backward {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { step, dh, more, dc } = self;
        let size = step.hidden;
        // SAFETY: the instruction set is the caller's promise, the rows are those of `Step::backward`.
        unsafe {
            let (zero, one) = (V::splat(0.0), V::splat(1.0));
            // The gradient of the sum from that of the gate.
            let through_sigmoid = |grad: V, gate: V| grad.mul(gate).mul(one.sub(gate));
            let through_tanh = |grad: V, gate: V| grad.mul(one.sub(gate.mul(gate)));
            for row in 0..step.rows {
                let gates = step.gates.add(row * size * step.kind.blocks());
                for j in (0..size).step_by(V::LANES) {
                    let n = (size - j).min(V::LANES);
                    let at = row * size + j;
                    let gate = |block: usize| gates.add(block * size + j);
                    let value = |block: usize| get::<V>(gate(block), n);
                    let mut grad: V = get(dh.add(at), n);
                    if let Some(more) = more {
                        grad = grad.add(get(more.add(at), n));
                    }
                    let rest = match step.kind {
                        Recurrence::Rnn => {
                            put(through_tanh(grad, value(0)), gate(0), n);
                            zero
                        }
                        Recurrence::Lstm => {
                            let (i, f, g, o) = (value(0), value(1), value(2), value(3));
                            let last: V = get(step.cells.add(at), n);
                            let squashed = tanh(f.mul_add(last, i.mul(g)));
                            let through = through_tanh(grad.mul(o), squashed);
                            let cell = through.add(get(dc.add(at), n));
                            put(through_sigmoid(cell.mul(g), i), gate(0), n);
                            put(through_sigmoid(cell.mul(last), f), gate(1), n);
                            put(through_tanh(cell.mul(i), g), gate(2), n);
                            put(through_sigmoid(grad.mul(squashed), o), gate(3), n);
                            put(cell.mul(f), dc.add(at), n);
                            zero
                        }
                        Recurrence::Gru => {
                            let (candidate, r, z, kept) = (value(0), value(1), value(2), value(3));
                            let last: V = get(step.previous.add(at), n);
                            let dn = through_tanh(grad.mul(one.sub(z)), candidate);
                            put(dn, gate(0), n);
                            put(through_sigmoid(dn.mul(kept), r), gate(1), n);
                            put(
                                through_sigmoid(grad.mul(last.sub(candidate)), z),
                                gate(2),
                                n,
                            );
                            put(dn.mul(r), gate(3), n);
                            grad.mul(z)
                        }
                    };
                    put(rest, dh.add(at), n);
                }
            }
        }
    }
}
