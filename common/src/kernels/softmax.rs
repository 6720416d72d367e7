//! Softmax over the last axis, with places that take no part.

use super::functions::exp;
use super::parallel::{Shared, ranges, written};
use super::simd::{Kernel, Vector, dispatch};

/// Values per piece of work.
const GRAIN: usize = 8 * 1024;
/// Largest vector.
const LANES: usize = 16;

/// `e^(scale x) / sum e^(scale x)` in the first `len` values of each row, and zeros from there on.
///
/// A value of minus infinity takes no part; a row of nothing else becomes zeros.
///
/// # Safety
/// The processor has the instruction set of `V`. `row` is valid for `len`, rounded up to whole vectors.
#[inline(always)]
pub(super) unsafe fn softmax_row<V: Vector>(row: *mut f32, len: usize, scale: f32) {
    if len == 0 {
        return;
    }
    let end = len.next_multiple_of(V::LANES);
    // SAFETY: every access is below `end`, which the caller promises.
    unsafe {
        for i in len..end {
            *row.add(i) = f32::NEG_INFINITY;
        }
        let mut largest = V::load(row);
        for i in (V::LANES..end).step_by(V::LANES) {
            largest = V::load(row.add(i)).max(largest);
        }
        let largest = folded(largest, |a, b| if a > b { a } else { b });
        if largest == f32::NEG_INFINITY {
            // Comparisons with NaN are false, so it may be among them still.
            let values = std::slice::from_raw_parts_mut(row, end);
            let fill = if values[..len].iter().any(|v| v.is_nan()) {
                f32::NAN
            } else {
                0.0
            };
            values[..len].fill(fill);
            values[len..].fill(0.0);
            return;
        }
        let (factor, shift) = (V::splat(scale), V::splat(-scale * largest));
        let mut sum = V::splat(0.0);
        for i in (0..end).step_by(V::LANES) {
            let x = V::load(row.add(i)).mul_add(factor, shift);
            // `exp` ends a little above zero. The comparison leaves NaN as it is.
            let e = V::splat(-87.0).sub(x).if_positive(V::splat(0.0), exp(x));
            sum = sum.add(e);
            e.store(row.add(i));
        }
        let inverse = V::splat(1.0 / folded(sum, |a, b| a + b));
        for i in (0..end).step_by(V::LANES) {
            V::load(row.add(i)).mul(inverse).store(row.add(i));
        }
    }
}

/// The gradient of a row of softmax, `scale y (g - sum g y)`, in the place of g.
///
/// # Safety
/// The processor has the instruction set of `V`. Both rows are valid for `len`, rounded up to whole vectors, and
/// beyond `len` one of the rows is zero.
#[inline(always)]
pub(super) unsafe fn softmax_row_backward<V: Vector>(
    y: *const f32,
    g: *mut f32,
    len: usize,
    scale: f32,
) {
    let end = len.next_multiple_of(V::LANES);
    // SAFETY: every access is below `end`, which the caller promises.
    unsafe {
        let mut sum = V::splat(0.0);
        for i in (0..end).step_by(V::LANES) {
            sum = V::load(y.add(i)).mul_add(V::load(g.add(i)), sum);
        }
        let sum = V::splat(folded(sum, |a, b| a + b));
        let scale = V::splat(scale);
        for i in (0..end).step_by(V::LANES) {
            let y = V::load(y.add(i)).mul(scale);
            V::load(g.add(i)).sub(sum).mul(y).store(g.add(i));
        }
    }
}

/// The values of a vector, combined in pairs.
#[inline(always)]
unsafe fn folded<V: Vector>(x: V, combine: impl Fn(f32, f32) -> f32) -> f32 {
    let mut values = [0.0f32; LANES];
    // SAFETY: room for the largest vector; the instruction set is the caller's promise.
    unsafe { x.store(values.as_mut_ptr()) };
    let mut half = V::LANES / 2;
    while half > 0 {
        for i in 0..half {
            values[i] = combine(values[i], values[i + half]);
        }
        half /= 2;
    }
    values[0]
}

/// Which values of rows take no part.
#[derive(Clone, Debug)]
pub(crate) struct RowMask {
    /// Rows of values, true for one that takes no part.
    pub hidden: Vec<bool>,
    /// The sizes of the rows' axes, and by how many rows of `hidden` a step along each goes on: none along an axis
    /// that shares its mask.
    pub axes: Vec<(usize, usize)>,
}

impl RowMask {
    /// The first value of the mask of row `row`, for rows of `len` values.
    fn start(&self, mut row: usize, len: usize) -> usize {
        let mut at = 0;
        for (size, step) in self.axes.iter().rev() {
            at += row % size * step;
            row /= size;
        }
        at * len
    }
}

/// Softmax of rows of `len` values.
pub(crate) fn softmax(x: &[f32], len: usize, mask: Option<&RowMask>) -> Vec<f32> {
    let rows = x.len() / len.max(1);
    let work = |out: Shared| {
        ranges(rows, GRAIN / len.max(1), |range| {
            let mut row = vec![0.0; len.next_multiple_of(LANES)];
            for r in range {
                row[..len].copy_from_slice(&x[r * len..][..len]);
                if let Some(mask) = mask {
                    let hidden = &mask.hidden[mask.start(r, len)..][..len];
                    for (v, hidden) in row.iter_mut().zip(hidden) {
                        *v = if *hidden { f32::NEG_INFINITY } else { *v };
                    }
                }
                dispatch(Forward(&mut row, len));
                // SAFETY: each row is written once.
                unsafe { out.write(r * len, &row[..len]) };
            }
        });
    };
    // SAFETY: the ranges cover all rows, which are all values.
    unsafe { written(x.len(), work).0 }
}

/// The gradient of softmax of rows of `len` values, from its value `y` and that value's gradient `g`.
pub(crate) fn softmax_backward(y: &[f32], g: &[f32], len: usize) -> Vec<f32> {
    assert_eq!(y.len(), g.len(), "as many gradients as values");
    let rows = y.len() / len.max(1);
    let work = |out: Shared| {
        ranges(rows, GRAIN / len.max(1), |range| {
            let padded = len.next_multiple_of(LANES);
            let mut buffer = vec![0.0; 2 * padded];
            let (value, gradient) = buffer.split_at_mut(padded);
            for r in range {
                value[..len].copy_from_slice(&y[r * len..][..len]);
                gradient[..len].copy_from_slice(&g[r * len..][..len]);
                dispatch(Backward(value, gradient, len));
                // SAFETY: each row is written once.
                unsafe { out.write(r * len, &gradient[..len]) };
            }
        });
    };
    // SAFETY: the ranges cover all rows, which are all values.
    unsafe { written(y.len(), work).0 }
}

/// Softmax of one row, padded to whole vectors.
struct Forward<'a>(&'a mut [f32], usize);

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        assert!(self.0.len() >= self.1.next_multiple_of(V::LANES));
        // SAFETY: the instruction set is the caller's promise, the length is asserted.
        unsafe { softmax_row::<V>(self.0.as_mut_ptr(), self.1, 1.0) }
    }
}

/// The gradient of one row, padded to whole vectors, in the place of that of the values.
struct Backward<'a>(&'a [f32], &'a mut [f32], usize);

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let end = self.2.next_multiple_of(V::LANES);
        assert!(self.0.len() >= end && self.1.len() >= end);
        // SAFETY: the instruction set is the caller's promise, the lengths are asserted; the values' padding is zero.
        unsafe { softmax_row_backward::<V>(self.0.as_ptr(), self.1.as_mut_ptr(), self.2, 1.0) }
    }
}
