//! Output and input gradient.

use rayon::prelude::*;

use super::filters::Strip;
use super::transform::{self, POINTS, SIDE};
use super::{Band, Matrices, Tiling};
use crate::kernels::conv::blocked::{BLOCK, block_len, from_block};
use crate::kernels::conv::filters::Filters;
use crate::kernels::conv::panel::{Numbers, StripWidth, Vectors, panel};
use crate::kernels::parallel::{Shared, written};
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

/// A correlation and its operands.
struct Correlation<'a> {
    tiling: &'a Tiling,
    source: &'a [f32],
    filters: Filters<'a>,
    bias: &'a [f32],
    bands: Vec<Band>,
    strips: Vec<Strip>,
}

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
    let tiles = tiling.all_tiles();
    let fits = (CACHED / (POINTS * (channels + width))).max(FEWEST);
    let correlation = Correlation {
        tiling,
        source,
        filters,
        bias,
        // At least some bands, so that a few images are spread over the cores.
        bands: tiling.bands(fits.min(tiles.div_ceil(4)).max(1)),
        strips: (0..padded)
            .step_by(width)
            .map(|first| Strip {
                first,
                width: (padded - first).min(width),
            })
            .collect(),
    };
    let all = Matrices {
        tiles,
        width: channels,
    };
    let large = POINTS * channels * padded > LARGE && all.len() <= KEPT && padded > width;
    let write = |out: Shared| {
        if large {
            correlation.by_strips(all, out);
        } else {
            correlation.by_bands(out);
        }
    };
    let length = tiling.batch * tiling.filters * tiling.size[0] * tiling.size[1];
    // SAFETY: the bands cover all tiles, the strips all filters, and a piece writes all pixels of its tiles for its
    // filters.
    unsafe { written(length, write) }.0
}

impl Correlation<'_> {
    /// Values of the transformed weights of a strip.
    fn weights(&self, strip: Strip) -> usize {
        POINTS * self.tiling.padded()[0] * strip.width
    }

    /// The threads share the bands; all weights are transformed before.
    fn by_bands(&self, out: Shared) {
        let channels = self.tiling.padded()[0];
        let total = self.strips.iter().map(|s| self.weights(*s)).sum();
        scratch(total, |weights| {
            let mut rest = &mut *weights;
            let mut parts = Vec::new();
            for strip in &self.strips {
                let (part, more) = rest.split_at_mut(self.weights(*strip));
                parts.push((*strip, Shared::new(part)));
                rest = more;
            }
            let blocks = channels / BLOCK;
            (0..blocks * parts.len()).into_par_iter().for_each(|item| {
                let (strip, to) = parts[item / blocks];
                let block = item % blocks;
                // SAFETY: each item has its own strip and channels.
                unsafe { self.tiling.pack(self.filters, strip, block..block + 1, to) };
            });
            let weights = &*weights;
            self.bands.par_iter().for_each(|band| {
                let matrices = Matrices {
                    tiles: self.tiling.count(band),
                    width: channels,
                };
                scratch(matrices.len(), |transformed| {
                    let to = Shared::new(transformed);
                    // SAFETY: the matrices are this band's own.
                    unsafe { self.tiling.transform(self.source, band, to, matrices, 0) };
                    let mut weights = weights;
                    for strip in &self.strips {
                        let (mine, rest) = weights.split_at(self.weights(*strip));
                        self.piece(band, (transformed, matrices, 0), *strip, mine, out);
                        weights = rest;
                    }
                });
            });
        });
    }

    /// The threads share the strips; the whole source is transformed before.
    fn by_strips(&self, matrices: Matrices, out: Shared) {
        let channels = self.tiling.padded()[0];
        scratch(matrices.len(), |transformed| {
            let to = Shared::new(transformed);
            self.bands.par_iter().for_each(|band| {
                // SAFETY: each band has its own tiles.
                unsafe {
                    self.tiling
                        .transform(self.source, band, to, matrices, band.first)
                };
            });
            let transformed = &*transformed;
            self.strips.par_iter().for_each(|strip| {
                scratch(self.weights(*strip), |weights| {
                    let blocks = 0..channels / BLOCK;
                    let to = Shared::new(weights);
                    // SAFETY: the weights are this strip's own.
                    unsafe { self.tiling.pack(self.filters, *strip, blocks, to) };
                    for band in &self.bands {
                        let source = (transformed, matrices, band.first);
                        self.piece(band, source, *strip, weights, out);
                    }
                });
            });
        });
    }

    /// The output of one band for one strip, from the transformed source (with the band's first tile) and weights.
    fn piece(
        &self,
        band: &Band,
        (transformed, matrices, first): (&[f32], Matrices, usize),
        strip: Strip,
        weights: &[f32],
        out: Shared,
    ) {
        let tiling = self.tiling;
        let to = Matrices {
            tiles: tiling.count(band),
            width: strip.width,
        };
        scratch(to.len(), |sums| {
            dispatch(Product {
                transformed,
                matrices,
                first,
                weights,
                sums,
                to,
            });
            scratch(
                block_len(tiling.out_rows(band).1 * tiling.size[1]),
                |block| {
                    let bias = self.bias;
                    let finish = Finish {
                        tiling,
                        band,
                        strip,
                        bias,
                        sums,
                        to,
                        block,
                        out,
                    };
                    match tiling.out() {
                        4 => dispatch(FinishTiles::<4>(finish)),
                        _ => dispatch(FinishTiles::<2>(finish)),
                    }
                },
            );
        });
    }
}

/// `sums[point, tile, filter] = sum over c of transformed[point, tile, c] * weights[point, c, filter]`
struct Product<'a> {
    transformed: &'a [f32],
    matrices: Matrices,
    /// First tile in the transformed source.
    first: usize,
    weights: &'a [f32],
    sums: &'a mut [f32],
    to: Matrices,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            transformed,
            matrices,
            first,
            weights,
            sums,
            to,
        } = self;
        let channels = matrices.width;
        assert!(transformed.len() >= matrices.len() && first + to.tiles <= matrices.tiles);
        assert!(weights.len() >= POINTS * channels * to.width && sums.len() >= to.len());
        for point in 0..POINTS {
            // SAFETY: the instruction set is the caller's promise; the assertions bound the operands.
            unsafe {
                let a = Numbers {
                    start: transformed
                        .as_ptr()
                        .add(point * matrices.step() + first * channels),
                    row: channels,
                    term: 1,
                };
                let b = Vectors {
                    start: weights.as_ptr().add(point * channels * to.width),
                    step: to.width,
                };
                let sums = Vectors {
                    start: sums.as_mut_ptr().add(point * to.step()),
                    step: to.width,
                };
                let vectors = to.width / V::LANES;
                panel::<V>(a, b, sums, &[(0, 0)], [to.tiles, channels, vectors], false);
            }
        }
    }
}

/// From the sums of a band and a strip to the output.
struct Finish<'a> {
    tiling: &'a Tiling,
    band: &'a Band,
    strip: Strip,
    bias: &'a [f32],
    /// `[point, tile, filter]`
    sums: &'a [f32],
    to: Matrices,
    /// Some rows of one block of filters of one image.
    block: &'a mut [f32],
    out: Shared<'a>,
}

/// [`Finish`] for tiles of M x M.
struct FinishTiles<'a, const M: usize>(Finish<'a>);

impl<const M: usize> Kernel for FinishTiles<'_, M> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Finish {
            tiling,
            band,
            strip,
            bias,
            sums,
            to,
            block,
            out,
        } = self.0;
        let [height, width] = tiling.size;
        let cols = tiling.tiles()[1];
        let (first, rows) = tiling.out_rows(band);
        let step = to.step();
        assert!(tiling.out() == M && block.len() >= block_len(rows * width));
        assert!(
            sums.len() >= to.len() && to.tiles == tiling.count(band) && to.width == strip.width
        );
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
                        let [high, wide] = [rows - row * M, width - col * M].map(|n| n.min(M));
                        let mut square = [[[0.0f32; BLOCK]; M]; M];
                        // SAFETY: the instruction set is the caller's promise; the row of this tile is inside of each
                        // matrix by the assertions; the square is one tile, of which `high` rows and `wide` columns
                        // lie inside of the block.
                        unsafe {
                            let sums = sums.as_ptr().add(tile * strip.width + f);
                            let square_at = (square.as_mut_ptr().cast(), [M * BLOCK, BLOCK]);
                            transform::output_tile::<V, M>((sums, [SIDE * step, step]), square_at);
                            for i in 0..high {
                                let at = ((row * M + i) * width + col * M) * BLOCK;
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
                let pixels = rows * width;
                // SAFETY: these rows of these filters are this piece's own.
                unsafe { from_block::<V>(block, BLOCK, pixels, filters, out, at, height * width) };
            }
        }
    }
}
