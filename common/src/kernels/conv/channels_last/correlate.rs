//! Output and input gradient.

use rayon::prelude::*;

use super::{Band, Layout, positions, reach};
use crate::kernels::conv::axis::Phase;
use crate::kernels::conv::blocked::{BLOCK, from_block};
use crate::kernels::conv::filters::Filters;
use crate::kernels::conv::panel::{StripWidth, widest};
use crate::kernels::parallel::{Shared, written};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values of a band's frames and results that stay in a core's second-level cache.
const CACHED: usize = 96 * 1024;
/// Values of the weights of a strip and a chunk of channels that stay there beside them.
const WEIGHTS: usize = 64 * 1024;

/// Weights of a pair of phases, in the order in which they are read.
struct Packed<'a> {
    rows: &'a Phase,
    cols: &'a Phase,
    /// Where each tap reads the frame, in values.
    offsets: Vec<usize>,
    /// The index of each tap in the kernel.
    taps: Vec<usize>,
    /// Where its weights start.
    start: usize,
}

/// How the product is cut.
#[derive(Clone, Copy)]
struct Cut {
    /// Filters of a strip.
    width: usize,
    /// Channels of a chunk.
    chunk: usize,
}

/// Computes `destination[b, f, y, x] = bias[f] + sum over c and taps of filters[c, f, tap] * source[b, c, ...]`.
pub(crate) fn correlate(
    layout: &Layout,
    source: &[f32],
    filters: Filters,
    bias: &[f32],
) -> Vec<f32> {
    let [channels, padded] = layout.padded();
    let line = layout.frame_cols() * channels;
    let mut packed = Vec::new();
    let mut total = 0;
    for rows in &layout.rows.phases {
        for cols in &layout.cols.phases {
            let (mut offsets, mut taps) = (Vec::new(), Vec::new());
            for r in &rows.taps {
                for k in &cols.taps {
                    offsets.push(reach(&layout.rows, r) * line + reach(&layout.cols, k) * channels);
                    taps.push(r.index * layout.kernel_cols + k.index);
                }
            }
            let start = total;
            total += taps.len() * channels * padded;
            packed.push(Packed {
                rows,
                cols,
                offsets,
                taps,
                start,
            });
        }
    }
    let width = dispatch(StripWidth).min(padded);
    let most = packed
        .iter()
        .map(|p| p.taps.len())
        .max()
        .unwrap_or(0)
        .max(1);
    let chunk = (WEIGHTS / (most * width) / BLOCK * BLOCK).clamp(BLOCK, channels);
    let cut = Cut { width, chunk };
    let bands = layout.bands(CACHED, width);
    let length = layout.batch * layout.filters * layout.size[0] * layout.size[1];
    let write = |out: Shared| {
        scratch(total, |weights| {
            let parts = Shared::new(weights);
            (0..channels.div_ceil(BLOCK))
                .into_par_iter()
                .for_each(|block| {
                    dispatch(Pack {
                        layout,
                        filters,
                        packed: &packed,
                        cut,
                        block,
                        to: parts,
                    });
                });
            let weights = &*weights;
            bands.par_iter().for_each(|band| {
                let pixels = (band.images.len() * band.rows.len() * layout.size[1])
                    .next_multiple_of(BLOCK)
                    + BLOCK;
                scratch(layout.frames(band), |frames| {
                    layout.fill(source, band, frames);
                    scratch(pixels * width, |results| {
                        dispatch(Piece {
                            layout,
                            packed: &packed,
                            cut,
                            band,
                            frames,
                            weights,
                            bias,
                            results,
                            out,
                        });
                    });
                });
            });
        });
    };
    // SAFETY: the bands cover all rows of all images, and a piece writes all filters of its rows.
    unsafe { written(length, write) }.0
}

/// Packs the weights of one block of source channels: `[strip, chunk, tap, channel, filter]` for each pair of phases.
struct Pack<'a> {
    layout: &'a Layout,
    filters: Filters<'a>,
    packed: &'a [Packed<'a>],
    cut: Cut,
    block: usize,
    to: Shared<'a>,
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [channels, padded] = self.layout.padded();
        let Cut { width, chunk } = self.cut;
        let mut gathered = vec![0.0; self.filters.taps.next_multiple_of(BLOCK) * BLOCK];
        let first = self.block * BLOCK;
        for c in first..first + BLOCK {
            let chunk_start = c / chunk * chunk;
            let chunk_len = (channels - chunk_start).min(chunk);
            for f in (0..padded).step_by(BLOCK) {
                if c < self.layout.channels {
                    let count = self.layout.filters.saturating_sub(f).min(BLOCK);
                    // SAFETY: the instruction set is the caller's promise.
                    unsafe { self.filters.gather::<V>(c, f, count, &mut gathered) };
                } else {
                    gathered.fill(0.0);
                }
                let strip = f / width * width;
                let strip_width = (padded - strip).min(width);
                for packed in self.packed {
                    let taps = packed.taps.len();
                    let start =
                        packed.start + taps * (strip * channels + chunk_start * strip_width);
                    for (i, tap) in packed.taps.iter().enumerate() {
                        let at =
                            start + (i * chunk_len + c - chunk_start) * strip_width + f - strip;
                        // SAFETY: every channel has its own rows.
                        unsafe { self.to.write(at, &gathered[tap * BLOCK..][..BLOCK]) };
                    }
                }
            }
        }
    }
}

/// One band.
struct Piece<'a> {
    layout: &'a Layout,
    packed: &'a [Packed<'a>],
    cut: Cut,
    band: &'a Band,
    frames: &'a [f32],
    weights: &'a [f32],
    bias: &'a [f32],
    /// `[image, pixel, filter of a strip]`
    results: &'a mut [f32],
    out: Shared<'a>,
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(mut self) {
        let padded = self.layout.padded()[1];
        for strip in (0..padded).step_by(self.cut.width) {
            let width = (padded - strip).min(self.cut.width);
            // SAFETY: the instruction set is the caller's promise.
            unsafe {
                match (V::WIDE, width / V::LANES) {
                    (true, 1) => self.strip::<V, 12, 1>(strip),
                    (true, 2) => self.strip::<V, 12, 2>(strip),
                    (true, 3) => self.strip::<V, 8, 3>(strip),
                    (true, _) => self.strip::<V, 6, 4>(strip),
                    (false, _) => self.strip::<V, 6, 2>(strip),
                }
            }
        }
    }
}

impl Piece<'_> {
    /// All pixels for the `N` vectors of filters from `strip` on.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    #[inline(always)]
    unsafe fn strip<V: Vector, const M: usize, const N: usize>(&mut self, strip: usize) {
        debug_assert!(N <= widest::<V>());
        let width = N * V::LANES;
        let layout = self.layout;
        let [channels, _] = layout.padded();
        let cols = layout.size[1];
        let frame = layout.frame(self.band);
        let frame_rows = layout.frame_rows(&self.band.rows);
        let line = layout.frame_cols() * channels;
        let pixels = self.band.rows.len() * cols;
        let mut start = [0.0f32; 64];
        for (s, b) in start
            .iter_mut()
            .zip(self.bias.iter().skip(strip))
            .take(width)
        {
            *s = *b;
        }
        for packed in self.packed {
            let rows = positions(&layout.rows, packed.rows, &self.band.rows);
            let (high, wide) = (rows.len(), packed.cols.count);
            let count = self.band.images.len() * high * wide;
            if count == 0 {
                continue;
            }
            let farthest = packed.offsets.iter().max().copied().unwrap_or(0);
            // Where each position reads the frames and writes the results, in order.
            let mut places = Vec::with_capacity(count + M);
            for image in 0..self.band.images.len() {
                for i in rows.clone() {
                    let from = image * frame + (i * layout.rows.planes - frame_rows.start) * line;
                    let y = packed.rows.first + i * layout.rows.step - self.band.rows.start;
                    let to = image * pixels + y * cols + packed.cols.first;
                    places.extend((0..wide).map(|j| {
                        let from = from + j * layout.cols.planes * channels;
                        (from, (to + j * layout.cols.step) * width)
                    }));
                }
            }
            let (last_from, last_to) = places[count - 1];
            assert!(last_from + farthest + channels <= self.frames.len());
            assert!(last_to + width <= self.results.len());
            // Beyond the last position it is taken again.
            places.resize(count + M, (last_from, last_to));
            for chunk in (0..channels).step_by(self.cut.chunk) {
                let depth = (channels - chunk).min(self.cut.chunk);
                let at = packed.start + packed.taps.len() * (strip * channels + chunk * width);
                let weights = &self.weights[at..][..packed.taps.len() * depth * width];
                let mut n = 0;
                while n < count {
                    let mut lines = [self.frames.as_ptr(); M];
                    let mut to = [self.results.as_mut_ptr(); M];
                    for (m, (from, result)) in places[n..n + M].iter().enumerate() {
                        lines[m] = lines[m].wrapping_add(from + chunk);
                        to[m] = to[m].wrapping_add(*result);
                    }
                    let start = (chunk == 0).then_some(&start);
                    let operands = (weights, packed.offsets.as_slice(), depth, start);
                    // SAFETY: positions are in order, so that the assertions for the last one bound all of them.
                    unsafe {
                        match count - n {
                            1 => tile::<V, M, 1, N>(&lines, operands, &to),
                            2..4 => tile::<V, M, 2, N>(&lines, operands, &to),
                            4.. if count - n < M => tile::<V, M, 4, N>(&lines, operands, &to),
                            _ => tile::<V, M, M, N>(&lines, operands, &to),
                        }
                    }
                    n += match count - n {
                        1 => 1,
                        2..4 => 2,
                        left if left < M => 4,
                        _ => M,
                    };
                }
            }
        }
        let [height, _] = layout.size;
        for f in (0..width).step_by(BLOCK) {
            let filters = layout.filters.saturating_sub(strip + f).min(BLOCK);
            for (index, image) in self.band.images.clone().enumerate() {
                let at = (image * layout.filters + strip + f) * height * cols
                    + self.band.rows.start * cols;
                let results = &self.results[index * pixels * width + f..];
                // SAFETY: these rows of these filters are this piece's own.
                unsafe {
                    from_block::<V>(results, width, pixels, filters, self.out, at, height * cols)
                };
            }
        }
    }
}

/// Weights `[tap, channel, filter]`, where each tap reads, channels, and the first values (else what is there).
type Operands<'a> = (&'a [f32], &'a [usize], usize, Option<&'a [f32; 64]>);

/// The first `M` of the positions times `N` vectors of filters.
///
/// # Safety
/// The processor has the instruction set of `V`; each line can be read at each offset for `depth` values, and each
/// place of the results has `N` vectors.
#[inline(always)]
unsafe fn tile<V: Vector, const L: usize, const M: usize, const N: usize>(
    lines: &[*const f32; L],
    (weights, offsets, depth, start): Operands,
    to: &[*mut f32; L],
) {
    // SAFETY: the caller's promise; there are weights for each offset and channel.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for m in 0..M {
            for n in 0..N {
                let from = start.map_or(to[m].cast_const(), |s| s.as_ptr());
                sums[m][n] = V::load(from.add(n * V::LANES));
            }
        }
        let mut b = weights.as_ptr();
        for &offset in offsets {
            let mut at = [lines[0]; M];
            for m in 0..M {
                at[m] = lines[m].add(offset);
            }
            for t in 0..depth {
                let mut x = [V::splat(0.0); N];
                for n in 0..N {
                    x[n] = V::load(b.add(n * V::LANES));
                }
                for m in 0..M {
                    let a = V::splat(*at[m].add(t));
                    for n in 0..N {
                        sums[m][n] = a.mul_add(x[n], sums[m][n]);
                    }
                }
                b = b.add(N * V::LANES);
            }
        }
        for m in 0..M {
            for n in 0..N {
                sums[m][n].store(to[m].add(n * V::LANES));
            }
        }
    }
}
