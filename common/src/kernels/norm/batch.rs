//! Batch normalisation of `[batch, channels, inner]`: each channel over the batch and all that lies inside of it.
//!
//! A block of channels that fits into a core's cache is worked on at a time: its sums first, then its output, so that
//! main memory is read once.

use std::ops::Range;

use super::channels::Channels;
use super::columns::{Coefficients, combine, sums};
use crate::kernels::parallel::{Shared, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Mean and biased variance of each channel; 0 of an empty batch.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    pub mean: Vec<f32>,
    pub variance: Vec<f32>,
}

/// What the values are normalised with, and scale and shift of each channel.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub epsilon: f64,
}

/// Gradients of a batch normalisation.
pub(crate) struct Gradients {
    pub x: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the batch's own statistics, and these.
pub(crate) fn train(shape: Channels, x: &[f32], affine: Affine) -> (Vec<f32>, Statistics) {
    normalise(shape, x, affine, None)
}

/// The same with given statistics.
pub(crate) fn evaluate(
    shape: Channels,
    x: &[f32],
    affine: Affine,
    statistics: &Statistics,
) -> Vec<f32> {
    normalise(shape, x, affine, Some(statistics)).0
}

fn normalise(
    shape: Channels,
    x: &[f32],
    affine: Affine,
    given: Option<&Statistics>,
) -> (Vec<f32>, Statistics) {
    let count = shape.channels;
    assert!(x.len() == shape.len() && affine.gamma.len() == count && affine.beta.len() == count);
    assert!(given.is_none_or(|s| s.mean.len() == count && s.variance.len() == count));
    let work = |out: Shared, mean: Shared, variance: Shared| {
        shape.blocks(|channels| {
            dispatch(Forward {
                shape,
                channels,
                x,
                affine,
                given,
                out,
                mean,
                variance,
            });
        });
    };
    // SAFETY: the blocks are all channels, and `Forward` writes everything of its block.
    unsafe {
        let (out, (mean, variance)) = written(x.len(), |out| {
            let (mean, (variance, ())) = written(count, |mean| {
                written(count, |variance| work(out, mean, variance))
            });
            (mean, variance)
        });
        (out, Statistics { mean, variance })
    }
}

/// One block of channels, forward.
struct Forward<'a> {
    shape: Channels,
    channels: Range<usize>,
    x: &'a [f32],
    affine: Affine<'a>,
    given: Option<&'a Statistics>,
    out: Shared<'a>,
    mean: Shared<'a>,
    variance: Shared<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            shape,
            channels,
            x,
            affine,
            ..
        } = self;
        let columns = shape.columns(&channels);
        let mut coefficients = Coefficients::new(columns);
        let statistics = match self.given {
            Some(given) => Statistics {
                mean: given.mean[channels.clone()].to_vec(),
                variance: given.variance[channels.clone()].to_vec(),
            },
            None => {
                let guess: Vec<f32> = channels.clone().map(|c| shape.guess(x, c)).collect();
                shape.spread(&channels, &mut coefficients.shift, |c| {
                    guess[c - channels.start]
                });
                // SAFETY: the instruction set is the caller's promise.
                let sums = unsafe { sums::<V>(&shape, &channels, x, None, &coefficients.shift) };
                let count = shape.samples().max(1) as f64;
                let offset = |[sum, _]: &[f64; 2]| sum / count;
                Statistics {
                    mean: guess
                        .iter()
                        .zip(&sums)
                        .map(|(g, s)| (f64::from(*g) + offset(s)) as f32)
                        .collect(),
                    variance: sums
                        .iter()
                        .map(|s| {
                            let variance = s[1] / count - offset(s) * offset(s);
                            // Written so that a NaN stays one.
                            (if variance < 0.0 { 0.0 } else { variance }) as f32
                        })
                        .collect(),
                }
            }
        };
        let at = |c: usize| c - channels.start;
        shape.spread(&channels, &mut coefficients.shift, |c| {
            statistics.mean[at(c)]
        });
        shape.spread(&channels, &mut coefficients.x, |c| {
            affine.gamma[c] * inverse_deviation(statistics.variance[at(c)], affine.epsilon)
        });
        shape.spread(&channels, &mut coefficients.constant, |c| affine.beta[c]);
        for (from, len) in shape.pieces(&channels) {
            let x = &x[from..from + len];
            // SAFETY: the instruction set is the caller's promise; the pieces of all blocks are disjoint.
            unsafe { combine::<V>(x, None, &coefficients, self.out.part(from, len)) };
        }
        // SAFETY: the blocks are disjoint.
        unsafe {
            self.mean.write(channels.start, &statistics.mean);
            self.variance.write(channels.start, &statistics.variance);
        }
    }
}

/// `1 / sqrt(variance + epsilon)`
fn inverse_deviation(variance: f32, epsilon: f64) -> f32 {
    (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32
}

/// Where the statistics came from, which decides the gradient of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// From the batch: they change with x.
    Batch,
    /// From elsewhere: they are constants.
    Given,
}

/// Gradients from that of the output, g, with n values in a channel and x^ = (x - mean) / deviation:
///
/// - beta: sum of g; gamma: sum of g x^
/// - x: `gamma / deviation (g - mean of g - x^ mean of (g x^))`; both means are absent with given statistics
pub(crate) fn backward(
    shape: Channels,
    x: &[f32],
    grad: &[f32],
    affine: Affine,
    statistics: &Statistics,
    source: Source,
) -> Gradients {
    // SAFETY: `gradients` writes everything.
    let (out, (gamma, beta)) = unsafe {
        written(x.len(), |out| {
            gradients(shape, x, Some(grad), affine, statistics, source, out)
        })
    };
    Gradients {
        x: out,
        gamma,
        beta,
    }
}

/// [`backward`] with the gradient of the input in the memory of `grad`; returns those of gamma and beta.
pub(crate) fn backward_in_place(
    shape: Channels,
    x: &[f32],
    grad: &mut [f32],
    affine: Affine,
    statistics: &Statistics,
    source: Source,
) -> (Vec<f32>, Vec<f32>) {
    gradients(
        shape,
        x,
        None,
        affine,
        statistics,
        source,
        Shared::new(grad),
    )
}

/// Without `grad` the gradient is what `out` holds.
fn gradients(
    shape: Channels,
    x: &[f32],
    grad: Option<&[f32]>,
    affine: Affine,
    statistics: &Statistics,
    source: Source,
    out: Shared,
) -> (Vec<f32>, Vec<f32>) {
    let count = shape.channels;
    assert!(x.len() == shape.len() && out.len() == x.len());
    assert!(grad.is_none_or(|g| g.len() == x.len()) && affine.gamma.len() == count);
    assert!(statistics.mean.len() == count && statistics.variance.len() == count);
    let work = |gamma: Shared, beta: Shared| {
        shape.blocks(|channels| {
            dispatch(Backward {
                shape,
                channels,
                x,
                grad,
                affine,
                statistics,
                source,
                out,
                gamma,
                beta,
            });
        });
    };
    // SAFETY: the blocks are all channels, and `Backward` writes everything of its block.
    unsafe {
        let (gamma, (beta, ())) = written(count, |gamma| written(count, |beta| work(gamma, beta)));
        (gamma, beta)
    }
}

/// One block of channels, backward.
struct Backward<'a> {
    shape: Channels,
    channels: Range<usize>,
    x: &'a [f32],
    grad: Option<&'a [f32]>,
    affine: Affine<'a>,
    statistics: &'a Statistics,
    source: Source,
    out: Shared<'a>,
    gamma: Shared<'a>,
    beta: Shared<'a>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            shape,
            channels,
            x,
            affine,
            statistics,
            ..
        } = self;
        let grad = match self.grad {
            Some(grad) => grad.as_ptr(),
            // SAFETY: only the pieces of this block are read, and written by this thread alone.
            None => unsafe { self.out.part(0, self.out.len()).cast_const() },
        };
        let mut coefficients = Coefficients::new(shape.columns(&channels));
        shape.spread(&channels, &mut coefficients.shift, |c| statistics.mean[c]);
        // SAFETY: the instruction set is the caller's promise; there are as many gradients as values.
        let sums = unsafe { sums::<V>(&shape, &channels, x, Some(grad), &coefficients.shift) };
        let at = |c: usize| sums[c - channels.start];
        let inverse = |c: usize| inverse_deviation(statistics.variance[c], affine.epsilon);
        let scale = |c: usize| affine.gamma[c] * inverse(c);
        shape.spread(&channels, &mut coefficients.grad, scale);
        if self.source == Source::Batch {
            let count = shape.samples().max(1) as f64;
            shape.spread(&channels, &mut coefficients.x, |c| {
                -scale(c) * inverse(c) * inverse(c) * (at(c)[1] / count) as f32
            });
            shape.spread(&channels, &mut coefficients.constant, |c| {
                -scale(c) * (at(c)[0] / count) as f32
            });
        }
        for (from, len) in shape.pieces(&channels) {
            let x = &x[from..from + len];
            // SAFETY: as above; the pieces of all blocks are disjoint.
            unsafe {
                let out = self.out.part(from, len);
                combine::<V>(x, Some(grad.add(from)), &coefficients, out);
            }
        }
        for c in channels.clone() {
            // SAFETY: the blocks are disjoint.
            unsafe {
                self.gamma.write(c, &[inverse(c) * at(c)[1] as f32]);
                self.beta.write(c, &[at(c)[0] as f32]);
            }
        }
    }
}
