//! The weight gradient: for each weight the sum, over images and positions, of input times output gradient.
//!
//! The gradient of one block of rows is transposed to `[position, filter]`, so that one vector holds filters and
//! the input is one number per weight: sums stay in registers over all positions of the block, and neither
//! surplus positions nor sums across lanes arise.

use rayon::prelude::*;

use super::plan::Plan;
use crate::kernels::parallel::part;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Weights of a tile: the nine of a 3x3 kernel, or as many as 16 registers hold.
const WIDE_TAPS: usize = 9;
const NARROW_TAPS: usize = 6;
/// A multiple of both.
const TAPS: usize = 18;
/// Filters are padded to this: two of the largest vectors would be 32, but 16 filters are common.
const LANES: usize = 16;
/// Memory for partial sums, in values.
const PARTIAL: usize = 2 * 1024 * 1024;
/// Parts of the sum where that memory allows.
const PARTS: usize = 16;

/// Gradients of weight and bias.
pub(crate) struct WeightGradient {
    /// `[filters, channels * taps]`
    pub weight: Vec<f32>,
    /// `[filters]`
    pub bias: Vec<f32>,
}

/// The gradients from `source` `[batch, channels, height, width]` (described by a forward plan) and the gradient
/// of the output, `grad` `[batch, filters, rows, cols]`.
pub(crate) fn weight_gradient(
    plan: &Plan,
    source: &[f32],
    grad: &[f32],
    batch: usize,
    filters: usize,
) -> WeightGradient {
    let (rows, cols) = (&plan.rows.phases[0], &plan.cols.phases[0]);
    let mut offsets = plan.offsets(rows, cols);
    let weights = offsets.len();
    // The last tile of weights reads something harmless, and its surplus sums are dropped.
    offsets.resize(weights.next_multiple_of(TAPS), 0);
    let padded = filters.next_multiple_of(LANES);

    let image = plan.channels * plan.rows.source * plan.cols.source;
    let output = filters * rows.count * cols.count;
    let items = batch * plan.blocks();
    let length = offsets.len() * padded;
    let parts = (PARTIAL / length)
        .max(rayon::current_num_threads())
        .min(PARTS)
        .min(items)
        .max(1);
    let partial: Vec<(Vec<f32>, Vec<f32>)> = (0..parts)
        .into_par_iter()
        .map(|index| {
            let mut sums = vec![0.0; length];
            let mut bias = vec![0.0; padded];
            let mut copy = vec![0.0; plan.buffer()];
            let mut transposed = vec![0.0; plan.block * cols.count * padded];
            for item in part(items, parts, index) {
                let (b, block) = (item / plan.blocks(), item % plan.blocks());
                let first = block * plan.block;
                let count = rows.count.saturating_sub(first).min(plan.block);
                plan.fill(&source[b * image..][..image], block, &mut copy);
                let grad = &grad[b * output..][..output];
                dispatch(Piece {
                    offsets: &offsets,
                    weights,
                    copy: &copy,
                    pitch: plan.pitch,
                    grad,
                    plane: rows.count * cols.count,
                    skip: first * cols.count,
                    size: [count, cols.count],
                    padded,
                    transposed: &mut transposed,
                    sums: &mut sums,
                    bias: &mut bias,
                });
            }
            (sums, bias)
        })
        .collect();

    let mut partial = partial.into_iter();
    let (mut sums, mut bias) = partial.next().unwrap_or_default();
    for (more, more_bias) in partial {
        sums.iter_mut().zip(more).for_each(|(s, m)| *s += m);
        bias.iter_mut().zip(more_bias).for_each(|(s, m)| *s += m);
    }
    bias.truncate(filters);
    let weight = (0..filters)
        .flat_map(|f| sums.iter().skip(f).step_by(padded).take(weights).copied())
        .collect();
    WeightGradient { weight, bias }
}

/// One block of rows of one image.
struct Piece<'a> {
    offsets: &'a [usize],
    weights: usize,
    copy: &'a [f32],
    pitch: usize,
    /// `[filters, plane]`
    grad: &'a [f32],
    plane: usize,
    /// Positions before this block.
    skip: usize,
    size: [usize; 2],
    padded: usize,
    transposed: &'a mut [f32],
    /// `[offset, padded]`
    sums: &'a mut [f32],
    bias: &'a mut [f32],
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(mut self) {
        self.transpose();
        let positions = self.size[0] * self.size[1];
        for row in self.transposed[..positions * self.padded].chunks_exact(self.padded) {
            for (sum, g) in self.bias.iter_mut().zip(row) {
                *sum += g;
            }
        }
        let taps = if V::WIDE { WIDE_TAPS } else { NARROW_TAPS };
        for f in (0..self.padded).step_by(2 * V::LANES) {
            for k in (0..self.weights).step_by(taps) {
                // SAFETY: the instruction set is the caller's promise; `offsets` is padded to a multiple of both
                // tile heights, and the second vector is taken only if it is inside the padded filters.
                unsafe {
                    match (V::WIDE, f + V::LANES < self.padded) {
                        (true, true) => self.product::<V, WIDE_TAPS, 2>(k, f),
                        (true, false) => self.product::<V, WIDE_TAPS, 1>(k, f),
                        (false, true) => self.product::<V, NARROW_TAPS, 2>(k, f),
                        (false, false) => self.product::<V, NARROW_TAPS, 1>(k, f),
                    }
                }
            }
        }
    }
}

impl Piece<'_> {
    /// `transposed[position, filter] = grad[filter, skip + position]`
    #[inline(always)]
    fn transpose(&mut self) {
        let positions = self.size[0] * self.size[1];
        for (f, plane) in self.grad.chunks_exact(self.plane).enumerate() {
            let plane = &plane[self.skip..][..positions];
            for (to, from) in self.transposed[f..]
                .iter_mut()
                .step_by(self.padded)
                .zip(plane)
            {
                *to = *from;
            }
        }
    }

    /// One tile: `K` weights times `N` vectors of filters, summed over the positions of the block.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`; `k + K` offsets and `f + N * LANES` filters exist.
    #[inline(always)]
    unsafe fn product<V: Vector, const K: usize, const N: usize>(&mut self, k: usize, f: usize) {
        let [rows, cols] = self.size;
        let mut at = [0; K];
        at.copy_from_slice(&self.offsets[k..k + K]);
        let last = rows.saturating_sub(1) * self.pitch + cols;
        assert!(at.iter().all(|a| a + last <= self.copy.len()));
        assert!(rows * cols * self.padded <= self.transposed.len());
        assert!((k + K) * self.padded <= self.sums.len() && f + N * V::LANES <= self.padded);
        // SAFETY: the three assertions bound every access below: the copy at offset + y * pitch + x, the
        // transposed gradient at (position, f ..), the sums at (k .., f ..).
        unsafe {
            let mut sums = [[V::splat(0.0); N]; K];
            let mut g = self.transposed.as_ptr().add(f);
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
                    g = g.add(self.padded);
                }
            }
            for j in 0..K {
                for n in 0..N {
                    let to = self
                        .sums
                        .as_mut_ptr()
                        .add((k + j) * self.padded + f + n * V::LANES);
                    V::load(to).add(sums[j][n]).store(to);
                }
            }
        }
    }
}
