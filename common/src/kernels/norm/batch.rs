//! Batch normalisation of `[batch, channels, inner]`: each channel over the batch and all that lies inside of it.
//!
//! A block of channels that fits into a core's cache is worked on at a time: its sums first, then its output, so that
//! main memory is read once. A leaky rectifier may follow in the same pass; its gradient needs no more than the sign of
//! the normalised value, which is computed again.

use std::ops::Range;

use super::channels::Channels;
use super::columns::{Map, Slants, backward_row, columns, forward_row, sums};
use crate::kernels::parallel::{Shared, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Mean and biased variance of each channel; 0 of an empty batch.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    pub mean: Vec<f32>,
    pub variance: Vec<f32>,
}

/// What is added to the variance, and the slope of a leaky rectifier that follows, if one does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub epsilon: f64,
    pub slope: Option<f32>,
}

/// Scale and shift of each channel, and the settings.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub settings: Settings,
}

impl Affine<'_> {
    /// The map of a block of channels by these statistics.
    fn map(
        &self,
        shape: &Channels,
        channels: &Range<usize>,
        mean: &[f32],
        variance: &[f32],
    ) -> Map {
        let mut map = blank(shape.columns(channels), self.settings.slope);
        let at = |c: usize| c - channels.start;
        shape.spread(channels, &mut map.scale, |c| {
            self.gamma[c] * self.inverse(variance[at(c)])
        });
        shape.spread(channels, &mut map.centre, |c| mean[at(c)]);
        shape.spread(channels, &mut map.shift, |c| self.beta[c]);
        map
    }

    /// `1 / sqrt(variance + epsilon)`
    fn inverse(&self, variance: f32) -> f32 {
        (1.0 / (f64::from(variance) + self.settings.epsilon).sqrt()) as f32
    }
}

/// A map to zero.
fn blank(count: usize, slope: Option<f32>) -> Map {
    Map {
        scale: columns(count),
        centre: columns(count),
        shift: columns(count),
        slope,
    }
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
        let statistics = match self.given {
            Some(given) => Statistics {
                mean: given.mean[channels.clone()].to_vec(),
                variance: given.variance[channels.clone()].to_vec(),
            },
            // SAFETY: the instruction set is the caller's promise.
            None => unsafe { measure::<V>(&shape, &channels, x) },
        };
        let map = affine.map(&shape, &channels, &statistics.mean, &statistics.variance);
        for (from, len) in shape.pieces(&channels) {
            // SAFETY: the instruction set is the caller's promise; the pieces of all blocks are disjoint.
            unsafe { forward_row::<V>(&x[from..from + len], &map, self.out.part(from, len)) };
        }
        // SAFETY: the blocks are disjoint.
        unsafe {
            self.mean.write(channels.start, &statistics.mean);
            self.variance.write(channels.start, &statistics.variance);
        }
    }
}

/// Mean and variance of each channel of a block.
///
/// A value near the mean is taken off before the squares are added up, so that they do not cancel.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn measure<V: Vector>(shape: &Channels, channels: &Range<usize>, x: &[f32]) -> Statistics {
    let guess: Vec<f32> = channels.clone().map(|c| shape.guess(x, c)).collect();
    let mut map = blank(shape.columns(channels), None);
    shape.spread(channels, &mut map.centre, |c| guess[c - channels.start]);
    // SAFETY: the caller's promise.
    let sums = unsafe { sums::<V>(shape, channels, x, None, &map) };
    let count = shape.samples().max(1) as f64;
    let moments = |(guess, [sum, squares]): (&f32, &[f64; 2])| {
        let offset = sum / count;
        let variance = squares / count - offset * offset;
        // Written so that a NaN stays one.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        ((f64::from(*guess) + offset) as f32, variance as f32)
    };
    let (mean, variance) = guess.iter().zip(&sums).map(moments).unzip();
    Statistics { mean, variance }
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
///
/// With a rectifier g is first multiplied by its slope at the normalised value.
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
    assert!(
        grad.is_none_or(|g| g.len() == x.len())
            && affine.gamma.len() == count
            && affine.beta.len() == count
    );
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
        let mean = &statistics.mean[channels.clone()];
        let variance = &statistics.variance[channels.clone()];
        let map = affine.map(&shape, &channels, mean, variance);
        // SAFETY: the instruction set is the caller's promise; there are as many gradients as values.
        let sums = unsafe { sums::<V>(&shape, &channels, x, Some(grad), &map) };
        let at = |c: usize| sums[c - channels.start];
        let inverse = |c: usize| affine.inverse(statistics.variance[c]);
        let mut by = Slants {
            slant: columns(shape.columns(&channels)),
            offset: columns(shape.columns(&channels)),
        };
        if self.source == Source::Batch {
            let count = shape.samples().max(1) as f64;
            shape.spread(&channels, &mut by.slant, |c| {
                -inverse(c) * inverse(c) * (at(c)[1] / count) as f32
            });
            shape.spread(&channels, &mut by.offset, |c| -(at(c)[0] / count) as f32);
        }
        for (from, len) in shape.pieces(&channels) {
            let x = &x[from..from + len];
            // SAFETY: as above; the pieces of all blocks are disjoint.
            unsafe { backward_row::<V>(x, grad.add(from), &map, &by, self.out.part(from, len)) };
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
