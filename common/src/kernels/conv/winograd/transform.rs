//! The transforms of Winograd's minimal filtering F(4x4, 3x3), a Toom-Cook product through the points
//! 0, ±sqrt(1/2), ±sqrt(2) and infinity, whose matrices have small entries of about the same size, so that rounding
//! errors stay near those of a direct sum.
//!
//! In one dimension the output y (4 values) of d (6 values) under the filter g (3) is `A^T [(G g) * (B^T d)]`; in
//! two dimensions each matrix is applied to the columns and then to the rows. With points p and the polynomial
//! `m(x) = x (x^2 - 1/2) (x^2 - 2)`:
//!
//! - `A[p] = (1, p, p^2, p^3)`
//! - `G[p] = (1, p, p^2) / m'(p)`
//! - `B^T[p]` = the coefficients of `m(x) / (x - p)`; at infinity those of m.
//!
//! Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015.

use crate::kernels::conv::blocked::BLOCK;
use crate::kernels::simd::Vector;
use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

/// Values of a transformed tile.
pub(super) const POINTS: usize = SIDE * SIDE;
/// Rows and columns of an input tile.
pub(super) const SIDE: usize = 6;
/// Rows and columns of an output tile.
pub(super) const OUT: usize = 4;
/// Rows and columns of the filter.
pub(super) const TAPS: usize = 3;

/// `B^T d`
#[inline(always)]
unsafe fn input<V: Vector>(d: [V; SIDE]) -> [V; SIDE] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let even = c(-2.0).mul_add(d[2], d[4]);
        let odd = c(-2.0).mul_add(d[1], d[3]).mul(c(FRAC_1_SQRT_2));
        let even2 = c(-0.5).mul_add(d[2], d[4]);
        let odd2 = c(-0.5).mul_add(d[1], d[3]).mul(c(SQRT_2));
        [
            c(-2.5).mul_add(d[2], d[0].add(d[4])),
            even.add(odd),
            even.sub(odd),
            even2.add(odd2),
            even2.sub(odd2),
            c(-2.5).mul_add(d[3], d[1].add(d[5])),
        ]
    }
}

/// `A^T m`
#[inline(always)]
unsafe fn output<V: Vector>(m: [V; SIDE]) -> [V; OUT] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let (p, q) = (m[1].add(m[2]), m[1].sub(m[2]));
        let (r, s) = (m[3].add(m[4]), m[3].sub(m[4]));
        [
            m[0].add(p).add(r),
            c(FRAC_1_SQRT_2).mul_add(q, c(SQRT_2).mul(s)),
            c(0.5).mul_add(p, r.add(r)),
            c(0.5 * FRAC_1_SQRT_2).mul_add(q, c(2.0 * SQRT_2).mul_add(s, m[5])),
        ]
    }
}

/// `G g`
#[inline(always)]
unsafe fn filter<V: Vector>(g: [V; TAPS]) -> [V; SIDE] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let even = c(0.5).mul_add(g[2], g[0]).mul(c(-2.0 / 3.0));
        let odd = g[1].mul(c(-2.0 / 3.0 * FRAC_1_SQRT_2));
        let even2 = c(2.0).mul_add(g[2], g[0]).mul(c(1.0 / 6.0));
        let odd2 = g[1].mul(c(SQRT_2 / 6.0));
        [
            g[0],
            even.add(odd),
            even.sub(odd),
            even2.add(odd2),
            even2.sub(odd2),
            g[2],
        ]
    }
}

/// `A y`, the transpose of [`output`]
#[inline(always)]
unsafe fn output_gradient<V: Vector>(y: [V; OUT]) -> [V; SIDE] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let even = c(0.5).mul_add(y[2], y[0]);
        let odd = c(0.5).mul_add(y[3], y[1]).mul(c(FRAC_1_SQRT_2));
        let even2 = c(2.0).mul_add(y[2], y[0]);
        let odd2 = c(2.0).mul_add(y[3], y[1]).mul(c(SQRT_2));
        [
            y[0],
            even.add(odd),
            even.sub(odd),
            even2.add(odd2),
            even2.sub(odd2),
            y[3],
        ]
    }
}

/// `G^T m`, the transpose of [`filter`]
#[inline(always)]
unsafe fn filter_gradient<V: Vector>(m: [V; SIDE]) -> [V; TAPS] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let third = c(-2.0 / 3.0);
        let sixth = c(1.0 / 6.0);
        let (p, q) = (m[1].add(m[2]).mul(third), m[1].sub(m[2]).mul(third));
        let (r, s) = (m[3].add(m[4]).mul(sixth), m[3].sub(m[4]).mul(sixth));
        [
            m[0].add(p).add(r),
            c(FRAC_1_SQRT_2).mul_add(q, c(SQRT_2).mul(s)),
            c(0.5).mul_add(p, r.add(r).add(m[5])),
        ]
    }
}

/// Defines a transform of tiles: a matrix applied to the columns and then to the rows, for sixteen channels.
macro_rules! tiles {
    ($(#[$doc:meta])* $name:ident, $one:ident, $from:ident, $to:ident) => {
        $(#[$doc])*
        ///
        /// Value (i, j) of the tile is at `from + i * row + j * col`; value (i, j) of the result at
        /// `to + i * to_row + j * to_col`, where `to_row` and `to_col` are multiples of 16 values.
        ///
        /// # Safety
        /// The processor has the instruction set of `V`, and sixteen values may be accessed at each place.
        #[inline(always)]
        pub(super) unsafe fn $name<V: Vector>(
            from: *const f32,
            [row, col]: [usize; 2],
            to: *mut f32,
            [to_row, to_col]: [usize; 2],
        ) {
            for lane in (0..BLOCK).step_by(V::LANES) {
                // SAFETY: the caller's promise.
                unsafe {
                    let zero = V::splat(0.0);
                    let mut columns = [[zero; $to]; $from];
                    for j in 0..$from {
                        let mut column = [zero; $from];
                        for i in 0..$from {
                            column[i] = V::load(from.add(i * row + j * col + lane));
                        }
                        columns[j] = $one(column);
                    }
                    for i in 0..$to {
                        let mut line = [zero; $from];
                        for j in 0..$from {
                            line[j] = columns[j][i];
                        }
                        let line = $one(line);
                        for j in 0..$to {
                            line[j].store(to.add(i * to_row + j * to_col + lane));
                        }
                    }
                }
            }
        }
    };
}

tiles!(
    /// Input tile, 6 x 6 to 6 x 6: `B^T d B`.
    input_tile, input, SIDE, SIDE
);
tiles!(
    /// Output tile, 6 x 6 to 4 x 4: `A^T m A`.
    output_tile, output, SIDE, OUT
);
tiles!(
    /// Filter, 3 x 3 to 6 x 6: `G g G^T`.
    filter_tile, filter, TAPS, SIDE
);
tiles!(
    /// Gradient of an output tile, 4 x 4 to 6 x 6: `A y A^T`.
    output_gradient_tile, output_gradient, OUT, SIDE
);
tiles!(
    /// Gradient of a filter, 6 x 6 to 3 x 3: `G^T m G`.
    filter_gradient_tile, filter_gradient, SIDE, TAPS
);
