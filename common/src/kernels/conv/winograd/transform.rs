//! The transforms of Winograd's minimal filtering with tiles of 6 x 6 inputs: F(4x4, 3x3) and F(2x2, 5x5).
//!
//! Both are Toom-Cook products through the points 0, ±sqrt(1/2), ±sqrt(2) and infinity, whose matrices have small
//! entries of about the same size, so that rounding errors stay near those of a direct sum.
//!
//! In one dimension the output y (M values) of d (6 values) under the filter g (R = 7 - M values) is
//! `A^T [(G g) * (B^T d)]`; in two dimensions each matrix is applied to the columns and then to the rows. With
//! points p and the polynomial `m(x) = x (x^2 - 1/2) (x^2 - 2)`:
//!
//! - `A[p] = (1, p, p^2, ...)`, M values; at infinity the last is 1 and the others 0
//! - `G[p] = (1, p, p^2, ...) / m'(p)`, R values; at infinity the last is 1 and the others 0
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

/// Powers of sqrt(1/2) and of sqrt(2).
const SMALL: [f32; 5] = [1.0, FRAC_1_SQRT_2, 0.5, 0.5 * FRAC_1_SQRT_2, 0.25];
const LARGE: [f32; 5] = [1.0, SQRT_2, 2.0, 2.0 * SQRT_2, 4.0];
/// `1 / m'(p)` at ±sqrt(1/2) and at ±sqrt(2); at 0 it is 1.
const SCALES: [f32; 2] = [-2.0 / 3.0, 1.0 / 6.0];

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

/// From N values to the points: `y_p = s_p * sum over i of p^i x_i`, with scales for the two pairs of points.
#[inline(always)]
unsafe fn spread<V: Vector, const N: usize>(x: [V; N], scales: [f32; 2]) -> [V; SIDE] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let mut y = [x[0]; SIDE];
        for (pair, powers) in [SMALL, LARGE].into_iter().enumerate() {
            let factor = |i: usize| V::splat(scales[pair] * powers[i]);
            let mut even = x[0].mul(factor(0));
            let mut odd = x[1].mul(factor(1));
            for i in 2..N {
                if i % 2 == 0 {
                    even = factor(i).mul_add(x[i], even);
                } else {
                    odd = factor(i).mul_add(x[i], odd);
                }
            }
            y[1 + 2 * pair] = even.add(odd);
            y[2 + 2 * pair] = even.sub(odd);
        }
        y[SIDE - 1] = x[N - 1];
        y
    }
}

/// The transpose of [`spread`], from the points to N values: `x_i = sum over p of s_p p^i y_p`.
#[inline(always)]
unsafe fn gather<V: Vector, const N: usize>(y: [V; SIDE], scales: [f32; 2]) -> [V; N] {
    // SAFETY: the instruction set is the caller's promise.
    unsafe {
        let even = [y[1].add(y[2]), y[3].add(y[4])];
        let odd = [y[1].sub(y[2]), y[3].sub(y[4])];
        let mut x = [y[0]; N];
        for i in 0..N {
            let pairs = if i % 2 == 0 { even } else { odd };
            let small = V::splat(scales[0] * SMALL[i]);
            let large = V::splat(scales[1] * LARGE[i]).mul(pairs[1]);
            let rest = match i {
                0 => large.add(y[0]),
                _ if i == N - 1 => large.add(y[SIDE - 1]),
                _ => large,
            };
            x[i] = small.mul_add(pairs[0], rest);
        }
        x
    }
}

/// `A^T m`
#[inline(always)]
unsafe fn output<V: Vector, const M: usize>(m: [V; SIDE]) -> [V; M] {
    // SAFETY: the caller's promise.
    unsafe { gather(m, [1.0, 1.0]) }
}

/// `A y`
#[inline(always)]
unsafe fn output_gradient<V: Vector, const M: usize>(y: [V; M]) -> [V; SIDE] {
    // SAFETY: the caller's promise.
    unsafe { spread(y, [1.0, 1.0]) }
}

/// `G g`
#[inline(always)]
unsafe fn filter<V: Vector, const R: usize>(g: [V; R]) -> [V; SIDE] {
    // SAFETY: the caller's promise.
    unsafe { spread(g, SCALES) }
}

/// `G^T m`
#[inline(always)]
unsafe fn filter_gradient<V: Vector, const R: usize>(m: [V; SIDE]) -> [V; R] {
    // SAFETY: the caller's promise.
    unsafe { gather(m, SCALES) }
}

/// Steps from value (i, j) of a tile to (i + 1, j) and (i, j + 1), in values.
pub(super) type Steps = [usize; 2];

/// Defines a transform of tiles: a matrix applied to the columns and then to the rows, for sixteen channels.
macro_rules! tiles {
    ($(#[$doc:meta])* $name:ident $(<$n:ident>)?, $one:ident, $from:expr, $to:expr) => {
        $(#[$doc])*
        ///
        /// Tiles lie at `from` and `to` with the steps beside them.
        ///
        /// # Safety
        /// The processor has the instruction set of `V`, and sixteen values may be accessed at each place.
        #[inline(always)]
        pub(super) unsafe fn $name<V: Vector $(, const $n: usize)?>(
            (from, [row, col]): (*const f32, Steps),
            (to, [to_row, to_col]): (*mut f32, Steps),
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
                        let line: [V; $to] = $one(line);
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
    /// Output tile, 6 x 6 to M x M: `A^T m A`.
    output_tile<M>, output, SIDE, M
);
tiles!(
    /// Filter, R x R to 6 x 6: `G g G^T`.
    filter_tile<R>, filter, R, SIDE
);
tiles!(
    /// Gradient of an output tile, M x M to 6 x 6: `A y A^T`.
    output_gradient_tile<M>, output_gradient, M, SIDE
);
tiles!(
    /// Gradient of a filter, 6 x 6 to R x R: `G^T m G`.
    filter_gradient_tile<R>, filter_gradient, SIDE, R
);
