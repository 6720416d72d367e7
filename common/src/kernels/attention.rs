//! Scaled dot-product attention, head by head: softmax(q k^T / sqrt(d)) v.
//!
//! The heads are columns of the projections and are read where they lie. Of a head one matrix of weights is kept for
//! the backward pass, which follows section 3.2.1 of Vaswani et al., Attention Is All You Need (2017), backwards:
//! with P the weights, dV = P^T dO, dP = dO V^T, dS = P (dP - sum P dP), dQ = dS K / sqrt(d), dK = dS^T Q / sqrt(d).

use super::dropout::random::Dropout;
use super::matmul::{Left, Matrix, Product, Registers, Start, pack_right, room};
use super::parallel::{Shared, ranges, written};
use super::simd::{Kernel, Vector, dispatch};
use super::softmax::{softmax_row, softmax_row_backward};

/// Multiplications that are worth a piece of work of their own.
const GRAIN: usize = 128 * 1024;

/// Sizes and masks of an attention.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    pub batch: usize,
    pub heads: usize,
    pub queries: usize,
    pub keys: usize,
    /// Columns of a head of the queries and keys.
    pub width: usize,
    /// Columns of a head of the values.
    pub value_width: usize,
    /// A query sees no key behind its own place.
    pub causal: bool,
    /// `[batch, keys]`, true for a key that no query sees; or empty.
    pub padding: Vec<bool>,
    /// Which weights are dropped.
    pub dropout: Option<Dropout>,
}

/// Where the heads of queries, keys or values lie: `[batch, time, columns]` with this head's columns side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The first column of the first head.
    pub first: usize,
    /// Columns in all, those of other tensors in the same memory too.
    pub pitch: usize,
}

impl Place {
    /// The first value of a head.
    fn start(self, batch: usize, time: usize, head: usize, width: usize) -> usize {
        batch * time * self.pitch + self.first + head * width
    }

    fn head<'a>(
        self,
        values: &'a [f32],
        batch: usize,
        head: usize,
        [time, width]: [usize; 2],
    ) -> Matrix<'a> {
        let start = self.start(batch, time, head, width);
        let values = values.get(start..).unwrap_or_default();
        Matrix::strided(values, [time, width], [self.pitch, 1])
    }
}

/// Queries, keys and values.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub query: (&'a [f32], Place),
    pub key: (&'a [f32], Place),
    pub value: (&'a [f32], Place),
}

/// Where the gradients of queries, keys and values are written, if at all.
#[derive(Clone, Copy)]
pub(crate) struct Gradients<'a> {
    pub query: Option<(Shared<'a>, Place)>,
    pub key: Option<(Shared<'a>, Place)>,
    pub value: Option<(Shared<'a>, Place)>,
}

/// Memory of one thread: packed blocks and a matrix of scores.
#[derive(Default)]
struct Buffer {
    right: Vec<f32>,
    scores: Vec<f32>,
    dropped: Vec<f32>,
    mask: Vec<f32>,
}

impl Attention {
    /// Values in a row of weights: the keys and zeros up to whole vectors.
    fn pitch(&self) -> usize {
        Registers::new().padded(self.keys)
    }

    /// Weights of all heads, each row padded.
    fn weights(&self) -> usize {
        self.batch * self.heads * self.queries * self.pitch()
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width.max(1) as f32).sqrt()
    }

    /// Heads in a piece of work.
    fn grain(&self) -> usize {
        let head = self.queries * self.keys * (self.width + self.value_width);
        GRAIN / head.max(1)
    }

    /// Keys that a query sees if none is padding.
    fn visible(&self, query: usize) -> usize {
        if self.causal {
            self.keys.min(query + 1)
        } else {
            self.keys
        }
    }

    /// The output `[batch, queries, heads * value_width]`, and with `keep` the weights for [`Self::backward`],
    /// negative where dropped.
    pub fn forward(&self, inputs: Inputs, keep: bool) -> (Vec<f32>, Vec<f32>) {
        let outputs = self.batch * self.queries * self.heads * self.value_width;
        let weights = if keep { self.weights() } else { 0 };
        // SAFETY: every head writes its columns of the output, and its weights if they are kept.
        unsafe {
            let (out, (weights, ())) = written(outputs, |out: Shared| {
                written(weights, |weights: Shared| {
                    self.all_heads(inputs, out, keep.then_some(weights))
                })
            });
            // The closure's result comes second.
            (out, weights)
        }
    }

    fn all_heads(&self, inputs: Inputs, out: Shared, weights: Option<Shared>) {
        let head_size = self.queries * self.pitch();
        ranges(self.batch * self.heads, self.grain(), |range| {
            let buffer = &mut Buffer::default();
            for index in range {
                let mut scores = std::mem::take(&mut buffer.scores);
                let at = match weights {
                    // SAFETY: the weights of this head are this thread's.
                    Some(weights) => unsafe { weights.part(index * head_size, head_size) },
                    None => room(&mut scores, head_size).as_mut_ptr(),
                };
                // SAFETY: `at` is valid for a head's weights.
                unsafe { self.head(inputs, index, at, out, buffer) };
                buffer.scores = scores;
            }
        });
    }

    /// One head.
    ///
    /// # Safety
    /// `scores` is valid for `queries` padded rows and this thread's own.
    unsafe fn head(
        &self,
        inputs: Inputs,
        index: usize,
        scores: *mut f32,
        out: Shared,
        buffer: &mut Buffer,
    ) {
        let (batch, head) = (index / self.heads, index % self.heads);
        let pitch = self.pitch();
        let (query, place) = inputs.query;
        let query = place.head(query, batch, head, [self.queries, self.width]);
        let (key, place) = inputs.key;
        let key = place.head(key, batch, head, [self.keys, self.width]);
        let (value, place) = inputs.value;
        let value = place.head(value, batch, head, [self.keys, self.value_width]);

        let start = self.padding_row(batch, &mut buffer.mask);
        let right = room(&mut buffer.right, self.width * pitch);
        pack_right(key.transposed(), right);
        // SAFETY: the scores are this thread's; whole padded rows are written.
        unsafe {
            Product {
                left: Left::Plain(query),
                right,
                cols: pitch,
                start,
                out: scores,
                step: pitch,
            }
            .run();
            dispatch(SoftmaxRows {
                attention: self,
                scores,
            });
        }
        // SAFETY: the product has written all of the scores.
        let weights = unsafe { std::slice::from_raw_parts_mut(scores, self.queries * pitch) };
        let weights: &[f32] = match self.dropout {
            Some(dropout) => {
                dispatch(DropSome {
                    dropout,
                    index,
                    weights,
                });
                kept(dropout, weights, &mut buffer.dropped)
            }
            None => weights,
        };
        let right = room(
            &mut buffer.right,
            self.keys * Registers::new().padded(self.value_width),
        );
        pack_right(value, right);
        let place = Place {
            first: 0,
            pitch: self.heads * self.value_width,
        };
        let left = Matrix::strided(weights, [self.queries, self.keys], [pitch, 1]);
        write_head(left, right, (out, place), [batch, head, self.value_width]);
    }

    /// Minus infinity for padded keys and zero for others.
    fn padding_row<'a>(&self, batch: usize, row: &'a mut Vec<f32>) -> Start<'a> {
        if self.padding.is_empty() {
            return Start::Zero;
        }
        row.clear();
        let hidden = &self.padding[batch * self.keys..][..self.keys];
        row.extend(
            hidden
                .iter()
                .map(|hidden| if *hidden { f32::NEG_INFINITY } else { 0.0 }),
        );
        row.resize(self.pitch(), 0.0);
        Start::Row(row)
    }

    /// Writes the gradients from that of the output, `grad` `[batch, queries, heads * value_width]`.
    pub fn backward(&self, inputs: Inputs, weights: &[f32], grad: &[f32], to: Gradients) {
        assert_eq!(weights.len(), self.weights(), "weights of the forward pass");
        ranges(self.batch * self.heads, self.grain() / 2, |range| {
            let buffer = &mut Buffer::default();
            for index in range {
                self.head_backward(inputs, weights, grad, to, index, buffer);
            }
        });
    }

    fn head_backward(
        &self,
        inputs: Inputs,
        weights: &[f32],
        grad: &[f32],
        to: Gradients,
        index: usize,
        buffer: &mut Buffer,
    ) {
        let (batch, head) = (index / self.heads, index % self.heads);
        let (pitch, registers) = (self.pitch(), Registers::new());
        let weights = &weights[index * self.queries * pitch..][..self.queries * pitch];
        let place = Place {
            first: 0,
            pitch: self.heads * self.value_width,
        };
        let grad = place.head(grad, batch, head, [self.queries, self.value_width]);
        if let Some(value) = to.value {
            let weights = match self.dropout {
                Some(dropout) => kept(dropout, weights, &mut buffer.dropped),
                None => weights,
            };
            let right = room(
                &mut buffer.right,
                self.queries * registers.padded(self.value_width),
            );
            pack_right(grad, right);
            let left = Matrix::strided(weights, [self.queries, self.keys], [pitch, 1]);
            write_head(
                left.transposed(),
                right,
                value,
                [batch, head, self.value_width],
            );
        }
        if to.query.is_none() && to.key.is_none() {
            return;
        }
        let (value, place) = inputs.value;
        let value = place.head(value, batch, head, [self.keys, self.value_width]);
        let right = room(&mut buffer.right, self.value_width * pitch);
        pack_right(value.transposed(), right);
        let scores = room(&mut buffer.scores, self.queries * pitch);
        // SAFETY: the scores are this thread's; whole padded rows are written.
        unsafe {
            Product {
                left: Left::Plain(grad),
                right,
                cols: pitch,
                start: Start::Zero,
                out: scores.as_mut_ptr(),
                step: pitch,
            }
            .run();
        }
        dispatch(SoftmaxRowsBackward {
            attention: self,
            weights,
            scores,
            row: room(&mut buffer.dropped, pitch),
        });
        let scores = Matrix::strided(scores, [self.queries, self.keys], [pitch, 1]);
        if let Some(to) = to.query {
            let (key, place) = inputs.key;
            let right = room(&mut buffer.right, self.keys * registers.padded(self.width));
            pack_right(place.head(key, batch, head, [self.keys, self.width]), right);
            write_head(scores, right, to, [batch, head, self.width]);
        }
        if let Some(to) = to.key {
            let (query, place) = inputs.query;
            let right = room(
                &mut buffer.right,
                self.queries * registers.padded(self.width),
            );
            pack_right(
                place.head(query, batch, head, [self.queries, self.width]),
                right,
            );
            write_head(scores.transposed(), right, to, [batch, head, self.width]);
        }
    }
}

/// Writes `left * right` to the columns of a head.
fn write_head(
    left: Matrix,
    right: &[f32],
    (out, place): (Shared, Place),
    [batch, head, width]: [usize; 3],
) {
    let rows = left.rows();
    if rows == 0 || width == 0 {
        return;
    }
    let start = place.start(batch, rows, head, width);
    assert!(
        place.first + (head + 1) * width <= place.pitch,
        "columns of a head"
    );
    assert!(
        start + (rows - 1) * place.pitch + width <= out.len(),
        "rows of a head"
    );
    // SAFETY: every head has columns of its own, all of which lie inside by the assertions.
    unsafe {
        Product {
            left: Left::Plain(left),
            right,
            cols: width,
            start: Start::Zero,
            out: out.part(start, 0),
            step: place.pitch,
        }
        .run();
    }
}

/// The scores' rows become weights.
struct SoftmaxRows<'a> {
    attention: &'a Attention,
    /// `queries` padded rows.
    scores: *mut f32,
}

impl Kernel for SoftmaxRows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { attention, scores } = self;
        let pitch = attention.keys.next_multiple_of(V::LANES);
        for query in 0..attention.queries {
            let len = attention.visible(query);
            // SAFETY: the instruction set is the caller's promise; the row has `pitch` values, the visible keys and more.
            unsafe {
                let row = scores.add(query * pitch);
                softmax_row::<V>(row, len, attention.scale());
                let end = len.next_multiple_of(V::LANES);
                row.add(end).write_bytes(0, pitch - end);
            }
        }
    }
}

/// The gradients of the weights become those of the scores.
struct SoftmaxRowsBackward<'a> {
    attention: &'a Attention,
    /// `queries` padded rows each.
    weights: &'a [f32],
    scores: &'a mut [f32],
    /// One row, for what dropout leaves of the weights.
    row: &'a mut [f32],
}

impl Kernel for SoftmaxRowsBackward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            attention,
            weights,
            scores,
            row,
        } = self;
        let pitch = attention.keys.next_multiple_of(V::LANES);
        let size = attention.queries * pitch;
        assert!(weights.len() >= size && scores.len() >= size && row.len() == pitch);
        if pitch == 0 {
            return;
        }
        let rows = weights
            .chunks_exact(pitch)
            .zip(scores.chunks_exact_mut(pitch));
        for (weights, scores) in rows.take(attention.queries) {
            let mut weights = weights;
            if let Some(dropout) = attention.dropout {
                let factor = dropout.factor();
                for ((s, w), row) in scores.iter_mut().zip(weights).zip(&mut *row) {
                    *s = if w.is_sign_negative() {
                        0.0
                    } else {
                        *s * factor
                    };
                    *row = w.abs();
                }
                weights = row;
            }
            // SAFETY: the instruction set is the caller's promise; both rows have `pitch` values, whole vectors, and
            // the weights of keys that do not exist are zero.
            unsafe {
                softmax_row_backward::<V>(
                    weights.as_ptr(),
                    scores.as_mut_ptr(),
                    pitch,
                    attention.scale(),
                );
            }
        }
    }
}

/// Makes some of the weights of head `index` negative: dropped, but not lost for the backward pass.
struct DropSome<'a> {
    dropout: Dropout,
    index: usize,
    weights: &'a mut [f32],
}

impl Kernel for DropSome<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            dropout,
            index,
            weights,
        } = self;
        let block = dropout.block(index);
        for (i, weight) in weights.iter_mut().enumerate() {
            let sign = u32::from(block.drops(i)) << 31;
            *weight = f32::from_bits(weight.to_bits() ^ sign);
        }
    }
}

/// The weights with zeros where they are dropped.
fn kept<'a>(dropout: Dropout, weights: &[f32], to: &'a mut Vec<f32>) -> &'a [f32] {
    let to = room(to, weights.len());
    dispatch(Kept {
        factor: dropout.factor(),
        weights,
        to,
    });
    to
}

struct Kept<'a> {
    factor: f32,
    weights: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Kept<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        for (to, weight) in self.to.iter_mut().zip(self.weights) {
            // NaN stays.
            *to = if *weight < 0.0 {
                0.0
            } else {
                *weight * self.factor
            };
        }
    }
}
