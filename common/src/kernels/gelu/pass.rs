//! The Gaussian error linear unit and its derivative, on slices.

use crate::kernels::functions::exp;
use crate::kernels::parallel::{Shared, ranges, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values per piece of work: 64 kB in and out.
const GRAIN: usize = 16 * 1024;

/// `x Φ(x)`
pub(crate) fn forward(x: &[f32]) -> Vec<f32> {
    // SAFETY: `apply` writes everything.
    unsafe { written(x.len(), |out| apply(Some(x), None, out)).0 }
}

/// `x Φ(x)` in the memory of `x`.
pub(crate) fn forward_in_place(x: &mut [f32]) {
    apply(None, None, Shared::new(x));
}

/// `grad (Φ(x) + x φ(x))`, φ the density of the normal distribution.
pub(crate) fn backward(x: &[f32], grad: &[f32]) -> Vec<f32> {
    // SAFETY: `apply` writes everything.
    unsafe { written(x.len(), |out| apply(Some(x), Some(grad), out)).0 }
}

/// The values for `x`, or with `grad` its derivatives times `grad`. Without an `x` it is `out` itself.
fn apply(x: Option<&[f32]>, grad: Option<&[f32]>, out: Shared) {
    let count = out.len();
    let fits = |values: &[f32]| values.len() == count;
    assert!(x.is_none_or(fits) && grad.is_none_or(fits));
    ranges(count, GRAIN, |range| {
        // SAFETY: the ranges are disjoint.
        let to = unsafe { out.part(range.start, range.len()) };
        dispatch(Map {
            x: x.map_or(to.cast_const(), |x| x[range.clone()].as_ptr()),
            grad: grad.map(|grad| &grad[range.clone()]),
            to,
            len: range.len(),
        });
    });
}

/// One range of values. `x` and `to` are valid for `len` values and may be the same; `grad` has as many.
struct Map<'a> {
    x: *const f32,
    grad: Option<&'a [f32]>,
    to: *mut f32,
    len: usize,
}

impl Kernel for Map<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { x, grad, to, len } = self;
        let whole = len - len % V::LANES;
        // SAFETY: the instruction set is the caller's promise, the memory that of `Map`; each vector is read before it is written. The rest
        // goes through arrays of the size of a vector.
        unsafe {
            for i in (0..whole).step_by(V::LANES) {
                let grad = grad.map(|grad| V::load(grad.as_ptr().add(i)));
                value(V::load(x.add(i)), grad).store(to.add(i));
            }
            if whole < len {
                let mut rest = [[0.0f32; 16]; 2];
                rest[0].as_mut_ptr().copy_from(x.add(whole), len - whole);
                let grad = grad.map(|grad| {
                    rest[1][..len - whole].copy_from_slice(&grad[whole..]);
                    V::load(rest[1].as_ptr())
                });
                value(V::load(rest[0].as_ptr()), grad).store(rest[0].as_mut_ptr());
                to.add(whole).copy_from(rest[0].as_ptr(), len - whole);
            }
        }
    }
}

/// `x Φ(x)`, or with `grad` the derivative times `grad`.
///
/// `1 - Φ(|x|)` is half of erfc(|x| / √2), which is formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions, 1964: right to 1.5e-7.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn value<V: Vector>(x: V, grad: Option<V>) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let size = x.max(c(0.0).sub(x));
        let t = c(1.0).div(size.mul_add(c(0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2), c(1.0)));
        let mut p = c(1.061_405_4);
        for k in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
            p = p.mul_add(t, c(k));
        }
        let bell = exp(x.mul(x).mul(c(-0.5))); // √(2π) φ(x)
        let tail = p.mul(t).mul(bell).mul(c(0.5)); // 1 - Φ(|x|)
        let below = x.if_positive(c(1.0).sub(tail), tail); // Φ(x)
        match grad {
            None => x.mul(below),
            Some(grad) => {
                let density = bell.mul(c(0.398_942_3)); // φ(x)
                grad.mul(x.mul_add(density, below))
            }
        }
    }
}
