//! The weight gradient: the transpose of the algorithm of the output.

use rayon::prelude::*;

use super::transform::{self, POINTS, SIDE};
use super::{Band, Matrices, SKEW, Tiling};
use crate::kernels::conv::WeightGradient;
use crate::kernels::conv::blocked::{BLOCK, block_len, to_block, transpose};
use crate::kernels::conv::panel::{Numbers, Vectors, panel, widest};
use crate::kernels::parallel::{Shared, part, written};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};
use std::ops::Range;

/// Values of the transformed source and gradient of a band that stay in a core's second-level cache.
const CACHED: usize = 256 * 1024;
/// Fewest tiles of a band.
const FEWEST: usize = 32;
/// Sums from which on the threads share them and not the tiles.
const LARGE: usize = 512 * 1024;
/// Values of all transformed sources and gradients that may be kept for that.
const KEPT: usize = 8 * 1024 * 1024;
/// Channels and filters of a piece of work then.
const PIECE: usize = 64;

/// The gradients of weight and bias of a convolution described by `tiling` from its source and the gradient of the
/// destination.
pub(crate) fn weight_gradient(tiling: &Tiling, source: &[f32], grad: &[f32]) -> WeightGradient {
    let [channels, filters] = tiling.padded();
    let tiles = tiling.all_tiles();
    let kept = POINTS * (tiles * (channels + filters) + 2 * SKEW);
    let length = tiling.filters * tiling.channels * tiling.kernel * tiling.kernel;
    let write = |out: Shared| {
        if POINTS * channels * filters > LARGE && kept <= KEPT && tiles > 0 {
            by_weights(tiling, source, grad, out)
        } else {
            by_tiles(tiling, source, grad, out)
        }
    };
    // SAFETY: the pieces cover all filters and channels, and each writes all of its weights.
    let (weight, mut bias) = unsafe { written(length, write) };
    bias.truncate(tiling.filters);
    WeightGradient { weight, bias }
}

/// The threads share the tiles; each has sums of its own, which are added in order. The bias is returned.
fn by_tiles(tiling: &Tiling, source: &[f32], grad: &[f32], out: Shared) -> Vec<f32> {
    let [channels, filters] = tiling.padded();
    let fits = CACHED / (POINTS * (channels + filters));
    let bands = tiling.bands(fits.max(FEWEST));
    let parts = rayon::current_num_threads().min(bands.len()).max(1);
    let step = channels * filters + SKEW;
    scratch(parts * POINTS * step, |sums| {
        let partial: Vec<Vec<f32>> = sums
            .par_chunks_exact_mut(POINTS * step)
            .enumerate()
            .map(|(index, sums)| {
                let mut bias = vec![0.0; filters];
                let mine = part(bands.len(), parts, index);
                if mine.is_empty() {
                    sums.fill(0.0);
                }
                for (n, band) in bands[mine].iter().enumerate() {
                    let tiles = tiling.count(band);
                    let [from, to] = [channels, filters].map(|width| Matrices { tiles, width });
                    scratch(from.len(), |transformed| {
                        scratch(to.len(), |grads| {
                            let (a, b) = (Shared::new(transformed), Shared::new(grads));
                            // SAFETY: the matrices are this band's own.
                            unsafe {
                                tiling.transform(source, band, a, from, 0);
                                tiling.transform_gradient(grad, band, b, to, 0, &mut bias);
                            }
                            dispatch(Product {
                                transformed,
                                from,
                                grads,
                                to,
                                channels: 0..channels,
                                filters: 0..filters,
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
        let sums = &*sums;
        (0..filters / BLOCK).into_par_iter().for_each(|block| {
            let filters = block * BLOCK..(block + 1) * BLOCK;
            finish(
                tiling,
                (sums, step, parts),
                0..channels,
                filters.clone(),
                filters.start,
                out,
            );
        });
        add_up(partial)
    })
}

/// The threads share the weights: each sum is made by one of them, over all tiles. The bias is returned.
fn by_weights(tiling: &Tiling, source: &[f32], grad: &[f32], out: Shared) -> Vec<f32> {
    let [channels, filters] = tiling.padded();
    let tiles = tiling.all_tiles();
    let bands = tiling.bands(FEWEST.min(tiles.div_ceil(4)).max(1));
    let [from, to] = [channels, filters].map(|width| Matrices { tiles, width });
    scratch(from.len(), |transformed| {
        scratch(to.len(), |grads| {
            let (a, b) = (Shared::new(transformed), Shared::new(grads));
            let partial: Vec<Vec<f32>> = bands
                .par_iter()
                .map(|band| {
                    let mut bias = vec![0.0; filters];
                    // SAFETY: each band has its own tiles.
                    unsafe {
                        tiling.transform(source, band, a, from, band.first);
                        tiling.transform_gradient(grad, band, b, to, band.first, &mut bias);
                    }
                    bias
                })
                .collect();
            let (transformed, grads) = (&*transformed, &*grads);
            let range = |index: usize, len: usize| index * PIECE..(index * PIECE + PIECE).min(len);
            let rows = channels.div_ceil(PIECE);
            (0..rows * filters.div_ceil(PIECE))
                .into_par_iter()
                .for_each(|item| {
                    let (c, f) = (range(item % rows, channels), range(item / rows, filters));
                    let step = c.len() * f.len() + SKEW;
                    scratch(POINTS * step, |sums| {
                        dispatch(Product {
                            transformed,
                            from,
                            grads,
                            to,
                            channels: c.clone(),
                            filters: f.clone(),
                            sums,
                            step,
                            add: false,
                        });
                        for block in f.clone().step_by(BLOCK) {
                            let offset = block - f.start;
                            let columns = offset..offset + BLOCK;
                            finish(tiling, (sums, step, 1), c.clone(), columns, block, out);
                        }
                    });
                });
            add_up(partial)
        })
    })
}

/// The sum of vectors of one length.
fn add_up(partial: Vec<Vec<f32>>) -> Vec<f32> {
    let mut partial = partial.into_iter();
    let mut sum = partial.next().unwrap_or_default();
    for part in partial {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    sum
}

impl Tiling {
    /// Transforms the gradient of a band into the rows of the matrices from `first` on, `[point, tile, filter]`, and
    /// adds up its values per filter.
    ///
    /// # Safety
    /// Nobody else uses these rows.
    unsafe fn transform_gradient(
        &self,
        grad: &[f32],
        band: &Band,
        to: Shared,
        matrices: Matrices,
        first: usize,
        bias: &mut [f32],
    ) {
        scratch(block_len(self.out_rows(band).1 * self.size[1]), |block| {
            let gradient = Gradient {
                tiling: self,
                grad,
                band,
                block,
                to,
                matrices,
                first,
                bias,
            };
            match self.out() {
                4 => dispatch(GradientTiles::<4>(gradient)),
                _ => dispatch(GradientTiles::<2>(gradient)),
            }
        });
    }
}

/// See [`Tiling::transform_gradient`].
struct Gradient<'a> {
    tiling: &'a Tiling,
    grad: &'a [f32],
    band: &'a Band,
    /// Some rows of one block of filters of one image.
    block: &'a mut [f32],
    to: Shared<'a>,
    matrices: Matrices,
    first: usize,
    bias: &'a mut [f32],
}

/// [`Gradient`] for tiles of M x M.
struct GradientTiles<'a, const M: usize>(Gradient<'a>);

impl<const M: usize> Kernel for GradientTiles<'_, M> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Gradient {
            tiling,
            grad,
            band,
            block,
            to,
            matrices,
            first,
            bias,
        } = self.0;
        let [height, width] = tiling.size;
        let padded = tiling.padded()[1];
        let cols = tiling.tiles()[1];
        let (top, rows) = tiling.out_rows(band);
        let step = matrices.step();
        assert!(
            tiling.out() == M && block.len() >= block_len(rows * width) && bias.len() >= padded
        );
        assert!(matrices.width == padded && first + tiling.count(band) <= matrices.tiles);
        assert!(matrices.len() <= to.len());
        for f in (0..tiling.filters).step_by(BLOCK) {
            let filters = (tiling.filters - f).min(BLOCK);
            let mut tile = first;
            for image in band.images.clone() {
                let at = (image * tiling.filters + f) * height * width + top * width;
                // SAFETY: the instruction set is the caller's promise.
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
                    pixel_sums::<V>(&block[..rows * width * BLOCK], &mut bias[f..f + BLOCK]);
                }
                for row in 0..band.rows.len() {
                    for col in 0..cols {
                        let [high, wide] = [rows - row * M, width - col * M].map(|n| n.min(M));
                        let at = (row * M * width + col * M) * BLOCK;
                        // SAFETY: `high` rows and `wide` columns from here on lie inside of the block. The row of this
                        // tile is inside of each matrix by the assertions, and this band's own.
                        unsafe {
                            let to = (to.part(tile * padded + f, BLOCK), [SIDE * step, step]);
                            let from = block.as_ptr().add(at);
                            if high == M && wide == M {
                                let from = (from, [width * BLOCK, BLOCK]);
                                transform::output_gradient_tile::<V, M>(from, to);
                            } else {
                                let mut edge = [[[0.0f32; BLOCK]; M]; M];
                                for i in 0..high {
                                    let line = edge[i].as_mut_ptr().cast::<f32>();
                                    line.copy_from_nonoverlapping(
                                        from.add(i * width * BLOCK),
                                        wide * BLOCK,
                                    );
                                }
                                let from = (edge.as_ptr().cast(), [M * BLOCK, BLOCK]);
                                transform::output_gradient_tile::<V, M>(from, to);
                            }
                        }
                        tile += 1;
                    }
                }
            }
        }
    }
}

/// Adds `pixels` `[pixel, 16]` to `sums`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn pixel_sums<V: Vector>(pixels: &[f32], sums: &mut [f32]) {
    for lane in (0..BLOCK).step_by(V::LANES) {
        // SAFETY: a vector inside of each pixel, and of the sums, is a slice of the right length.
        unsafe {
            // Four sums, so that no addition waits for the one before.
            let mut partial = [V::splat(0.0); 4];
            for (n, pixel) in pixels.chunks_exact(BLOCK).enumerate() {
                partial[n % 4] = partial[n % 4].add(V::load(pixel[lane..].as_ptr()));
            }
            let [a, b, c, d] = partial;
            let to = sums[lane..lane + V::LANES].as_mut_ptr();
            V::load(to).add(a.add(b).add(c.add(d))).store(to);
        }
    }
}

/// `sums[point, channel, filter] = sum over tiles of transformed[point, tile, channel] * grads[point, tile, filter]`, in
/// addition to what is there if `add`.
struct Product<'a> {
    transformed: &'a [f32],
    from: Matrices,
    grads: &'a [f32],
    to: Matrices,
    channels: Range<usize>,
    filters: Range<usize>,
    sums: &'a mut [f32],
    step: usize,
    add: bool,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let (from, to) = (self.from, self.to);
        let (channels, filters) = (self.channels, self.filters);
        assert!(self.transformed.len() >= from.len() && self.grads.len() >= to.len());
        assert!(from.tiles == to.tiles && channels.end <= from.width && filters.end <= to.width);
        assert!(
            self.sums.len() >= POINTS * self.step && self.step >= channels.len() * filters.len()
        );
        let width = widest::<V>() * V::LANES;
        for point in 0..POINTS {
            for f in (0..filters.len()).step_by(width) {
                let vectors = (filters.len() - f).min(width) / V::LANES;
                // SAFETY: the instruction set is the caller's promise; the assertions bound the operands.
                unsafe {
                    let a = Numbers {
                        start: self
                            .transformed
                            .as_ptr()
                            .add(point * from.step() + channels.start),
                        row: 1,
                        term: from.width,
                    };
                    let b = Vectors {
                        start: self
                            .grads
                            .as_ptr()
                            .add(point * to.step() + filters.start + f),
                        step: to.width,
                    };
                    let sums = Vectors {
                        start: self.sums.as_mut_ptr().add(point * self.step + f),
                        step: filters.len(),
                    };
                    panel::<V>(
                        a,
                        b,
                        sums,
                        &[(0, 0)],
                        [channels.len(), from.tiles, vectors],
                        self.add,
                    );
                }
            }
        }
    }
}

/// The weights of some channels and one block of filters, which starts at `first`, from the sums of several parts:
/// columns `columns` of matrices `step` apart.
fn finish(
    tiling: &Tiling,
    (sums, step, parts): (&[f32], usize, usize),
    channels: Range<usize>,
    columns: Range<usize>,
    first: usize,
    out: Shared,
) {
    let width = (step - SKEW) / channels.len();
    let finish = Finish {
        tiling,
        sums,
        step,
        width,
        parts,
        channels: channels.start..channels.end.min(tiling.channels),
        column: columns.start,
        first,
        out,
    };
    match tiling.kernel {
        3 => dispatch(FinishFilters::<3>(finish)),
        _ => dispatch(FinishFilters::<5>(finish)),
    }
}

/// See [`finish`].
struct Finish<'a> {
    tiling: &'a Tiling,
    sums: &'a [f32],
    step: usize,
    width: usize,
    parts: usize,
    channels: Range<usize>,
    column: usize,
    first: usize,
    out: Shared<'a>,
}

/// [`Finish`] for kernels of R x R.
struct FinishFilters<'a, const R: usize>(Finish<'a>);

impl<const R: usize> Kernel for FinishFilters<'_, R> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Finish {
            tiling,
            sums,
            step,
            width,
            parts,
            channels,
            column,
            first,
            out,
        } = self.0;
        let count = tiling.filters.saturating_sub(first).min(BLOCK);
        assert!(tiling.kernel == R && sums.len() >= parts * POINTS * step);
        assert!(channels.len() * width <= step && column + BLOCK <= width);
        for (row, c) in channels.enumerate() {
            let mut tile = [[0.0f32; BLOCK]; POINTS];
            // Room for 25 taps.
            let mut taps = [[0.0f32; BLOCK]; 2 * BLOCK];
            let mut weights = [[0.0f32; 2 * BLOCK]; BLOCK];
            // SAFETY: the instruction set is the caller's promise; the sums of this channel and block of filters are
            // inside of each matrix of each part by the assertions; taps and weights are two squares each.
            unsafe {
                for point in 0..POINTS {
                    for part in 0..parts {
                        let at = (part * POINTS + point) * step + row * width + column;
                        for lane in (0..BLOCK).step_by(V::LANES) {
                            let to = tile[point].as_mut_ptr().add(lane);
                            V::load(to)
                                .add(V::load(sums.as_ptr().add(at + lane)))
                                .store(to);
                        }
                    }
                }
                let from = (tile.as_ptr().cast(), [SIDE * BLOCK, BLOCK]);
                let to = (taps.as_mut_ptr().cast(), [R * BLOCK, BLOCK]);
                transform::filter_gradient_tile::<V, R>(from, to);
                for square in (0..R * R).step_by(BLOCK) {
                    let to = weights.as_mut_ptr().cast::<f32>().add(square);
                    transpose::<V>(taps[square..].as_ptr().cast(), BLOCK, to, 2 * BLOCK);
                }
                for (i, row) in weights.iter().enumerate().take(count) {
                    let at = ((first + i) * tiling.channels + c) * R * R;
                    out.write(at, &row[..R * R]);
                }
            }
        }
    }
}
