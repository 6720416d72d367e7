//! The weight gradient: the transpose of the algorithm of the output.

use rayon::prelude::*;

use super::transform::{self, OUT, POINTS, SIDE, TAPS};
use super::{Band, SKEW, Tiling};
use crate::kernels::conv::WeightGradient;
use crate::kernels::conv::blocked::{BLOCK, block_len, to_block, transpose};
use crate::kernels::conv::panel::{Numbers, Vectors, panel, widest};
use crate::kernels::parallel::{Shared, part, written};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values of the transformed source and gradient of a band that stay in a core's second-level cache.
const CACHED: usize = 256 * 1024;
/// Fewest tiles of a band.
const FEWEST: usize = 32;

/// The gradients of weight and bias of a convolution described by `tiling` from its source and the gradient of the
/// destination.
pub(crate) fn weight_gradient(tiling: &Tiling, source: &[f32], grad: &[f32]) -> WeightGradient {
    let [channels, filters] = tiling.padded();
    let fits = CACHED / (POINTS * (channels + filters));
    let bands = tiling.bands(fits.max(FEWEST));
    // As many sums of their own as there are threads; they are added in order.
    let parts = rayon::current_num_threads().min(bands.len()).max(1);
    let step = channels * filters + SKEW;
    let length = POINTS * step;
    let (mut weight, mut bias) = (Vec::new(), vec![0.0; filters]);
    scratch(parts * length, |sums| {
        let partial: Vec<Vec<f32>> = sums
            .par_chunks_mut(length)
            .enumerate()
            .map(|(index, sums)| {
                let mut bias = vec![0.0; filters];
                let mine = part(bands.len(), parts, index);
                if mine.is_empty() {
                    sums.fill(0.0);
                }
                for (n, band) in bands[mine].iter().enumerate() {
                    let tiles = tiling.count(band);
                    let grad_step = tiles * filters + SKEW;
                    scratch(tiling.transformed(band), |transformed| {
                        scratch(POINTS * grad_step, |grads| {
                            scratch(
                                tiling
                                    .source_block(band)
                                    .max(block_len(band.rows.len() * OUT * tiling.size[1])),
                                |block| {
                                    tiling.transform(source, band, block, transformed);
                                    dispatch(Gradient {
                                        tiling,
                                        grad,
                                        band,
                                        block,
                                        to: grads,
                                        step: grad_step,
                                        bias: &mut bias,
                                    });
                                },
                            );
                            dispatch(Product {
                                tiling,
                                transformed,
                                source_step: tiling.point_step(band),
                                grads,
                                grad_step,
                                tiles,
                                sums,
                                step,
                                add: n > 0,
                            });
                        });
                    });
                }
                bias
            })
            .collect();
        for part in partial {
            bias.iter_mut().zip(part).for_each(|(b, p)| *b += p);
        }
        bias.truncate(tiling.filters);
        let sums = &*sums;
        let write = |out: Shared| {
            (0..filters / BLOCK).into_par_iter().for_each(|block| {
                dispatch(Finish {
                    tiling,
                    sums,
                    parts,
                    step,
                    block,
                    out,
                });
            });
        };
        // SAFETY: the blocks cover all filters, and each writes all weights of its filters.
        weight = unsafe { written(tiling.filters * tiling.channels * TAPS * TAPS, write) }.0;
    });
    WeightGradient { weight, bias }
}

/// Transforms the gradient of a band, `[point, tile, filter]`, and adds up its values per filter.
struct Gradient<'a> {
    tiling: &'a Tiling,
    grad: &'a [f32],
    band: &'a Band,
    /// Some rows of one block of filters of one image.
    block: &'a mut [f32],
    to: &'a mut [f32],
    step: usize,
    bias: &'a mut [f32],
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            tiling,
            grad,
            band,
            block,
            to,
            step,
            bias,
        } = self;
        let [height, width] = tiling.size;
        let padded = tiling.padded()[1];
        let cols = tiling.tiles()[1];
        let first = band.rows.start * OUT;
        let rows = (band.rows.end * OUT).min(height) - first;
        assert!(block.len() >= block_len(rows * width) && to.len() >= POINTS * step);
        assert!(step >= tiling.count(band) * padded && bias.len() >= padded);
        for f in (0..tiling.filters).step_by(BLOCK) {
            let filters = (tiling.filters - f).min(BLOCK);
            let mut tile = 0;
            for image in band.images.clone() {
                let at = (image * tiling.filters + f) * height * width + first * width;
                // SAFETY: the instruction set is the caller's promise, here and below; the sums are those of a
                // whole block of filters, and the block has `rows * width` pixels of it.
                unsafe {
                    to_block::<V>(
                        grad,
                        at,
                        height * width,
                        filters,
                        rows * width,
                        block,
                        BLOCK,
                    );
                    for lane in (0..BLOCK).step_by(V::LANES) {
                        let to = bias.as_mut_ptr().add(f + lane);
                        let mut sum = [V::splat(0.0); 4];
                        let whole = rows * width / 4 * 4;
                        for n in (0..whole).step_by(4) {
                            for (i, sum) in sum.iter_mut().enumerate() {
                                *sum = sum.add(V::load(block.as_ptr().add((n + i) * BLOCK + lane)));
                            }
                        }
                        for n in whole..rows * width {
                            sum[0] = sum[0].add(V::load(block.as_ptr().add(n * BLOCK + lane)));
                        }
                        let [a, b, c, d] = sum;
                        V::load(to).add(a.add(b).add(c.add(d))).store(to);
                    }
                }
                for row in 0..band.rows.len() {
                    for col in 0..cols {
                        let [high, wide] =
                            [rows - row * OUT, width - col * OUT].map(|n| n.min(OUT));
                        let to = to[tile * padded + f..].as_mut_ptr();
                        let at = (row * OUT * width + col * OUT) * BLOCK;
                        // SAFETY: `high` rows and `wide` columns from here on lie inside of the block; `to` has 36
                        // matrices of which this tile's row has `padded` values.
                        unsafe {
                            let from = block.as_ptr().add(at);
                            if high == OUT && wide == OUT {
                                let steps = [width * BLOCK, BLOCK];
                                transform::output_gradient_tile::<V>(
                                    from,
                                    steps,
                                    to,
                                    [SIDE * step, step],
                                );
                            } else {
                                let mut edge = [[[0.0f32; BLOCK]; OUT]; OUT];
                                for i in 0..high {
                                    let to = edge[i].as_mut_ptr().cast::<f32>();
                                    to.copy_from_nonoverlapping(
                                        from.add(i * width * BLOCK),
                                        wide * BLOCK,
                                    );
                                }
                                let from = edge.as_ptr().cast();
                                let steps = [OUT * BLOCK, BLOCK];
                                transform::output_gradient_tile::<V>(
                                    from,
                                    steps,
                                    to,
                                    [SIDE * step, step],
                                );
                            }
                        }
                        tile += 1;
                    }
                }
            }
        }
    }
}

/// Adds `sums[point, channel, filter] += sum over tiles of transformed[point, tile, channel] * grads[point, tile,
/// filter]`.
struct Product<'a> {
    tiling: &'a Tiling,
    transformed: &'a [f32],
    source_step: usize,
    grads: &'a [f32],
    grad_step: usize,
    tiles: usize,
    sums: &'a mut [f32],
    step: usize,
    add: bool,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [channels, filters] = self.tiling.padded();
        assert!(
            self.transformed.len() >= POINTS * self.source_step
                && self.source_step >= self.tiles * channels
        );
        assert!(
            self.grads.len() >= POINTS * self.grad_step && self.grad_step >= self.tiles * filters
        );
        assert!(self.sums.len() >= POINTS * self.step && self.step >= channels * filters);
        let width = widest::<V>() * V::LANES;
        for point in 0..POINTS {
            for f in (0..filters).step_by(width) {
                let vectors = (filters - f).min(width) / V::LANES;
                // SAFETY: the instruction set is the caller's promise; the assertions bound the operands.
                unsafe {
                    let a = Numbers {
                        start: self.transformed.as_ptr().add(point * self.source_step),
                        row: 1,
                        term: channels,
                    };
                    let b = Vectors {
                        start: self.grads.as_ptr().add(point * self.grad_step + f),
                        step: filters,
                    };
                    let to = Vectors {
                        start: self.sums.as_mut_ptr().add(point * self.step + f),
                        step: filters,
                    };
                    panel::<V>(
                        a,
                        b,
                        to,
                        &[(0, 0)],
                        [channels, self.tiles, vectors],
                        self.add,
                    );
                }
            }
        }
    }
}

/// Weights of one block of filters from the sums of all parts.
struct Finish<'a> {
    tiling: &'a Tiling,
    sums: &'a [f32],
    parts: usize,
    step: usize,
    block: usize,
    out: Shared<'a>,
}

impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [_, filters] = self.tiling.padded();
        let f = self.block * BLOCK;
        let count = (self.tiling.filters - f).min(BLOCK);
        assert!(self.sums.len() >= self.parts * POINTS * self.step);
        for c in 0..self.tiling.channels {
            let mut tile = [[0.0f32; BLOCK]; POINTS];
            let mut taps = [[0.0f32; BLOCK]; BLOCK];
            let mut weights = [[0.0f32; BLOCK]; BLOCK];
            // SAFETY: the instruction set is the caller's promise; the sums of this channel and block of filters are
            // inside of each matrix of each part; the three squares are of their sizes.
            unsafe {
                for point in 0..POINTS {
                    for part in 0..self.parts {
                        let at = (part * POINTS + point) * self.step + c * filters + f;
                        for lane in (0..BLOCK).step_by(V::LANES) {
                            let to = tile[point].as_mut_ptr().add(lane);
                            V::load(to)
                                .add(V::load(self.sums.as_ptr().add(at + lane)))
                                .store(to);
                        }
                    }
                }
                let to = taps.as_mut_ptr().cast();
                let steps = [SIDE * BLOCK, BLOCK];
                transform::filter_gradient_tile::<V>(
                    tile.as_ptr().cast(),
                    steps,
                    to,
                    [TAPS * BLOCK, BLOCK],
                );
                transpose::<V>(
                    taps.as_ptr().cast(),
                    BLOCK,
                    weights.as_mut_ptr().cast(),
                    BLOCK,
                );
                for (i, row) in weights.iter().enumerate().take(count) {
                    let at = ((f + i) * self.tiling.channels + c) * TAPS * TAPS;
                    self.out.write(at, &row[..TAPS * TAPS]);
                }
            }
        }
    }
}
