//! The weight gradient.

use rayon::prelude::*;

use super::{Band, Layout, reach};
use crate::kernels::conv::WeightGradient;
use crate::kernels::conv::blocked::{BLOCK, to_block, transpose};
use crate::kernels::conv::panel::{Numbers, Vectors, panel, widest};
use crate::kernels::parallel::{Shared, part, written};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values of a band's frames and gradient that stay in a core's second-level cache.
const CACHED: usize = 128 * 1024;
/// Weights from which on the threads share them and not the images.
const LARGE: usize = 192 * 1024;
/// Values of all frames and gradients that may be kept for that.
const KEPT: usize = 6 * 1024 * 1024;

/// The gradients of weight and bias of a convolution described by `layout` from its source and the gradient of the
/// destination.
pub(crate) fn weight_gradient(layout: &Layout, source: &[f32], grad: &[f32]) -> WeightGradient {
    let [channels, filters] = layout.padded();
    let line = layout.frame_cols() * channels;
    let (rows, cols) = (&layout.rows.phases[0], &layout.cols.phases[0]);
    let mut offsets = Vec::new();
    for r in &rows.taps {
        for k in &cols.taps {
            offsets.push(reach(&layout.rows, r) * line + reach(&layout.cols, k) * channels);
        }
    }
    let length = offsets.len() * channels * filters;
    let whole = Band {
        images: 0..1,
        rows: 0..layout.size[0],
    };
    let image = layout.frames(&whole) + layout.grads(&whole);
    let shared = length > LARGE && layout.batch > 0 && layout.batch * image <= KEPT;
    let parts = if shared {
        1
    } else {
        rayon::current_num_threads()
    };
    let taps = offsets.len();
    let mut weight = Vec::new();
    let mut bias = vec![0.0; filters];
    scratch(parts * length, |sums| {
        if shared {
            bias = by_weights(layout, source, grad, &offsets, sums);
        } else {
            bias = by_images(layout, source, grad, &offsets, sums);
        }
        let sums = &*sums;
        let write = |out: Shared| {
            (0..filters / BLOCK).into_par_iter().for_each(|block| {
                dispatch(Finish {
                    layout,
                    sums,
                    parts,
                    taps,
                    block,
                    out,
                });
            });
        };
        // SAFETY: the blocks cover all filters, and each writes all weights of its filters.
        weight = unsafe { written(layout.filters * layout.channels * taps, write) }.0;
    });
    bias.truncate(layout.filters);
    WeightGradient { weight, bias }
}

impl Layout {
    /// Values of a band's gradient, `[image, pixel, filter]`, with room for the last square of pixels.
    fn grads(&self, band: &Band) -> usize {
        let pixels = band.images.len() * band.rows.len() * self.size[1];
        (pixels + BLOCK) * self.padded()[1]
    }

    /// Where each row of the destination in a band starts in the frames and in the gradient.
    fn runs(&self, band: &Band) -> Vec<(usize, usize)> {
        let [channels, filters] = self.padded();
        let cols = self.size[1];
        let frame = self.frame(band);
        let line = self.frame_cols() * channels * self.rows.planes;
        let rows = band.rows.len();
        (0..band.images.len() * rows)
            .map(|n| {
                let (image, row) = (n / rows, n % rows);
                (image * frame + row * line, n * cols * filters)
            })
            .collect()
    }
}

/// The threads share the images; each has sums of its own, which are added in order. The bias is returned.
fn by_images(
    layout: &Layout,
    source: &[f32],
    grad: &[f32],
    offsets: &[usize],
    sums: &mut [f32],
) -> Vec<f32> {
    let [channels, filters] = layout.padded();
    let length = offsets.len() * channels * filters;
    let bands = layout.bands(CACHED, filters);
    let parts = sums.len() / length;
    let partial: Vec<Vec<f32>> = sums
        .par_chunks_exact_mut(length)
        .enumerate()
        .map(|(index, sums)| {
            let mut bias = vec![0.0; filters];
            sums.fill(0.0);
            for band in &bands[part(bands.len(), parts, index)] {
                scratch(layout.frames(band), |frames| {
                    scratch(layout.grads(band), |grads| {
                        layout.fill(source, band, frames);
                        let bias = &mut bias;
                        dispatch(Gradient {
                            layout,
                            grad,
                            band,
                            to: grads,
                            bias,
                        });
                        let runs = layout.runs(band);
                        for (tap, offset) in offsets.iter().enumerate() {
                            dispatch(Product {
                                layout,
                                frames: &frames[*offset..],
                                grads,
                                runs: &runs,
                                sums: &mut sums[tap * channels * filters..][..channels * filters],
                                channels: 0..channels,
                            });
                        }
                    });
                });
            }
            bias
        })
        .collect();
    let mut bias = vec![0.0; filters];
    for part in partial {
        bias.iter_mut().zip(part).for_each(|(b, p)| *b += p);
    }
    bias
}

/// The threads share the weights: each sum is made by one of them, over all images. The bias is returned.
fn by_weights(
    layout: &Layout,
    source: &[f32],
    grad: &[f32],
    offsets: &[usize],
    sums: &mut [f32],
) -> Vec<f32> {
    let [channels, filters] = layout.padded();
    let band = |image: usize| Band {
        images: image..image + 1,
        rows: 0..layout.size[0],
    };
    let (frame, grads_len) = (layout.frames(&band(0)), layout.grads(&band(0)));
    let mut bias = vec![0.0; filters];
    scratch(layout.batch * frame, |frames| {
        scratch(layout.batch * grads_len, |grads| {
            let partial: Vec<Vec<f32>> = frames
                .par_chunks_exact_mut(frame)
                .zip(grads.par_chunks_exact_mut(grads_len))
                .enumerate()
                .map(|(image, (frames, grads))| {
                    let mut bias = vec![0.0; filters];
                    layout.fill(source, &band(image), frames);
                    dispatch(Gradient {
                        layout,
                        grad,
                        band: &band(image),
                        to: grads,
                        bias: &mut bias,
                    });
                    bias
                })
                .collect();
            for part in partial {
                bias.iter_mut().zip(part).for_each(|(b, p)| *b += p);
            }
            let (frames, grads) = (&*frames, &*grads);
            let one = layout.runs(&band(0));
            let runs: Vec<(usize, usize)> = (0..layout.batch)
                .flat_map(|image| {
                    one.iter()
                        .map(move |(a, b)| (a + image * frame, b + image * grads_len))
                })
                .collect();
            sums.par_chunks_exact_mut(channels * filters)
                .zip(offsets)
                .for_each(|(sums, offset)| {
                    // Some channels of one tap: what they read stays in the cache for all filters.
                    sums.par_chunks_mut(4 * BLOCK * filters)
                        .enumerate()
                        .for_each(|(index, sums)| {
                            let first = 4 * BLOCK * index;
                            sums.fill(0.0);
                            dispatch(Product {
                                layout,
                                frames: &frames[*offset..],
                                grads,
                                runs: &runs,
                                sums,
                                channels: first..(first + 4 * BLOCK).min(channels),
                            });
                        });
                });
        });
    });
    bias
}

/// Copies the gradient of a band, `[image, pixel, filter]`, and adds up its values per filter.
struct Gradient<'a> {
    layout: &'a Layout,
    grad: &'a [f32],
    band: &'a Band,
    to: &'a mut [f32],
    bias: &'a mut [f32],
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [height, width] = self.layout.size;
        let (filters, padded) = (self.layout.filters, self.layout.padded()[1]);
        let pixels = self.band.rows.len() * width;
        for (index, image) in self.band.images.clone().enumerate() {
            for f in (0..filters).step_by(BLOCK) {
                let at = (image * filters + f) * height * width + self.band.rows.start * width;
                let to = &mut self.to[index * pixels * padded + f..];
                let count = (filters - f).min(BLOCK);
                // SAFETY: the instruction set is the caller's promise.
                unsafe { to_block::<V>(self.grad, at, height * width, count, pixels, to, padded) };
            }
        }
        let count = self.band.images.len() * pixels;
        for row in self.to[..count * padded].chunks_exact(padded) {
            for (sum, g) in self.bias.iter_mut().zip(row) {
                *sum += g;
            }
        }
    }
}

/// Adds `sums[channel, filter] += sum over positions of frames[position, channel] * grads[position, filter]`.
struct Product<'a> {
    layout: &'a Layout,
    /// From the first value that this tap reads on.
    frames: &'a [f32],
    grads: &'a [f32],
    runs: &'a [(usize, usize)],
    sums: &'a mut [f32],
    channels: std::ops::Range<usize>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [channels, filters] = self.layout.padded();
        let cols = self.layout.size[1];
        let term = self.layout.cols.planes * channels;
        let width = widest::<V>() * V::LANES;
        let last = |of: fn(&(usize, usize)) -> usize| self.runs.iter().map(of).max().unwrap_or(0);
        assert!(last(|r| r.0) + (cols - 1) * term + self.channels.end <= self.frames.len());
        assert!(last(|r| r.1) + cols * filters <= self.grads.len());
        assert!(self.sums.len() >= self.channels.len() * filters && self.channels.end <= channels);
        for f in (0..filters).step_by(width) {
            let vectors = (filters - f).min(width) / V::LANES;
            // SAFETY: the instruction set is the caller's promise; the assertions bound the operands.
            unsafe {
                let a = Numbers {
                    start: self.frames.as_ptr().add(self.channels.start),
                    row: 1,
                    term,
                };
                let b = Vectors {
                    start: self.grads.as_ptr().add(f),
                    step: filters,
                };
                let to = Vectors {
                    start: self.sums.as_mut_ptr().add(f),
                    step: filters,
                };
                panel::<V>(
                    a,
                    b,
                    to,
                    self.runs,
                    [self.channels.len(), cols, vectors],
                    true,
                );
            }
        }
    }
}

/// Weights of one block of filters from the sums of all parts, `[tap, channel, filter]`.
struct Finish<'a> {
    layout: &'a Layout,
    sums: &'a [f32],
    parts: usize,
    taps: usize,
    block: usize,
    out: Shared<'a>,
}

impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [channels, filters] = self.layout.padded();
        let length = self.taps * channels * filters;
        let f = self.block * BLOCK;
        let count = (self.layout.filters - f).min(BLOCK);
        let weights = self.layout.channels * self.taps;
        for n in (0..weights).step_by(BLOCK) {
            let some = (weights - n).min(BLOCK);
            let mut square = [[0.0f32; BLOCK]; BLOCK];
            let mut turned = [[0.0f32; BLOCK]; BLOCK];
            for (i, row) in square.iter_mut().enumerate().take(some) {
                let (c, tap) = ((n + i) / self.taps, (n + i) % self.taps);
                for part in 0..self.parts {
                    let at = part * length + (tap * channels + c) * filters + f;
                    let sums = &self.sums[at..][..BLOCK];
                    row.iter_mut().zip(sums).for_each(|(r, s)| *r += s);
                }
            }
            // SAFETY: two squares; these weights are this block's own.
            unsafe {
                transpose::<V>(
                    square.as_ptr().cast(),
                    BLOCK,
                    turned.as_mut_ptr().cast(),
                    BLOCK,
                );
                for (i, row) in turned.iter().enumerate().take(count) {
                    self.out.write((f + i) * weights + n, &row[..some]);
                }
            }
        }
    }
}
