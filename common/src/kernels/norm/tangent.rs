//! The derivative of a layer normalisation of `[rows, width]` along a direction, and the gradients of that derivative.

use std::ops::Range;

use rayon::prelude::*;

use super::layer::{Rows, sum, total_of};
use crate::kernels::parallel::{Shared, part, ranges, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values per piece of work.
const GRAIN: usize = 16 * 1024;
/// Parts whose sums over the rows are added up in a fixed order.
const PARTS: usize = 8;

/// Gradients of the derivative.
pub(crate) struct Gradients {
    pub x: Vec<f32>,
    pub tangent: Vec<f32>,
    pub gamma: Vec<f32>,
}

/// `gamma (u - mean of u - x^ mean of (x^ u)) / deviation` for the direction u, with x^ = (x - mean) / deviation; `gamma` is one
/// row wide.
pub(crate) fn forward(x: &[f32], u: &[f32], gamma: &[f32], epsilon: f64) -> (Vec<f32>, Rows) {
    let width = gamma.len();
    assert!(width > 0 && x.len() == u.len() && x.len().is_multiple_of(width));
    let rows = x.len() / width;
    let work = |out: Shared, mean: Shared, inverse: Shared| {
        ranges(rows, GRAIN.div_ceil(width), |range| {
            dispatch(Forward {
                x,
                u,
                gamma,
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

/// Some rows of the derivative.
struct Forward<'a> {
    x: &'a [f32],
    u: &'a [f32],
    gamma: &'a [f32],
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
        let gamma = self.gamma;
        let (len, count) = (gamma.len(), gamma.len() as f64);
        let whole = len - len % V::LANES;
        for row in self.rows {
            let x = &self.x[row * len..(row + 1) * len];
            let u = &self.u[row * len..(row + 1) * len];
            // SAFETY: the instruction set is the caller's promise; the rows are disjoint, and all slices one row long.
            unsafe {
                let out = self.out.part(row * len, len);
                let mean = (sum::<V, false>(x, 0.0) / count) as f32;
                let variance = sum::<V, true>(x, mean) / count;
                let inverse = (1.0 / (variance + self.epsilon).sqrt()) as f32;
                let middle = (sum::<V, false>(u, 0.0) / count) as f32;
                let (m, s, c) = (V::splat(mean), V::splat(inverse), V::splat(middle));
                let mut products = V::splat(0.0);
                for i in (0..whole).step_by(V::LANES) {
                    let x = V::load(x.as_ptr().add(i)).sub(m).mul(s);
                    let u = V::load(u.as_ptr().add(i)).sub(c);
                    products = u.mul_add(x, products);
                }
                let mut products = total_of(products);
                for i in whole..len {
                    products += (x[i] - mean) * inverse * (u[i] - middle);
                }
                let slope = products / len as f32;
                let q = V::splat(slope);
                for i in (0..whole).step_by(V::LANES) {
                    let x = V::load(x.as_ptr().add(i)).sub(m).mul(s);
                    let u = V::load(u.as_ptr().add(i)).sub(c);
                    let gamma = V::load(gamma.as_ptr().add(i)).mul(s);
                    u.sub(x.mul(q)).mul(gamma).store(out.add(i));
                }
                for i in whole..len {
                    let x = (x[i] - mean) * inverse;
                    out.add(i)
                        .write((u[i] - middle - x * slope) * (gamma[i] * inverse));
                }
                self.mean.write(row, &[mean]);
                self.inverse.write(row, &[inverse]);
            }
        }
    }
}

/// Gradients from that of the derivative, g, with width n, h = g gamma, s = 1 / deviation, and `c` for "less its mean":
///
/// - u: `s (h_c - x^ p / n)` with p the sum of `x^ h`
/// - gamma: `g s (u_c - x^ q / n)` summed over the rows, with q the sum of `x^ u`
/// - x: `-s^2 / n (x^ (a - 3 p q / n) + q h_c + p u_c)` with a the sum of `h_c u_c`
pub(crate) fn backward(
    x: &[f32],
    u: &[f32],
    grad: &[f32],
    gamma: &[f32],
    rows: &Rows,
) -> Gradients {
    let width = gamma.len();
    let count = rows.mean.len();
    assert!(width > 0 && x.len() == count * width && rows.inverse.len() == count);
    assert!(u.len() == x.len() && grad.len() == x.len());
    let parts = (x.len() / GRAIN).clamp(1, PARTS).min(count.max(1));
    let work = |to_x: Shared, to_u: Shared| {
        let sums = |index: usize| {
            let mut sums = vec![0.0; width];
            dispatch(Backward {
                x,
                u,
                grad,
                gamma,
                rows,
                range: part(count, parts, index),
                sums: &mut sums,
                to_x,
                to_u,
            });
            sums
        };
        if parts == 1 {
            return sums(0);
        }
        let partial: Vec<Vec<f32>> = (0..parts).into_par_iter().map(sums).collect();
        let mut total = vec![0.0; width];
        for part in &partial {
            total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
        }
        total
    };
    // SAFETY: the parts are all rows, and each row is written whole.
    let (x, (tangent, gamma)) =
        unsafe { written(x.len(), |to_x| written(u.len(), |to_u| work(to_x, to_u))) };
    Gradients { x, tangent, gamma }
}

/// Some rows of both gradients, and the sums for that of gamma.
struct Backward<'a> {
    x: &'a [f32],
    u: &'a [f32],
    grad: &'a [f32],
    gamma: &'a [f32],
    rows: &'a Rows,
    range: Range<usize>,
    sums: &'a mut [f32],
    to_x: Shared<'a>,
    to_u: Shared<'a>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let gamma = self.gamma;
        let len = gamma.len();
        let n = len as f32;
        assert!(self.sums.len() == len);
        let sums = self.sums.as_mut_ptr();
        let whole = len - len % V::LANES;
        for row in self.range {
            let place = row * len..(row + 1) * len;
            let (mean, inverse) = (self.rows.mean[row], self.rows.inverse[row]);
            let (x, u) = (&self.x[place.clone()], &self.u[place.clone()]);
            let grad = &self.grad[place.clone()];
            // SAFETY: the instruction set is the caller's promise; the rows are disjoint, and all slices one row long.
            unsafe {
                let to_x = self.to_x.part(place.start, len);
                let to_u = self.to_u.part(place.start, len);
                let middle = (sum::<V, false>(u, 0.0) / f64::from(n)) as f32;
                let mut plain = V::splat(0.0);
                for i in (0..whole).step_by(V::LANES) {
                    let gamma = V::load(gamma.as_ptr().add(i));
                    plain = V::load(grad.as_ptr().add(i)).mul_add(gamma, plain);
                }
                let mut plain = total_of(plain);
                for i in whole..len {
                    plain += grad[i] * gamma[i];
                }
                let level = plain / n;
                let (m, s) = (V::splat(mean), V::splat(inverse));
                let (c, l) = (V::splat(middle), V::splat(level));
                // The sums of x^ h, x^ u and h u, the last two less their means.
                let mut products = [V::splat(0.0); 3];
                for i in (0..whole).step_by(V::LANES) {
                    let x = V::load(x.as_ptr().add(i)).sub(m).mul(s);
                    let u = V::load(u.as_ptr().add(i)).sub(c);
                    let g = V::load(grad.as_ptr().add(i));
                    let h = g.mul(V::load(gamma.as_ptr().add(i))).sub(l);
                    products[0] = h.mul_add(x, products[0]);
                    products[1] = u.mul_add(x, products[1]);
                    products[2] = h.mul_add(u, products[2]);
                }
                let [mut p, mut q, mut a] = products.map(|v| total_of(v));
                for i in whole..len {
                    let x = (x[i] - mean) * inverse;
                    let (u, h) = (u[i] - middle, grad[i] * gamma[i] - level);
                    p += h * x;
                    q += u * x;
                    a += h * u;
                }
                let (p, q) = (p / n, q / n);
                let bend = a / n - 3.0 * p * q;
                let outer = -inverse * inverse;
                let (pv, qv, bv, ov) = (V::splat(p), V::splat(q), V::splat(bend), V::splat(outer));
                for i in (0..whole).step_by(V::LANES) {
                    let x = V::load(x.as_ptr().add(i)).sub(m).mul(s);
                    let u = V::load(u.as_ptr().add(i)).sub(c);
                    let g = V::load(grad.as_ptr().add(i));
                    let h = g.mul(V::load(gamma.as_ptr().add(i))).sub(l);
                    h.sub(x.mul(pv)).mul(s).store(to_u.add(i));
                    let curve = x.mul_add(bv, h.mul_add(qv, u.mul(pv)));
                    curve.mul(ov).store(to_x.add(i));
                    let inner = u.sub(x.mul(qv)).mul(s);
                    g.mul_add(inner, V::load(sums.add(i))).store(sums.add(i));
                }
                for i in whole..len {
                    let x = (x[i] - mean) * inverse;
                    let (u, h) = (u[i] - middle, grad[i] * gamma[i] - level);
                    to_u.add(i).write((h - x * p) * inverse);
                    to_x.add(i).write((x * bend + h * q + u * p) * outer);
                    *sums.add(i) += grad[i] * (u - x * q) * inverse;
                }
            }
        }
    }
}
