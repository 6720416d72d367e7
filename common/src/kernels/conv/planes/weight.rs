//! The weight gradient: for each weight the sum, over images and positions, of input times output gradient.

use rayon::prelude::*;

use super::plan::{Plan, SLACK};
use crate::kernels::conv::WeightGradient;
use crate::kernels::conv::blocked::{BLOCK, to_block};
use crate::kernels::parallel::part;
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Weights of a tile: the nine of a 3x3 kernel, or as many as 16 registers hold.
const WIDE_TAPS: usize = 9;
const NARROW_TAPS: usize = 6;
/// A multiple of both, and of the taps of the tiles with positions in their lanes.
const TAPS: usize = 18;
/// Fewer filters than this leave too many lanes empty.
const FEW: usize = 12;
/// Memory for partial sums, in values.
const PARTIAL: usize = 2 * 1024 * 1024;
/// Parts of the sum where that memory allows.
const PARTS: usize = 16;

/// What the partial sums are.
#[derive(Clone, Copy, PartialEq)]
enum Lanes {
    /// `[weight of a filter, filter]`: one vector holds filters, and the input is one number per weight. The gradient
    /// is transposed to `[position, filter]`.
    Filters,
    /// `[filter, weight of a filter, 16]`: one vector holds neighbouring positions, and its lanes are added at the end.
    Positions,
}

/// The gradients from `source` `[batch, groups * channels, height, width]` (described by a forward plan) and the
/// gradient of the output, `grad` `[batch, groups * filters, rows, cols]`.
pub(crate) fn weight_gradient(
    plan: &Plan,
    source: &[f32],
    grad: &[f32],
    [batch, groups]: [usize; 2],
    filters: usize,
) -> WeightGradient {
    let (rows, cols) = (&plan.rows.phases[0], &plan.cols.phases[0]);
    let mut offsets = plan.offsets(rows, cols);
    let weights = offsets.len();
    // The last tile of weights reads something harmless, and its surplus sums are dropped.
    offsets.resize(weights.next_multiple_of(TAPS), 0);
    let lanes = if filters < FEW {
        Lanes::Positions
    } else {
        Lanes::Filters
    };
    let padded = filters.next_multiple_of(BLOCK);
    let length = match lanes {
        Lanes::Filters => offsets.len() * padded,
        Lanes::Positions => offsets.len() * filters * BLOCK,
    };

    let image = plan.channels * plan.rows.source * plan.cols.source;
    let plane = rows.count * cols.count;
    let items = batch * plan.blocks();
    let parts = (PARTIAL / (groups * length))
        .min(PARTS)
        .max(rayon::current_num_threads().div_ceil(groups))
        .min(items)
        .max(1);
    let gradient = match lanes {
        Lanes::Filters => (plan.block * cols.count + BLOCK) * padded,
        Lanes::Positions => filters * (plan.block * plan.pitch + SLACK),
    };
    let partial: Vec<(Vec<f32>, Vec<f32>)> = (0..groups * parts)
        .into_par_iter()
        .map(|index| {
            let (group, index) = (index / parts, index % parts);
            let mut bias = vec![0.0; filters];
            let mut sums = vec![0.0; length];
            scratch(plan.buffer(), |copy| {
                scratch(gradient, |gradient| {
                    for item in part(items, parts, index) {
                        let (b, block) = (item / plan.blocks(), item % plan.blocks());
                        let at = b * groups + group;
                        let first = block * plan.block;
                        let count = rows.count.saturating_sub(first).min(plan.block);
                        plan.fill(&source[at * image..][..image], block, copy);
                        let piece = Piece {
                            offsets: &offsets,
                            weights,
                            filters,
                            copy,
                            pitch: plan.pitch,
                            grad: &grad[at * filters * plane..][..filters * plane],
                            plane,
                            skip: first * cols.count,
                            size: [count, cols.count],
                            gradient,
                            sums: &mut sums,
                            bias: &mut bias,
                        };
                        match lanes {
                            Lanes::Filters => dispatch(FiltersInLanes(piece)),
                            Lanes::Positions => dispatch(PositionsInLanes(piece)),
                        }
                    }
                });
            });
            (sums, bias)
        })
        .collect();

    let mut weight = Vec::with_capacity(groups * filters * weights);
    let mut bias = Vec::with_capacity(groups * filters);
    let mut partial = partial.into_iter();
    for _ in 0..groups {
        let (mut sums, mut biases) = partial.next().unwrap_or_default();
        for (more, more_bias) in partial.by_ref().take(parts - 1) {
            sums.iter_mut().zip(more).for_each(|(s, m)| *s += m);
            biases.iter_mut().zip(more_bias).for_each(|(s, m)| *s += m);
        }
        bias.extend(biases);
        for f in 0..filters {
            match lanes {
                Lanes::Filters => weight.extend(sums[f..].iter().step_by(padded).take(weights)),
                Lanes::Positions => {
                    let sums = sums[f * offsets.len() * BLOCK..].chunks_exact(BLOCK);
                    weight.extend(sums.take(weights).map(|lanes| lanes.iter().sum::<f32>()));
                }
            }
        }
    }
    WeightGradient { weight, bias }
}

/// One block of rows of one group of one image.
struct Piece<'a> {
    offsets: &'a [usize],
    /// Offsets in use.
    weights: usize,
    filters: usize,
    copy: &'a [f32],
    pitch: usize,
    /// `[filters, plane]`
    grad: &'a [f32],
    plane: usize,
    /// Positions before this block.
    skip: usize,
    size: [usize; 2],
    /// Room for the gradient of this block in the order of the lanes.
    gradient: &'a mut [f32],
    sums: &'a mut [f32],
    bias: &'a mut [f32],
}

struct FiltersInLanes<'a>(Piece<'a>);

impl Kernel for FiltersInLanes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let mut piece = self.0;
        let padded = piece.filters.next_multiple_of(BLOCK);
        let positions = piece.size[0] * piece.size[1];
        for f in (0..piece.filters).step_by(BLOCK) {
            let at = f * piece.plane + piece.skip;
            let count = (piece.filters - f).min(BLOCK);
            let to = &mut piece.gradient[f..];
            // SAFETY: the instruction set is the caller's promise.
            unsafe { to_block::<V>(piece.grad, at, piece.plane, count, positions, to, padded) };
        }
        for row in piece.gradient[..positions * padded].chunks_exact(padded) {
            for (sum, g) in piece.bias.iter_mut().zip(row) {
                *sum += g;
            }
        }
        let taps = if V::WIDE { WIDE_TAPS } else { NARROW_TAPS };
        for f in (0..padded).step_by(2 * V::LANES) {
            for k in (0..piece.weights).step_by(taps) {
                // SAFETY: the instruction set is the caller's promise; `offsets` is padded to a multiple of both
                // tile heights, and the second vector is taken only if it is inside the padded filters.
                unsafe {
                    match (V::WIDE, f + V::LANES < padded) {
                        (true, true) => piece.by_filters::<V, WIDE_TAPS, 2>(k, f),
                        (true, false) => piece.by_filters::<V, WIDE_TAPS, 1>(k, f),
                        (false, true) => piece.by_filters::<V, NARROW_TAPS, 2>(k, f),
                        (false, false) => piece.by_filters::<V, NARROW_TAPS, 1>(k, f),
                    }
                }
            }
        }
    }
}

struct PositionsInLanes<'a>(Piece<'a>);

impl Kernel for PositionsInLanes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let mut piece = self.0;
        let [rows, cols] = piece.size;
        let row = rows * piece.pitch + SLACK;
        // The gradient in rows of the copy's pitch, with zeros between them.
        for f in 0..piece.filters {
            let grad = &piece.grad[f * piece.plane + piece.skip..][..rows * cols];
            let to = &mut piece.gradient[f * row..][..row];
            for (to, from) in to
                .chunks_exact_mut(piece.pitch)
                .zip(grad.chunks_exact(cols))
            {
                to[..cols].copy_from_slice(from);
                to[cols..].fill(0.0);
                piece.bias[f] += from.iter().sum::<f32>();
            }
            to[rows * piece.pitch..].fill(0.0);
        }
        let mut f = 0;
        while f < piece.filters {
            // SAFETY: the instruction set is the caller's promise; as many filters are left, and `offsets` is padded
            // to a multiple of 18.
            f += unsafe {
                match (V::WIDE, piece.filters - f) {
                    (true, 1) => piece.tiles::<V, 1, 9>(f),
                    (true, 2 | 3) => piece.tiles::<V, 2, 9>(f),
                    (true, _) => piece.tiles::<V, 4, 6>(f),
                    (false, 1) => piece.tiles::<V, 1, 9>(f),
                    (false, _) => piece.tiles::<V, 2, 6>(f),
                }
            };
        }
    }
}

impl Piece<'_> {
    /// One tile: `K` weights times `N` vectors of filters, summed over the positions of the block.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    #[inline(always)]
    unsafe fn by_filters<V: Vector, const K: usize, const N: usize>(&mut self, k: usize, f: usize) {
        let [rows, cols] = self.size;
        let padded = self.filters.next_multiple_of(BLOCK);
        let mut at = [0; K];
        at.copy_from_slice(&self.offsets[k..k + K]);
        let last = rows.saturating_sub(1) * self.pitch + cols;
        assert!(at.iter().all(|a| a + last <= self.copy.len()));
        assert!(rows * cols * padded <= self.gradient.len());
        assert!((k + K) * padded <= self.sums.len() && f + N * V::LANES <= padded);
        // SAFETY: the three assertions bound every access below: the copy at offset + y * pitch + x, the
        // transposed gradient at (position, f ..), the sums at (k .., f ..).
        unsafe {
            let mut sums = [[V::splat(0.0); N]; K];
            let mut g = self.gradient.as_ptr().add(f);
            for y in 0..rows {
                let row = self.copy.as_ptr().add(y * self.pitch);
                for x in 0..cols {
                    let p = row.add(x);
                    let mut grad = [V::splat(0.0); N];
                    for n in 0..N {
                        grad[n] = V::load(g.add(n * V::LANES));
                    }
                    for k in 0..K {
                        let x = V::splat(*p.add(at[k]));
                        for n in 0..N {
                            sums[k][n] = x.mul_add(grad[n], sums[k][n]);
                        }
                    }
                    g = g.add(padded);
                }
            }
            for j in 0..K {
                for n in 0..N {
                    let to = self
                        .sums
                        .as_mut_ptr()
                        .add((k + j) * padded + f + n * V::LANES);
                    V::load(to).add(sums[j][n]).store(to);
                }
            }
        }
    }

    /// All weights of `M` filters, `K` at a time; returns `M`.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    #[inline(always)]
    unsafe fn tiles<V: Vector, const M: usize, const K: usize>(&mut self, f: usize) -> usize {
        for k in (0..self.weights).step_by(K) {
            // SAFETY: the caller's promise.
            unsafe { self.by_positions::<V, M, K>(k, f) };
        }
        M
    }

    /// One tile: `K` weights times `M` filters, one vector of partial sums each.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    #[inline(always)]
    unsafe fn by_positions<V: Vector, const M: usize, const K: usize>(
        &mut self,
        k: usize,
        f: usize,
    ) {
        let [rows, cols] = self.size;
        let row = rows * self.pitch + SLACK;
        let positions = rows.saturating_sub(1) * self.pitch + cols;
        let mut at = [0; K];
        at.copy_from_slice(&self.offsets[k..k + K]);
        let surplus = positions.next_multiple_of(V::LANES);
        assert!(at.iter().all(|a| a + surplus <= self.copy.len()));
        assert!(surplus <= row && (f + M) * row <= self.gradient.len());
        let line = self.offsets.len() * BLOCK;
        assert!((f + M - 1) * line + (k + K) * BLOCK <= self.sums.len());
        // SAFETY: the assertions bound every access below: the copy at offset + n, the gradient at (f .., n), the sums
        // at (f .., k ..).
        unsafe {
            let mut sums = [[V::splat(0.0); K]; M];
            for n in (0..positions).step_by(V::LANES) {
                let mut g = [V::splat(0.0); M];
                for m in 0..M {
                    g[m] = V::load(self.gradient.as_ptr().add((f + m) * row + n));
                }
                for j in 0..K {
                    let x = V::load(self.copy.as_ptr().add(at[j] + n));
                    for m in 0..M {
                        sums[m][j] = x.mul_add(g[m], sums[m][j]);
                    }
                }
            }
            for m in 0..M {
                for j in 0..K {
                    let to = self.sums.as_mut_ptr().add((f + m) * line + (k + j) * BLOCK);
                    V::load(to).add(sums[m][j]).store(to);
                }
            }
        }
    }
}
