//! The weight gradient: the transpose of the algorithm of the output.

use rayon::prelude::*;

use super::transform::{self, POINTS, SIDE};
use super::{Matrices, SKEW, Tiling};
use crate::kernels::conv::WeightGradient;
use crate::kernels::conv::blocked::{BLOCK, transpose};
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
