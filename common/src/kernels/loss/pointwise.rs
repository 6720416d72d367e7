//! Losses that are the mean of a function of an output and its target.

use super::super::functions::{exp, ln_1p};
use super::super::parallel::{Shared, part, ranges, written};
use super::super::simd::{Kernel, Vector, dispatch};
use super::super::tail::{at, lanes, store};

/// The function of an output x and its target y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pointwise {
    /// (x - y)^2
    Squared,
    /// max(x, 0) - x y + log(1 + e^-|x|)
    BinaryCrossEntropy,
}

/// Values per piece of work, some ten microseconds.
const GRAIN: usize = 16 * 1024;

/// The mean over all values, and, if wanted, its gradient for x.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn pointwise(
    f: Pointwise,
    x: &[f32],
    y: &[f32],
    with_gradient: bool,
) -> (f32, Option<Vec<f32>>) {
    let count = x.len();
    assert_eq!(y.len(), count, "a target for each value");
    let pieces = count.div_ceil(GRAIN).max(1);
    let mut sums = vec![0.0f64; pieces];
    let all = Shared::new(&mut sums);
    let run = |gradient: Option<Shared>| {
        ranges(pieces, 1, |range| {
            for piece in range {
                let values = part(count, pieces, piece);
                // SAFETY: the pieces are disjoint, and each has its own sum.
                unsafe {
                    let gradient = gradient.map(|g| g.part(values.start, values.len()));
                    let sum = dispatch(Piece {
                        f,
                        x: &x[values.clone()],
                        y: &y[values],
                        factor: 1.0 / count as f32,
                        gradient,
                    });
                    all.write(piece, &[sum]);
                }
            }
        });
    };
    let gradient = if with_gradient {
        // SAFETY: the pieces are all values, and `Piece` writes the gradient of each of them.
        Some(unsafe { written(count, |gradient| run(Some(gradient))).0 })
    } else {
        run(None);
        None
    };
    let sum: f64 = sums.into_iter().sum();
    ((sum / count as f64) as f32, gradient)
}

/// One piece: the sum of the function. `gradient` is valid for as many values as `x` has, and so is `y`.
struct Piece<'a> {
    f: Pointwise,
    x: &'a [f32],
    y: &'a [f32],
    /// What the derivative is multiplied by.
    factor: f32,
    gradient: Option<*mut f32>,
}

impl Kernel for Piece<'_> {
    type Output = f64;

    #[inline(always)]
    unsafe fn run<V: Vector>(self) -> f64 {
        let Self {
            f,
            x,
            y,
            factor,
            gradient,
        } = self;
        let mut total = 0.0f64;
        // SAFETY: the instruction set is the caller's promise; no more values are read or written than `x` has.
        unsafe {
            let (zero, one, factor) = (V::splat(0.0), V::splat(1.0), V::splat(factor));
            let mut sum = zero;
            for i in (0..x.len()).step_by(V::LANES) {
                let n = x.len() - i;
                let (x, y): (V, V) = (at(x, i), at(y, i));
                let (value, derivative) = match f {
                    Pointwise::Squared => {
                        let d = x.sub(y);
                        (d.mul(d), d.add(d))
                    }
                    Pointwise::BinaryCrossEntropy => {
                        // NaN is the second operand of a comparison, so that it stays NaN.
                        let e = exp(zero.sub(x).min(x)); // e^-|x|
                        let value = zero.max(x).sub(x.mul(y)).add(ln_1p(e));
                        let sigmoid = x.if_positive(one, e).div(one.add(e));
                        (value, sigmoid.sub(y))
                    }
                };
                if let Some(gradient) = gradient {
                    store(derivative.mul(factor), gradient.add(i), n);
                }
                if n < V::LANES {
                    // The lanes beyond the end hold the loss of zeros.
                    total += lanes(value, 0.0)[..n]
                        .iter()
                        .copied()
                        .map(f64::from)
                        .sum::<f64>();
                } else {
                    sum = sum.add(value);
                }
            }
            total + lanes(sum, 0.0).into_iter().map(f64::from).sum::<f64>()
        }
    }
}
