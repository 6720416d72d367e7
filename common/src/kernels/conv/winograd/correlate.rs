//! Output and input gradient.

use rayon::prelude::*;

use super::filters::Transform;
use super::transform::{self, OUT, POINTS, SIDE};
use super::{Band, SKEW, Tiling};
use crate::kernels::conv::blocked::{BLOCK, block_len, from_block};
use crate::kernels::conv::filters::Filters;
use crate::kernels::conv::panel::{Numbers, StripWidth, Vectors, panel};
use crate::kernels::parallel::{Shared, ranges, written};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values of the transformed source and result of a band that stay in a core's second-level cache.
const CACHED: usize = 160 * 1024;
/// Fewest tiles of a band: more than a panel has rows.
const FEWEST: usize = 24;
/// Values of the transformed weights from which on they are made where they are used, strip by strip.
const LARGE: usize = 512 * 1024;
/// Values of the transformed source that may be kept for that.
const KEPT: usize = 4 * 1024 * 1024;

/// Computes `destination[b, f, y, x] = bias[f] + sum over c, i, j of filters[c, f, i, j] * source[b, c, y + i - begin,
/// x + j - begin]`.
pub(crate) fn correlate(
    tiling: &Tiling,
    source: &[f32],
    filters: Filters,
    bias: &[f32],
) -> Vec<f32> {
    let [channels, padded] = tiling.padded();
    let width = dispatch(StripWidth).min(padded);
    let strips = padded.div_ceil(width);
    let weights = POINTS * channels * padded;
    let fits = CACHED / (POINTS * (channels + width));
    let bands = tiling.bands(
        fits.max(FEWEST)
            .min(tiling.batch * tiling.tiles().iter().product::<usize>() / 4),
    );
    let all: usize = bands.iter().map(|b| tiling.transformed(b)).sum();
    let length = tiling.batch * tiling.filters * tiling.size[0] * tiling.size[1];
    let strip = |index: usize| {
        let first = index * width;
        Strip {
            first,
            width: (padded - first).min(width),
        }
    };
    let piece = |band, transformed: &[f32], strip: Strip, weights: &[f32], out: Shared| {
        let step = tiling.count(band) * strip.width + SKEW;
        let pixels = (band.rows.len() * OUT).min(tiling.size[0]) * tiling.size[1];
        scratch(POINTS * step, |sums| {
            scratch(block_len(pixels), |block| {
                dispatch(Piece {
                    tiling,
                    band,
                    transformed,
                    strip,
                    weights,
                    bias,
                    sums,
                    step,
                    block,
                    out,
                });
            });
        });
    };
    let pack = |strip: Strip, range: std::ops::Range<usize>, to: Shared| {
        for c in range {
            let count = (tiling.filters - strip.first).min(strip.width);
            let len = POINTS * channels * strip.width;
            // SAFETY: each channel has its own row of every point.
            let to = unsafe { std::slice::from_raw_parts_mut(to.part(0, len), len) };
            let to = &mut to[c * strip.width..];
            let step = channels * strip.width;
            if c < tiling.channels {
                dispatch(Transform {
                    filters,
                    turned: tiling.turned,
                    channel: c,
                    first: strip.first,
                    count,
                    to,
                    step,
                });
            } else {
                for point in 0..POINTS {
                    to[point * step..][..strip.width].fill(0.0);
                }
            }
        }
    };
    let large = |out: Shared| {
        scratch(all, |transformed| {
            let parts = Shared::new(transformed);
            let mut starts = vec![0];
            for band in &bands {
                starts.push(starts[starts.len() - 1] + tiling.transformed(band));
            }
            bands.par_iter().zip(&starts).for_each(|(band, start)| {
                let len = tiling.transformed(band);
                // SAFETY: each band has its own part.
                let to = unsafe { std::slice::from_raw_parts_mut(parts.part(*start, len), len) };
                scratch(tiling.source_block(band), |block| {
                    tiling.transform(source, band, block, to);
                });
            });
            let transformed = &*transformed;
            (0..strips).into_par_iter().for_each(|index| {
                let strip = strip(index);
                scratch(POINTS * channels * strip.width, |weights| {
                    pack(strip, 0..channels, Shared::new(weights));
                    for (band, start) in bands.iter().zip(&starts) {
                        let transformed = &transformed[*start..][..tiling.transformed(band)];
                        piece(band, transformed, strip, weights, out);
                    }
                });
            });
        });
    };
    let small = |out: Shared| {
        scratch(weights, |weights| {
            let parts = Shared::new(weights);
            for index in 0..strips {
                let strip = strip(index);
                let start = POINTS * channels * index * width;
                let len = POINTS * channels * strip.width;
                ranges(channels, 32, |range| {
                    // SAFETY: each strip has its own part, and each channel its own rows of it.
                    let part =
                        unsafe { std::slice::from_raw_parts_mut(parts.part(start, len), len) };
                    pack(strip, range, Shared::new(part));
                });
            }
            let weights = &*weights;
            bands.par_iter().for_each(|band| {
                scratch(tiling.transformed(band), |transformed| {
                    scratch(tiling.source_block(band), |block| {
                        tiling.transform(source, band, block, transformed);
                    });
                    for index in 0..strips {
                        let strip = strip(index);
                        let start = POINTS * channels * index * width;
                        let weights = &weights[start..][..POINTS * channels * strip.width];
                        piece(band, transformed, strip, weights, out);
                    }
                });
            });
        });
    };
    let write = |out: Shared| {
        if weights > LARGE && all <= KEPT && strips > 1 {
            large(out);
        } else {
            small(out);
        }
    };
    // SAFETY: the bands cover all tiles, the strips all filters, and a piece writes all pixels of its tiles for its
    // filters.
    unsafe { written(length, write) }.0
}

/// Filters that are worked on at a time.
#[derive(Clone, Copy)]
struct Strip {
    first: usize,
    width: usize,
}

/// A band for one strip of filters.
struct Piece<'a> {
    tiling: &'a Tiling,
    band: &'a Band,
    /// `[point, tile, channel]`
    transformed: &'a [f32],
    strip: Strip,
    /// `[point, channel, filter]`
    weights: &'a [f32],
    bias: &'a [f32],
    /// `[point, tile, filter]`, matrices `step` apart
    sums: &'a mut [f32],
    step: usize,
    /// Some rows of one block of filters of one image.
    block: &'a mut [f32],
    out: Shared<'a>,
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            tiling,
            band,
            transformed,
            strip,
            weights,
            bias,
            sums,
            step,
            block,
            out,
        } = self;
        let channels = tiling.padded()[0];
        let (tiles, source_step) = (tiling.count(band), tiling.point_step(band));
        assert!(transformed.len() >= POINTS * source_step && sums.len() >= POINTS * step);
        assert!(weights.len() >= POINTS * channels * strip.width && step >= tiles * strip.width);
        for point in 0..POINTS {
            // SAFETY: the instruction set is the caller's promise; the assertions bound the operands.
            unsafe {
                let a = Numbers {
                    start: transformed.as_ptr().add(point * source_step),
                    row: channels,
                    term: 1,
                };
                let b = Vectors {
                    start: weights.as_ptr().add(point * channels * strip.width),
                    step: strip.width,
                };
                let to = Vectors {
                    start: sums.as_mut_ptr().add(point * step),
                    step: strip.width,
                };
                panel::<V>(
                    a,
                    b,
                    to,
                    &[(0, 0)],
                    [tiles, channels, strip.width / V::LANES],
                    false,
                );
            }
        }

        let [height, width] = tiling.size;
        let cols = tiling.tiles()[1];
        let first = band.rows.start * OUT;
        let rows = (band.rows.end * OUT).min(height) - first;
        assert!(block.len() >= block_len(rows * width));
        for f in (0..strip.width).step_by(BLOCK) {
            let from = strip.first + f;
            let filters = tiling.filters.saturating_sub(from).min(BLOCK);
            let mut start = [0.0f32; BLOCK];
            for (s, b) in start.iter_mut().zip(bias.iter().skip(from)) {
                *s = *b;
            }
            let mut tile = 0;
            for image in band.images.clone() {
                for row in 0..band.rows.len() {
                    for col in 0..cols {
                        let sums = sums[tile * strip.width + f..].as_ptr();
                        let [high, wide] =
                            [rows - row * OUT, width - col * OUT].map(|n| n.min(OUT));
                        let mut square = [[[0.0f32; BLOCK]; OUT]; OUT];
                        // SAFETY: the sums of this tile are inside of each matrix; the square is one tile, of
                        // which `high` rows and `wide` columns lie inside of the block.
                        unsafe {
                            let steps = [OUT * BLOCK, BLOCK];
                            let to = square.as_mut_ptr().cast();
                            transform::output_tile::<V>(sums, [SIDE * step, step], to, steps);
                            for i in 0..high {
                                let at = ((row * OUT + i) * width + col * OUT) * BLOCK;
                                let to = block.as_mut_ptr().add(at);
                                for k in (0..wide * BLOCK).step_by(V::LANES) {
                                    let bias = V::load(start.as_ptr().add(k % BLOCK));
                                    let value = V::load(square[i].as_ptr().cast::<f32>().add(k));
                                    value.add(bias).store(to.add(k));
                                }
                            }
                        }
                        tile += 1;
                    }
                }
                let at = (image * tiling.filters + from) * height * width + first * width;
                // SAFETY: these rows of these filters are this piece's own.
                unsafe {
                    from_block::<V>(block, BLOCK, rows * width, filters, out, at, height * width)
                };
            }
        }
    }
}
