//! Sums and linear maps over the columns of a block of channels.
//!
//! Sums do not depend on the number of threads: each column is added up by itself, in `f32` for at most [`RUN`] rows
//! and in `f64` beyond.

use std::ops::Range;

use super::channels::Channels;
use crate::kernels::simd::Vector;
use crate::kernels::sums::sum;
use crate::kernels::tail;

/// Rows whose sum is kept in `f32`.
const RUN: usize = 128;
/// Values of the largest vector.
const LANES: usize = 16;

/// Numbers for the columns of a block, with room for whole vectors.
pub(super) fn columns(count: usize) -> Vec<f32> {
    vec![0.0; count.next_multiple_of(LANES)]
}

/// The normalisation of each column: `scale (x - centre) + shift`, and then, with a slope, a leaky rectifier.
pub(super) struct Map {
    pub scale: Vec<f32>,
    pub centre: Vec<f32>,
    pub shift: Vec<f32>,
    pub slope: Option<f32>,
}

/// The gradient of x in each column: `scale (g + slant (x - centre) + offset)`, with g that before the rectifier.
pub(super) struct Slants {
    pub slant: Vec<f32>,
    pub offset: Vec<f32>,
}

impl Map {
    /// The output for a vector of columns from `at` on, before the rectifier, from `centred = x - centre`.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`; the columns are within the block.
    #[inline(always)]
    unsafe fn apply<V: Vector>(&self, at: usize, centred: V) -> V {
        // SAFETY: the caller's promise.
        unsafe { centred.mul_add(load(&self.scale, at), load(&self.shift, at)) }
    }

    /// The gradient before the rectifier from that after it.
    ///
    /// # Safety
    /// As for [`Self::apply`].
    #[inline(always)]
    unsafe fn before<V: Vector>(&self, at: usize, centred: V, grad: V) -> V {
        match self.slope {
            // SAFETY: the caller's promise.
            Some(slope) => unsafe {
                self.apply(at, centred)
                    .if_positive(grad, grad.mul(V::splat(slope)))
            },
            None => grad,
        }
    }
}

/// # Safety
/// The processor has the instruction set of `V`, and there are as many values from `at` on.
#[inline(always)]
unsafe fn load<V: Vector>(values: &[f32], at: usize) -> V {
    // SAFETY: the caller's promise.
    unsafe { V::load(values.as_ptr().add(at)) }
}

/// Does the body for each vector of a row, given its start and how many of its values are in the row.
macro_rules! steps {
    ($vector:ident, $len:ident, |$i:ident, $count:ident| $body:block) => {
        let whole = $len - $len % $vector::LANES;
        // SAFETY: the instruction set is the caller's promise; `x`, `grad` and `out` are read and written in the row
        // only, and the columns, as asserted above, have room for whole vectors.
        unsafe {
            for $i in (0..whole).step_by($vector::LANES) {
                let $count = $vector::LANES;
                $body
            }
            if whole < $len {
                let ($i, $count) = (whole, $len - whole);
                $body
            }
        }
    };
}

/// For each channel of a block the sums of w and of `w (x - centre)`, where w is the gradient before the rectifier of
/// `map`, or without a gradient `x - centre`.
///
/// # Safety
/// The processor has the instruction set of `V`; `grad` is valid wherever `x` is.
#[inline(always)]
pub(super) unsafe fn sums<V: Vector>(
    shape: &Channels,
    channels: &Range<usize>,
    x: &[f32],
    grad: Option<*const f32>,
    map: &Map,
) -> Vec<[f64; 2]> {
    let width = map.centre.len();
    let mut partial = [columns(width), columns(width)];
    let mut totals = vec![[0.0f64; 2]; channels.len()];
    let mut rows = 0;
    for (from, len) in shape.pieces(channels) {
        // SAFETY: the caller's promise.
        unsafe {
            let grad = grad.map(|g| g.add(from));
            accumulate::<V>(&x[from..from + len], grad, map, &mut partial);
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
    map: &Map,
    [plain, products]: &mut [Vec<f32>; 2],
) {
    let len = x.len();
    check(map, len);
    let room = len.next_multiple_of(LANES);
    assert!(plain.len() >= room && products.len() >= room);
    let (plain, products) = (plain.as_mut_ptr(), products.as_mut_ptr());
    steps!(V, len, |i, count| {
        let centre = tail::load::<V>(map.centre.as_ptr().add(i), count, 0.0);
        let x = tail::load::<V>(x.as_ptr().add(i), count, 0.0).sub(centre);
        let w = match grad {
            Some(grad) => map.before(i, x, tail::load(grad.add(i), count, 0.0)),
            None => x,
        };
        // Lanes beyond the row add zero.
        V::load(plain.add(i)).add(w).store(plain.add(i));
        let sum = w.mul_add(x, V::load(products.add(i)));
        sum.store(products.add(i));
    });
}

/// Vectors of `len` columns stay inside of the map.
fn check(map: &Map, len: usize) {
    let room = len.next_multiple_of(LANES);
    let columns = [&map.scale, &map.centre, &map.shift];
    assert!(columns.iter().all(|c| c.len() >= room), "too few columns");
}

/// Normalises a row.
///
/// # Safety
/// The processor has the instruction set of `V`; `out` is valid for as many values as `x` has.
#[inline(always)]
pub(super) unsafe fn forward_row<V: Vector>(x: &[f32], map: &Map, out: *mut f32) {
    let len = x.len();
    check(map, len);
    steps!(V, len, |i, count| {
        let centre = tail::load::<V>(map.centre.as_ptr().add(i), count, 0.0);
        let x = tail::load::<V>(x.as_ptr().add(i), count, 0.0).sub(centre);
        let mut value = map.apply(i, x);
        if let Some(slope) = map.slope {
            value = value.if_positive(value, value.mul(V::splat(slope)));
        }
        tail::store(value, out.add(i), count);
    });
}

/// Writes the gradient of a row to `out`, which may be `grad`.
///
/// # Safety
/// The processor has the instruction set of `V`; `grad` and `out` are valid for as many values as `x` has.
#[inline(always)]
pub(super) unsafe fn backward_row<V: Vector>(
    x: &[f32],
    grad: *const f32,
    map: &Map,
    by: &Slants,
    out: *mut f32,
) {
    let len = x.len();
    check(map, len);
    let room = len.next_multiple_of(LANES);
    assert!(by.slant.len() >= room && by.offset.len() >= room);
    // Each value of `grad` is read before that of `out` is written.
    steps!(V, len, |i, count| {
        let centre = tail::load::<V>(map.centre.as_ptr().add(i), count, 0.0);
        let x = tail::load::<V>(x.as_ptr().add(i), count, 0.0).sub(centre);
        let g = map.before(i, x, tail::load(grad.add(i), count, 0.0));
        let value = x.mul_add(load(&by.slant, i), load(&by.offset, i));
        tail::store(g.add(value).mul(load(&map.scale, i)), out.add(i), count);
    });
}
