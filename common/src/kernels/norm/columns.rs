//! Sums and linear combinations over the columns of a block of channels.
//!
//! Sums do not depend on the number of threads: each column is added up by itself, in `f32` for at most [`RUN`] rows
//! and in `f64` beyond.

use std::ops::Range;

use super::channels::Channels;
use crate::kernels::simd::Vector;
use crate::kernels::sums::sum;

/// Rows whose sum is kept in `f32`.
const RUN: usize = 128;

/// `grad * g + x * (input - shift) + constant`, for each column.
pub(super) struct Coefficients {
    pub grad: Vec<f32>,
    pub x: Vec<f32>,
    pub shift: Vec<f32>,
    pub constant: Vec<f32>,
}

impl Coefficients {
    pub fn new(columns: usize) -> Self {
        let zeros = || vec![0.0; columns];
        Self {
            grad: zeros(),
            x: zeros(),
            shift: zeros(),
            constant: zeros(),
        }
    }
}

/// For each channel of the block the sums of w and of `w (x - shift)`, where w is `grad`, or else `x - shift`.
///
/// # Safety
/// The processor has the instruction set of `V`; `grad` is valid wherever `x` is.
#[inline(always)]
pub(super) unsafe fn sums<V: Vector>(
    shape: &Channels,
    channels: &Range<usize>,
    x: &[f32],
    grad: Option<*const f32>,
    shift: &[f32],
) -> Vec<[f64; 2]> {
    let columns = shift.len();
    let mut partial = [vec![0.0f32; columns], vec![0.0f32; columns]];
    let mut totals = vec![[0.0f64; 2]; channels.len()];
    let mut rows = 0;
    for (from, len) in shape.pieces(channels) {
        let x = &x[from..from + len];
        // SAFETY: the caller's promise.
        unsafe {
            let grad = grad.map(|g| g.add(from));
            accumulate::<V>(x, grad, shift, &mut partial);
        }
        rows += 1;
        if rows == RUN {
            empty(&mut partial, shape.inner, &mut totals);
            rows = 0;
        }
    }
    empty(&mut partial, shape.inner, &mut totals);
    totals
}

/// Moves the sums of the columns to their channels.
#[inline(always)]
fn empty(partial: &mut [Vec<f32>; 2], inner: usize, totals: &mut [[f64; 2]]) {
    for (which, columns) in partial.iter_mut().enumerate() {
        let parts = columns.chunks_mut(inner.max(1));
        for (total, part) in totals.iter_mut().zip(parts) {
            total[which] += sum(part);
            part.fill(0.0);
        }
    }
}

/// Adds a row to the sums of its columns.
///
/// # Safety
/// The processor has the instruction set of `V`; `grad` is valid for as many values as `x` has.
#[inline(always)]
unsafe fn accumulate<V: Vector>(
    x: &[f32],
    grad: Option<*const f32>,
    shift: &[f32],
    [plain, products]: &mut [Vec<f32>; 2],
) {
    let len = x.len();
    assert!(shift.len() >= len && plain.len() >= len && products.len() >= len);
    let whole = len - len % V::LANES;
    let (plain, products) = (plain.as_mut_ptr(), products.as_mut_ptr());
    // SAFETY: the caller's promise; everything is at least `len` long.
    unsafe {
        for i in (0..whole).step_by(V::LANES) {
            let x = V::load(x.as_ptr().add(i)).sub(V::load(shift.as_ptr().add(i)));
            let w = match grad {
                Some(grad) => V::load(grad.add(i)),
                None => x,
            };
            V::load(plain.add(i)).add(w).store(plain.add(i));
            w.mul_add(x, V::load(products.add(i)))
                .store(products.add(i));
        }
        for i in whole..len {
            let x = x[i] - shift[i];
            let w = grad.map_or(x, |g| *g.add(i));
            *plain.add(i) += w;
            *products.add(i) += w * x;
        }
    }
}

/// Writes what [`Coefficients`] says for a row to `out`, which may be `grad`.
///
/// # Safety
/// The processor has the instruction set of `V`; `grad` and `out` are valid for as many values as `x` has.
#[inline(always)]
pub(super) unsafe fn combine<V: Vector>(
    x: &[f32],
    grad: Option<*const f32>,
    by: &Coefficients,
    out: *mut f32,
) {
    let len = x.len();
    assert!(
        [&by.grad, &by.x, &by.shift, &by.constant]
            .iter()
            .all(|c| c.len() >= len)
    );
    let whole = len - len % V::LANES;
    // SAFETY: the caller's promise; everything is at least `len` long, and each value is read before it is written.
    unsafe {
        for i in (0..whole).step_by(V::LANES) {
            let load = |values: &[f32]| V::load(values.as_ptr().add(i));
            let mut value = load(x)
                .sub(load(&by.shift))
                .mul_add(load(&by.x), load(&by.constant));
            if let Some(grad) = grad {
                value = V::load(grad.add(i)).mul_add(load(&by.grad), value);
            }
            value.store(out.add(i));
        }
        for i in whole..len {
            let mut value = (x[i] - by.shift[i]) * by.x[i] + by.constant[i];
            if let Some(grad) = grad {
                value += *grad.add(i) * by.grad[i];
            }
            out.add(i).write(value);
        }
    }
}
