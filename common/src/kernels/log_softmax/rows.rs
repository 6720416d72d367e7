//! The logarithm of softmax of the rows of a matrix, and its gradient.

use super::super::functions::exp;
use super::super::parallel::{Shared, ranges, written};
use super::super::simd::{Kernel, Vector, dispatch};
use super::super::tail::{at, lanes, load, store};

/// Values per piece of work.
const GRAIN: usize = 8 * 1024;

/// x - log(sum(e^x)) of each row of `width` values.
pub(crate) fn forward(x: &[f32], width: usize) -> Vec<f32> {
    rows(x.len(), width, |range, out| {
        dispatch(Forward {
            x: &x[range],
            width,
            out,
        })
    })
}

/// The gradient for x from the value y and its gradient g: g - e^y sum(g).
pub(crate) fn backward(y: &[f32], grad: &[f32], width: usize) -> Vec<f32> {
    assert_eq!(y.len(), grad.len(), "one gradient for each value");
    rows(y.len(), width, |range, out| {
        dispatch(Gradient {
            y: &y[range.clone()],
            grad: &grad[range],
            width,
            out,
        })
    })
}

/// `count` values, written in ranges of whole rows.
fn rows(
    count: usize,
    width: usize,
    write: impl Fn(std::ops::Range<usize>, *mut f32) + Sync,
) -> Vec<f32> {
    let width = width.max(1);
    let work = |out: Shared| {
        ranges(count / width, GRAIN.div_ceil(width), |rows| {
            let values = rows.start * width..rows.end * width;
            // SAFETY: the ranges are disjoint.
            let to = unsafe { out.part(values.start, values.len()) };
            write(values, to);
        });
    };
    assert_eq!(count % width, 0, "whole rows");
    // SAFETY: the ranges are all rows, and each kernel below writes all values of its rows.
    unsafe { written(count, work).0 }
}

/// The largest value of a row, and the sum of e^(x - largest); with `exps` these powers are written there.
///
/// # Safety
/// The processor has the instruction set of `V`; `exps` is valid for as many values as `x` has.
#[inline(always)]
pub(crate) unsafe fn peak_and_sum<V: Vector>(x: &[f32], exps: Option<*mut f32>) -> (f32, f32) {
    // SAFETY: the caller's promise; no more values are read or written than `x` has.
    unsafe {
        let mut peak = V::splat(f32::NEG_INFINITY);
        for i in (0..x.len()).step_by(V::LANES) {
            let values: V = load(x.as_ptr().add(i), x.len() - i, f32::NEG_INFINITY);
            peak = peak.max(values);
        }
        let peak = lanes(peak, f32::NEG_INFINITY)
            .into_iter()
            .fold(f32::NEG_INFINITY, f32::max);
        let shift = V::splat(peak);
        let mut sum = V::splat(0.0);
        let whole = x.len() - x.len() % V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            let e = exp(V::load(x.as_ptr().add(i)).sub(shift));
            if let Some(exps) = exps {
                e.store(exps.add(i));
            }
            sum = sum.add(e);
        }
        let mut sum: f32 = lanes(sum, 0.0).into_iter().sum();
        if whole < x.len() {
            let rest = x.len() - whole;
            let e = exp(load::<V>(x.as_ptr().add(whole), rest, peak).sub(shift));
            if let Some(exps) = exps {
                store(e, exps.add(whole), rest);
            }
            sum += lanes(e, 0.0)[..rest].iter().sum::<f32>();
        }
        (peak, sum)
    }
}

/// Multiplies `count` values.
///
/// # Safety
/// The processor has the instruction set of `V`; `values` is valid for `count` values.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Vector>(values: *mut f32, count: usize, factor: f32) {
    // SAFETY: the caller's promise.
    unsafe {
        let factor = V::splat(factor);
        for i in (0..count).step_by(V::LANES) {
            let value: V = load(values.add(i), count - i, 0.0);
            store(value.mul(factor), values.add(i), count - i);
        }
    }
}

/// Rows of `width` values; `out` is valid for as many values as `x` has.
struct Forward<'a> {
    x: &'a [f32],
    width: usize,
    out: *mut f32,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        for (row, x) in self.x.chunks_exact(self.width).enumerate() {
            // SAFETY: the instruction set is the caller's promise, the memory that of the struct.
            unsafe {
                let out = self.out.add(row * self.width);
                let (peak, sum) = peak_and_sum::<V>(x, None);
                let (peak, log) = (V::splat(peak), V::splat(sum.ln()));
                for i in (0..x.len()).step_by(V::LANES) {
                    let value = at::<V>(x, i).sub(peak).sub(log);
                    store(value, out.add(i), x.len() - i);
                }
            }
        }
    }
}

/// Rows of `width` values; `out` is valid for as many values as `y` and `grad` have.
struct Gradient<'a> {
    y: &'a [f32],
    grad: &'a [f32],
    width: usize,
    out: *mut f32,
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let rows = self.y.chunks_exact(self.width);
        for (row, (y, grad)) in rows.zip(self.grad.chunks_exact(self.width)).enumerate() {
            // SAFETY: the instruction set is the caller's promise, the memory that of the struct; both rows have
            // `width` values.
            unsafe {
                let out = self.out.add(row * self.width);
                let mut sum = V::splat(0.0);
                for i in (0..y.len()).step_by(V::LANES) {
                    sum = sum.add(at(grad, i));
                }
                let sum = V::splat(lanes(sum, 0.0).into_iter().sum());
                for i in (0..y.len()).step_by(V::LANES) {
                    let value = at::<V>(grad, i).sub(exp(at::<V>(y, i)).mul(sum));
                    store(value, out.add(i), self.width - i);
                }
            }
        }
    }
}
