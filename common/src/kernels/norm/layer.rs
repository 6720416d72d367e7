//! Layer normalisation of `[rows, width]`: each row by its own mean and variance, then scale and shift per column.
//!
//! A row is read three times while it lies in a core's cache: for its mean, for its variance, for its output.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::parallel::{Shared, part, ranges, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values per piece of work.
const GRAIN: usize = 16 * 1024;
/// Parts whose sums over the rows are added up in a fixed order.
const PARTS: usize = 8;
/// Values whose sum is kept in `f32`.
const BLOCK: usize = 4096;

/// What the backward pass needs of the forward pass: mean and `1 / sqrt(variance + epsilon)` of each row.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub mean: Vec<f32>,
    pub inverse: Vec<f32>,
}

/// Gradients of a layer normalisation; that of x is where the caller has put it.
pub(crate) struct Gradients {
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// `gamma (x - mean) / sqrt(variance + epsilon) + beta`, with the biased variance; `gamma` is one row wide.
pub(crate) fn forward(x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f64) -> (Vec<f32>, Rows) {
    let width = gamma.len();
    assert!(width > 0 && beta.len() == width && x.len().is_multiple_of(width));
    let rows = x.len() / width;
    let work = |out: Shared, mean: Shared, inverse: Shared| {
        ranges(rows, GRAIN.div_ceil(width), |range| {
            dispatch(Forward {
                x,
                gamma,
                beta,
                epsilon,
                rows: range,
                out,
                mean,
                inverse,
            });
        });
    };
    // SAFETY: the ranges are all rows, and each row is written whole.
    unsafe {
        let (out, (mean, inverse)) = written(x.len(), |out| {
            let (mean, (inverse, ())) = written(rows, |mean| {
                written(rows, |inverse| work(out, mean, inverse))
            });
            (mean, inverse)
        });
        (out, Rows { mean, inverse })
    }
}

/// Some rows of the output.
struct Forward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f64,
    rows: Range<usize>,
    out: Shared<'a>,
    mean: Shared<'a>,
    inverse: Shared<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let (gamma, beta) = (self.gamma, self.beta);
        let (len, count) = (gamma.len(), gamma.len() as f64);
        assert!(beta.len() == len);
        let whole = len - len % V::LANES;
        for row in self.rows {
            let x = &self.x[row * len..(row + 1) * len];
            // SAFETY: the instruction set is the caller's promise; the rows are disjoint, and all slices one row long.
            unsafe {
                let out = self.out.part(row * len, len);
                let mean = (sum::<V, false>(x, 0.0) / count) as f32;
                let variance = sum::<V, true>(x, mean) / count;
                let inverse = (1.0 / (variance + self.epsilon).sqrt()) as f32;
                let (m, s) = (V::splat(mean), V::splat(inverse));
                for i in (0..whole).step_by(V::LANES) {
                    let load = |values: &[f32]| V::load(values.as_ptr().add(i));
                    let scaled = load(x).sub(m).mul(s);
                    scaled.mul_add(load(gamma), load(beta)).store(out.add(i));
                }
                for i in whole..len {
                    out.add(i)
                        .write((x[i] - mean) * inverse * gamma[i] + beta[i]);
                }
                self.mean.write(row, &[mean]);
                self.inverse.write(row, &[inverse]);
            }
        }
    }
}

/// The sum of x, or with `SQUARES` that of `(x - shift)^2`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn sum<V: Vector, const SQUARES: bool>(x: &[f32], shift: f32) -> f64 {
    let mut total = 0.0;
    for x in x.chunks(BLOCK) {
        // SAFETY: the caller's promise; every vector lies inside of x.
        unsafe {
            let c = V::splat(shift);
            let add = |sum: V, at: usize| {
                let v = V::load(x.as_ptr().add(at));
                if SQUARES {
                    let v = v.sub(c);
                    v.mul_add(v, sum)
                } else {
                    sum.add(v)
                }
            };
            let mut sums = [V::splat(0.0); 4];
            let mut at = 0;
            while at + 4 * V::LANES <= x.len() {
                for i in 0..4 {
                    sums[i] = add(sums[i], at + i * V::LANES);
                }
                at += 4 * V::LANES;
            }
            while at + V::LANES <= x.len() {
                sums[0] = add(sums[0], at);
                at += V::LANES;
            }
            total += f64::from(total_of(sums[0].add(sums[1]).add(sums[2].add(sums[3]))));
            for v in &x[at..] {
                let v = if SQUARES {
                    (v - shift) * (v - shift)
                } else {
                    *v
                };
                total += f64::from(v);
            }
        }
    }
    total
}

/// The sum of the lanes.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(super) unsafe fn total_of<V: Vector>(v: V) -> f32 {
    let mut lanes = [0.0f32; 16];
    // SAFETY: the caller's promise; there is room for the largest vector.
    unsafe { v.store(lanes.as_mut_ptr()) };
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

/// Gradients from that of the output, g, with width n and x^ = (x - mean) / deviation:
///
/// - beta: g summed over the rows; gamma: g x^ summed over the rows
/// - x: `(h - mean of h - x^ mean of (h x^)) / deviation` with h = g gamma
///
/// The gradient of x is written to `out`; without `grad`, g is what `out` holds.
pub(crate) fn backward(
    x: &[f32],
    grad: Option<&[f32]>,
    gamma: &[f32],
    rows: &Rows,
    out: Shared,
) -> Gradients {
    let width = gamma.len();
    let count = rows.mean.len();
    assert!(width > 0 && x.len() == count * width && rows.inverse.len() == count);
    assert!(out.len() == x.len() && grad.is_none_or(|g| g.len() == x.len()));
    let parts = (x.len() / GRAIN).clamp(1, PARTS).min(count.max(1));
    let sums = |index: usize| {
        let mut sums = Gradients {
            gamma: vec![0.0; width],
            beta: vec![0.0; width],
        };
        dispatch(Backward {
            x,
            grad,
            gamma,
            rows,
            range: part(count, parts, index),
            sums: &mut sums,
            out,
        });
        sums
    };
    if parts == 1 {
        return sums(0);
    }
    let partial: Vec<Gradients> = (0..parts).into_par_iter().map(sums).collect();
    let total = |of: fn(&Gradients) -> &Vec<f32>| {
        let mut total = vec![0.0; width];
        for part in &partial {
            total.iter_mut().zip(of(part)).for_each(|(t, p)| *t += p);
        }
        total
    };
    Gradients {
        gamma: total(|g| &g.gamma),
        beta: total(|g| &g.beta),
    }
}

/// Some rows of the gradient, and their sums.
struct Backward<'a> {
    x: &'a [f32],
    grad: Option<&'a [f32]>,
    gamma: &'a [f32],
    rows: &'a Rows,
    range: Range<usize>,
    sums: &'a mut Gradients,
    out: Shared<'a>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let (gamma, sums) = (self.gamma, self.sums);
        let len = gamma.len();
        assert!(sums.gamma.len() == len && sums.beta.len() == len);
        let (to_gamma, to_beta) = (sums.gamma.as_mut_ptr(), sums.beta.as_mut_ptr());
        let whole = len - len % V::LANES;
        for row in self.range {
            let part = row * len..(row + 1) * len;
            let (mean, inverse) = (self.rows.mean[row], self.rows.inverse[row]);
            let x = &self.x[part.clone()];
            // SAFETY: the rows are disjoint.
            let out = unsafe { self.out.part(part.start, len) };
            let grad = self.grad.map_or(out.cast_const(), |g| g[part].as_ptr());
            // SAFETY: the instruction set is the caller's promise; all slices are one row long, and each value of
            // `grad` is read before that of `out`, which may be the same, is written.
            unsafe {
                let (m, s) = (V::splat(mean), V::splat(inverse));
                // The sums of h and of h x^.
                let mut plain = V::splat(0.0);
                let mut products = V::splat(0.0);
                for i in (0..whole).step_by(V::LANES) {
                    let g = V::load(grad.add(i));
                    let x = V::load(x.as_ptr().add(i)).sub(m).mul(s);
                    let h = g.mul(V::load(gamma.as_ptr().add(i)));
                    plain = plain.add(h);
                    products = h.mul_add(x, products);
                    V::load(to_beta.add(i)).add(g).store(to_beta.add(i));
                    let sum = g.mul_add(x, V::load(to_gamma.add(i)));
                    sum.store(to_gamma.add(i));
                }
                let (mut plain, mut products) = (total_of(plain), total_of(products));
                for i in whole..len {
                    let g = *grad.add(i);
                    let x = (x[i] - mean) * inverse;
                    plain += g * gamma[i];
                    products += g * gamma[i] * x;
                    *to_beta.add(i) += g;
                    *to_gamma.add(i) += g * x;
                }
                let (plain, products) = (plain / len as f32, products / len as f32);
                let (p, q) = (V::splat(plain), V::splat(products));
                for i in (0..whole).step_by(V::LANES) {
                    let x = V::load(x.as_ptr().add(i)).sub(m).mul(s);
                    let h = V::load(grad.add(i)).mul(V::load(gamma.as_ptr().add(i)));
                    h.sub(p).sub(x.mul(q)).mul(s).store(out.add(i));
                }
                for i in whole..len {
                    let x = (x[i] - mean) * inverse;
                    let h = *grad.add(i) * gamma[i];
                    out.add(i).write((h - plain - x * products) * inverse);
                }
            }
        }
    }
}
