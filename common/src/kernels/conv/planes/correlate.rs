//! The product of a convolution: filters times the padded copy, for the output and for the input gradient.

use rayon::prelude::*;

use super::plan::{Plan, SLACK};
use crate::kernels::conv::axis::Phase;
use crate::kernels::parallel::{Shared, written};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Filters of a full tile: with 8 x 3 accumulators 27 of 32 registers are in use, with 4 x 3 all of 16.
const WIDE_FILTERS: usize = 8;
const NARROW_FILTERS: usize = 4;
/// Vectors of a tile.
const VECTORS: usize = 3;

/// The destination: groups of `filters` planes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination {
    /// Planes of a group of an image.
    pub filters: usize,
    /// Height and width of a plane.
    pub size: [usize; 2],
}

/// Weights of a pair of phases in the order in which a tile reads them, and where it reads the copy.
struct Packed<'a> {
    rows: &'a Phase,
    cols: &'a Phase,
    offsets: Vec<usize>,
    weights: Vec<f32>,
}

/// Filters of the tile that starts at `from`: a full one, or the next power of two for the rest.
fn tile_filters(filters: usize, from: usize, full: usize) -> usize {
    (filters - from).next_power_of_two().min(full)
}

/// Filters of a full tile on this processor.
struct Full;

impl Kernel for Full {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<V: Vector>(self) -> usize {
        if V::WIDE {
            WIDE_FILTERS
        } else {
            NARROW_FILTERS
        }
    }
}

/// Computes `destination[b, f, y, x] = bias[f] + sum over c and taps of weight(f, c, ky, kx) * source[b, c, ...]` for
/// each group of planes by itself; f counts the filters of all groups, c the channels of one.
///
/// `source`: `[batch, groups * plan.channels, plan.rows.source, plan.cols.source]`; result: `[batch, groups * filters,
/// height, width]`.
pub(crate) fn correlate(
    plan: &Plan,
    source: &[f32],
    [batch, groups]: [usize; 2],
    weight: impl Fn(usize, usize, usize, usize) -> f32,
    bias: &[f32],
    to: Destination,
) -> Vec<f32> {
    let full = dispatch(Full);
    let mut packed = Vec::new();
    for rows in &plan.rows.phases {
        for cols in &plan.cols.phases {
            packed.push(Packed {
                rows,
                cols,
                offsets: plan.offsets(rows, cols),
                weights: pack(plan.channels, groups, to.filters, full, rows, cols, &weight),
            });
        }
    }

    let image = plan.channels * plan.rows.source * plan.cols.source;
    let blocks = plan.blocks();
    let images = batch * groups;
    let length = images * to.filters * to.size[0] * to.size[1];
    let all = |out: Shared| {
        (0..images * blocks).into_par_iter().for_each(|item| {
            let (image_index, block) = (item / blocks, item % blocks);
            let group = image_index % groups;
            let bias = bias.get(group * to.filters..).unwrap_or_default();
            scratch(plan.buffer(), |copy| {
                plan.fill(&source[image_index * image..][..image], block, copy);
                scratch(full * (plan.block * plan.pitch + SLACK), |tile| {
                    dispatch(Piece {
                        plan,
                        packed: &packed,
                        copy,
                        tile,
                        bias: &bias[..bias.len().min(to.filters)],
                        to,
                        out,
                        image: image_index,
                        part: [group, groups],
                        block,
                    });
                });
            });
        });
    };
    // SAFETY: each row and column of the destination belongs to one phase, each row of a phase to one block, and
    // a piece writes all columns of its rows for all filters.
    let (out, ()) = unsafe { written(length, all) };
    out
}

/// The weights of a pair of phases: `[group, tile of filters, channel, tap, filter of the tile]`.
fn pack(
    channels: usize,
    groups: usize,
    filters: usize,
    full: usize,
    rows: &Phase,
    cols: &Phase,
    weight: impl Fn(usize, usize, usize, usize) -> f32,
) -> Vec<f32> {
    let mut weights = Vec::new();
    for group in 0..groups {
        let mut from = 0;
        while from < filters {
            let tile = tile_filters(filters, from, full);
            for c in 0..channels {
                for r in &rows.taps {
                    for k in &cols.taps {
                        weights.extend((from..from + tile).map(|f| {
                            if f < filters {
                                weight(group * filters + f, c, r.index, k.index)
                            } else {
                                0.0
                            }
                        }));
                    }
                }
            }
            from += tile;
        }
    }
    weights
}

/// One block of rows of one image.
struct Piece<'a> {
    plan: &'a Plan,
    packed: &'a [Packed<'a>],
    copy: &'a [f32],
    /// The result of one tile of filters, with the surplus positions of each row.
    tile: &'a mut [f32],
    /// One value per filter; empty for zeros.
    bias: &'a [f32],
    to: Destination,
    out: Shared<'a>,
    /// Index among the groups of all images.
    image: usize,
    /// Which group it is, and of how many.
    part: [usize; 2],
    block: usize,
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            plan,
            packed,
            copy,
            tile,
            bias,
            to,
            out,
            image,
            part: [group, groups],
            block,
        } = self;
        let full = if V::WIDE {
            WIDE_FILTERS
        } else {
            NARROW_FILTERS
        };
        let [height, width] = to.size;
        for Packed {
            rows,
            cols,
            offsets,
            weights,
        } in packed
        {
            let first = block * plan.block;
            let count = rows.count.saturating_sub(first).min(plan.block);
            if count == 0 || cols.count == 0 {
                continue;
            }
            let positions = (count - 1) * plan.pitch + cols.count;
            // A tile may write beyond the last position.
            let row = positions + SLACK;
            assert!(tile.len() >= full * row);
            assert!(
                offsets
                    .iter()
                    .all(|o| o + positions + VECTORS * V::LANES <= copy.len())
            );
            let mine = weights.len() / groups;
            let mut weights = &weights[group * mine..][..mine];
            let mut from = 0;
            while from < to.filters {
                let filters = tile_filters(to.filters, from, full);
                let (mine, rest) = weights.split_at(filters * offsets.len());
                let mut start = [0.0; WIDE_FILTERS];
                for (s, b) in start.iter_mut().zip(bias.iter().skip(from)) {
                    *s = *b;
                }
                // SAFETY: the instruction set is the caller's promise. Reads: an offset plus a position stays
                // inside its plane, and the last tile reads at most VECTORS * LANES = 48 <= SLACK values more;
                // `mine` has `filters` values per offset. Writes: `filters <= full` rows of `row` values, of which
                // the last tile reaches at most `positions + 48`.
                unsafe {
                    let operands = (
                        copy.as_ptr(),
                        offsets.as_slice(),
                        mine.as_ptr(),
                        &start,
                        tile.as_mut_ptr(),
                    );
                    match filters {
                        8 => strip::<V, 8>(operands, positions, row),
                        4 => strip::<V, 4>(operands, positions, row),
                        2 => strip::<V, 2>(operands, positions, row),
                        _ => strip::<V, 1>(operands, positions, row),
                    }
                }
                for f in from..(from + filters).min(to.filters) {
                    for i in 0..count {
                        let y = rows.first + (first + i) * plan.rows.step;
                        let line = ((image * to.filters + f) * height + y) * width + cols.first;
                        let values = &tile[(f - from) * row + i * plan.pitch..][..cols.count];
                        let step = plan.cols.step;
                        // SAFETY: a piece writes its own rows of its own image, and its phases write one after
                        // the other; `part` checks the reach of the last of the values, `step` apart.
                        unsafe {
                            if step == 1 {
                                out.write(line, values);
                            } else {
                                let to = out.part(line, (cols.count - 1) * step + 1);
                                for (x, value) in values.iter().enumerate() {
                                    to.add(x * step).write(*value);
                                }
                            }
                        }
                    }
                }
                weights = rest;
                from += filters;
            }
        }
    }
}

/// Copy, offsets, weights `[offset, filter]`, first value of each filter, result.
type Operands<'a> = (
    *const f32,
    &'a [usize],
    *const f32,
    &'a [f32; WIDE_FILTERS],
    *mut f32,
);

/// All positions for `M` filters.
///
/// # Safety
/// See the call.
#[inline(always)]
unsafe fn strip<V: Vector, const M: usize>(operands: Operands, positions: usize, row: usize) {
    let (copy, offsets, weights, start, tile) = operands;
    let mut n = 0;
    while n < positions {
        let left = (positions - n).div_ceil(V::LANES);
        // SAFETY: `n < positions`, see the call.
        unsafe {
            let operands = (copy.add(n), offsets, weights, start, tile.add(n));
            match left {
                1 => product::<V, M, 1>(operands, row),
                2 => product::<V, M, 2>(operands, row),
                _ => product::<V, M, VECTORS>(operands, row),
            }
        }
        n += left.min(VECTORS) * V::LANES;
    }
}

/// One tile: `M` filters times `N` vectors of positions, all sums in registers.
///
/// # Safety
/// See the call in [`Piece`].
#[inline(always)]
unsafe fn product<V: Vector, const M: usize, const N: usize>(operands: Operands, row: usize) {
    let (copy, offsets, weights, start, tile) = operands;
    // SAFETY: the caller guarantees the instruction set and the memory.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for m in 0..M {
            sums[m] = [V::splat(start[m]); N];
        }
        let mut w = weights;
        for &offset in offsets {
            let p = copy.add(offset);
            let mut x = [V::splat(0.0); N];
            for n in 0..N {
                x[n] = V::load(p.add(n * V::LANES));
            }
            for m in 0..M {
                let a = V::splat(*w.add(m));
                for n in 0..N {
                    sums[m][n] = a.mul_add(x[n], sums[m][n]);
                }
            }
            w = w.add(M);
        }
        for m in 0..M {
            for n in 0..N {
                sums[m][n].store(tile.add(m * row + n * V::LANES));
            }
        }
    }
}
