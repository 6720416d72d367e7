//! Activation functions whose derivative follows from their value: tanh, sigmoid, ReLU, leaky ReLU.

use super::functions::{sigmoid, tanh};
use super::parallel::{Shared, ranges, written};
use super::simd::{Kernel, Vector, dispatch};

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    Tanh,
    Sigmoid,
    /// x above zero, 0 below.
    Relu,
    /// x above zero, `slope * x` below. The slope is positive: the sign of the value is that of x.
    LeakyRelu(f32),
}

/// Values per piece of work: 64 kB in and out, a few microseconds.
const GRAIN: usize = 16 * 1024;

/// `f(x)`
pub(crate) fn forward(f: Activation, x: &[f32]) -> Vec<f32> {
    // SAFETY: `apply` writes everything.
    unsafe { written(x.len(), |out| apply(f, None, Some(x), out)).0 }
}

/// `f(x)` in the memory of `x`.
pub(crate) fn forward_in_place(f: Activation, x: &mut [f32]) {
    apply(f, None, None, Shared::new(x));
}

/// `grad * f'(x)` from `y = f(x)`.
pub(crate) fn backward(f: Activation, y: &[f32], grad: &[f32]) -> Vec<f32> {
    // SAFETY: `apply` writes everything.
    unsafe { written(y.len(), |out| apply(f, Some(y), Some(grad), out)).0 }
}

/// `grad * f'(x)` in the memory of `grad`, from `y = f(x)`.
pub(crate) fn backward_in_place(f: Activation, y: &[f32], grad: &mut [f32]) {
    apply(f, Some(y), None, Shared::new(grad));
}

/// The value for `source`, or with `y` its derivative times `source`. Without a source it is `out` itself.
fn apply(f: Activation, y: Option<&[f32]>, source: Option<&[f32]>, out: Shared) {
    let count = out.len();
    assert!(y.is_none_or(|y| y.len() == count) && source.is_none_or(|s| s.len() == count));
    ranges(count, GRAIN, |range| {
        // SAFETY: the ranges are disjoint.
        let to = unsafe { out.part(range.start, range.len()) };
        let source = source.map_or(to.cast_const(), |s| s[range.clone()].as_ptr());
        let y = y.map(|y| &y[range.clone()]);
        dispatch(Map {
            f,
            y,
            source,
            to,
            len: range.len(),
        });
    });
}

/// One range of values. `source` and `to` are valid for `len` values and may be the same.
struct Map<'a> {
    f: Activation,
    y: Option<&'a [f32]>,
    source: *const f32,
    to: *mut f32,
    len: usize,
}

impl Kernel for Map<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            f,
            y,
            source,
            to,
            len,
        } = self;
        let whole = len - len % V::LANES;
        // SAFETY: the instruction set is the caller's promise, the memory that of `Map` (`y` is as long: `apply`);
        // each vector is read before it is written. The rest goes through arrays of the size of a vector.
        unsafe {
            for i in (0..whole).step_by(V::LANES) {
                let x = V::load(source.add(i));
                let value = match y {
                    Some(y) => derivative(f, x, V::load(y.as_ptr().add(i))),
                    None => value(f, x),
                };
                value.store(to.add(i));
            }
            if whole < len {
                let mut rest = [[0.0f32; 16]; 2];
                rest[0]
                    .as_mut_ptr()
                    .copy_from(source.add(whole), len - whole);
                let x = V::load(rest[0].as_ptr());
                let value = match y {
                    Some(y) => {
                        rest[1][..len - whole].copy_from_slice(&y[whole..]);
                        derivative(f, x, V::load(rest[1].as_ptr()))
                    }
                    None => value(f, x),
                };
                value.store(rest[0].as_mut_ptr());
                to.add(whole).copy_from(rest[0].as_ptr(), len - whole);
            }
        }
    }
}

/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn value<V: Vector>(f: Activation, x: V) -> V {
    // SAFETY: the caller's promise. Zero comes first in the comparisons, so that NaN stays NaN.
    unsafe {
        let zero = V::splat(0.0);
        match f {
            Activation::Tanh => tanh(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Relu => zero.max(x),
            Activation::LeakyRelu(slope) => zero.min(x).mul_add(V::splat(slope), zero.max(x)),
        }
    }
}

/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn derivative<V: Vector>(f: Activation, grad: V, y: V) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let one = V::splat(1.0);
        match f {
            Activation::Tanh => grad.mul(one.sub(y.mul(y))),
            Activation::Sigmoid => grad.mul(y).mul(one.sub(y)),
            Activation::Relu => y.if_positive(grad, V::splat(0.0)),
            Activation::LeakyRelu(slope) => y.if_positive(grad, grad.mul(V::splat(slope))),
        }
    }
}
