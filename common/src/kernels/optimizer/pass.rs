//! The steps over the values in memory. The new parameter takes the place of the gradient, so that nothing is allocated.

use super::super::parallel::{Shared, part, ranges};
use super::super::simd::{Kernel, Vector, dispatch};
use super::super::tail::{lanes, load, store};
use super::{Adam, Sgd};

/// Values per piece of work, some 30 microseconds: less is done before another thread has woken up.
const GRAIN: usize = 64 * 1024;

/// Replaces `gradient` by the new parameter. `velocity` is as long, or absent where the rule has no momentum.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn sgd(
    rule: &Sgd,
    parameter: &[f32],
    gradient: &mut [f32],
    velocity: Option<&mut [f32]>,
) {
    let count = parameter.len();
    assert!(gradient.len() == count && velocity.as_ref().is_none_or(|v| v.len() == count));
    let (out, velocity) = (Shared::new(gradient), velocity.map(Shared::new));
    ranges(count, GRAIN, |range| {
        // SAFETY: the ranges are disjoint.
        let (gradient, velocity) = unsafe {
            let velocity = velocity.map(|v| v.part(range.start, range.len()));
            (out.part(range.start, range.len()), velocity)
        };
        dispatch(SgdPass {
            rule,
            parameter: &parameter[range],
            gradient,
            velocity,
        });
    });
}

/// One range. The pointers are valid for as many values as `parameter` has.
struct SgdPass<'a> {
    rule: &'a Sgd,
    parameter: &'a [f32],
    gradient: *mut f32,
    velocity: Option<*mut f32>,
}

impl Kernel for SgdPass<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            rule,
            parameter,
            gradient,
            velocity,
        } = self;
        // SAFETY: the instruction set is the caller's promise, the memory that of the struct: no more values are
        // read or written than `parameter` has.
        unsafe {
            let c = |v: f64| V::splat(v as f32);
            let clip = rule.clip.unwrap_or(f64::INFINITY);
            let (low, high) = (c(-clip), c(clip));
            let (lr, decay, momentum) = (c(-rule.lr), c(rule.weight_decay), c(rule.momentum));
            for i in (0..parameter.len()).step_by(V::LANES) {
                let n = parameter.len() - i;
                let w: V = load(parameter.as_ptr().add(i), n, 0.0);
                // The bound comes first, so that NaN stays NaN.
                let g = low.max(high.min(load(gradient.add(i), n, 0.0)));
                let g = w.mul_add(decay, g);
                let step = match velocity {
                    Some(velocity) => {
                        let v = load::<V>(velocity.add(i), n, 0.0).mul_add(momentum, g);
                        store(v, velocity.add(i), n);
                        if rule.nesterov {
                            v.mul_add(momentum, g)
                        } else {
                            v
                        }
                    }
                    None => g,
                };
                store(step.mul_add(lr, w), gradient.add(i), n);
            }
        }
    }
}

/// Replaces `gradient` by the new parameter, and the moments by the new ones.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn adam(
    rule: &Adam,
    parameter: &[f32],
    gradient: &mut [f32],
    [first, second]: [&mut [f32]; 2],
) {
    let count = parameter.len();
    assert!(gradient.len() == count && first.len() == count && second.len() == count);
    let outputs = [gradient, first, second].map(Shared::new);
    ranges(count, GRAIN, |range| {
        // SAFETY: the ranges are disjoint.
        let [gradient, first, second] =
            outputs.map(|out| unsafe { out.part(range.start, range.len()) });
        dispatch(AdamPass {
            rule,
            parameter: &parameter[range],
            gradient,
            first,
            second,
        });
    });
}

/// One range. The pointers are valid for as many values as `parameter` has.
struct AdamPass<'a> {
    rule: &'a Adam,
    parameter: &'a [f32],
    gradient: *mut f32,
    first: *mut f32,
    second: *mut f32,
}

impl Kernel for AdamPass<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            rule,
            parameter,
            gradient,
            first,
            second,
        } = self;
        let (beta_1, beta_2) = rule.betas;
        let (correction_1, correction_2) = rule.corrections();
        // SAFETY: as for `SgdPass`.
        unsafe {
            let c = |v: f64| V::splat(v as f32);
            let clip = rule.clip.unwrap_or(f64::INFINITY);
            let (low, high) = (c(-clip), c(clip));
            let (new_1, old_2, new_2) = (c(1.0 - beta_1), c(beta_2), c(1.0 - beta_2));
            let (root_scale, eps) = (c(1.0 / correction_2.sqrt()), c(rule.eps));
            let kept = c(1.0 - rule.lr * rule.weight_decay);
            let lr = c(-rule.lr / correction_1);
            for i in (0..parameter.len()).step_by(V::LANES) {
                let n = parameter.len() - i;
                let w: V = load(parameter.as_ptr().add(i), n, 0.0);
                // The bound comes first, so that NaN stays NaN.
                let g = low.max(high.min(load(gradient.add(i), n, 0.0)));
                let m: V = load(first.add(i), n, 0.0);
                let m = g.sub(m).mul_add(new_1, m);
                store(m, first.add(i), n);
                let v: V = load(second.add(i), n, 0.0);
                let v = v.mul_add(old_2, g.mul(g).mul(new_2));
                store(v, second.add(i), n);
                let step = m.div(v.sqrt().mul_add(root_scale, eps));
                store(step.mul_add(lr, w.mul(kept)), gradient.add(i), n);
            }
        }
    }
}

/// The sum of the squares, in pieces whose number depends on nothing but the length.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    let pieces = values.len().div_ceil(GRAIN).max(1);
    let mut sums = vec![0.0f64; pieces];
    let out = Shared::new(&mut sums);
    ranges(pieces, 1, |range| {
        for piece in range {
            let sum = dispatch(SquareSum(&values[part(values.len(), pieces, piece)]));
            // SAFETY: each piece has its own place.
            unsafe { out.write(piece, &[sum]) };
        }
    });
    sums.into_iter().sum()
}

struct SquareSum<'a>(&'a [f32]);

impl Kernel for SquareSum<'_> {
    type Output = f64;

    #[inline(always)]
    unsafe fn run<V: Vector>(self) -> f64 {
        // SAFETY: the instruction set is the caller's promise; no more is read than the slice has.
        unsafe {
            let mut sums = [V::splat(0.0); 4];
            let from = self.0.as_ptr();
            for (turn, i) in (0..self.0.len()).step_by(V::LANES).enumerate() {
                let x: V = load(from.add(i), self.0.len() - i, 0.0);
                sums[turn % 4] = x.mul_add(x, sums[turn % 4]);
            }
            let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
            lanes(sum, 0.0).into_iter().map(f64::from).sum()
        }
    }
}

/// Multiplies all values.
pub(crate) fn scale(values: &mut [f32], factor: f32) {
    let count = values.len();
    let out = Shared::new(values);
    ranges(count, 2 * GRAIN, |range| {
        // SAFETY: the ranges are disjoint, and the part is initialised.
        let values = unsafe {
            std::slice::from_raw_parts_mut(out.part(range.start, range.len()), range.len())
        };
        values.iter_mut().for_each(|v| *v *= factor);
    });
}
