//! The transformed weights.

use super::Tiling;
use super::transform::{self, POINTS, SIDE};
use crate::kernels::conv::blocked::BLOCK;
use crate::kernels::conv::filters::Filters;
use crate::kernels::parallel::Shared;
use crate::kernels::simd::{Kernel, Vector, dispatch};
use std::ops::Range;

/// Filters that are worked on at a time, a multiple of 16.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub first: usize,
    pub width: usize,
}

impl Tiling {
    /// Transforms the weights of a strip for some blocks of channels, `[point, channel, filter]`.
    ///
    /// # Safety
    /// Nobody else uses these rows of `to`, which has room for those of all channels.
    pub(super) unsafe fn pack(
        &self,
        filters: Filters,
        strip: Strip,
        blocks: Range<usize>,
        to: Shared,
    ) {
        dispatch(Pack {
            tiling: self,
            filters,
            strip,
            blocks,
            to,
        });
    }
}

/// See [`Tiling::pack`].
struct Pack<'a> {
    tiling: &'a Tiling,
    filters: Filters<'a>,
    strip: Strip,
    blocks: Range<usize>,
    to: Shared<'a>,
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Strip { first, width } = self.strip;
        let channels = self.tiling.padded()[0];
        let step = channels * width;
        assert!(self.to.len() >= POINTS * step && self.blocks.end * BLOCK <= channels);
        let count = self.tiling.filters.saturating_sub(first).min(width);
        let taps = self.tiling.kernel * self.tiling.kernel;
        for c in self.blocks.start * BLOCK..self.blocks.end * BLOCK {
            for f in (0..width).step_by(BLOCK) {
                let some = count.saturating_sub(f).min(BLOCK);
                let mut gathered = [0.0f32; 2 * BLOCK * BLOCK];
                // SAFETY: the instruction set is the caller's promise; `gathered` has room for 25 taps; the row of
                // this channel is inside of each matrix by the assertion, and the caller's own.
                unsafe {
                    if c < self.tiling.channels {
                        self.filters.gather::<V>(c, first + f, some, &mut gathered);
                    }
                    if self.tiling.turned {
                        for tap in 0..taps / 2 {
                            let (a, b) = gathered.split_at_mut((taps - 1 - tap) * BLOCK);
                            a[tap * BLOCK..][..BLOCK].swap_with_slice(&mut b[..BLOCK]);
                        }
                    }
                    let to = (self.to.part(c * width + f, BLOCK), [SIDE * step, step]);
                    let from = gathered.as_ptr();
                    match self.tiling.kernel {
                        3 => transform::filter_tile::<V, 3>((from, [3 * BLOCK, BLOCK]), to),
                        _ => transform::filter_tile::<V, 5>((from, [5 * BLOCK, BLOCK]), to),
                    }
                }
            }
        }
    }
}
