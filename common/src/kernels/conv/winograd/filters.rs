//! The transformed weights.

use super::transform::{self, POINTS, SIDE, TAPS};
use crate::kernels::conv::blocked::BLOCK;
use crate::kernels::conv::filters::Filters;
use crate::kernels::simd::{Kernel, Vector};

/// Transforms the filters `first..first + count` of one source channel into `to[point * step + filter]`; filters up
/// to the next multiple of 16 are zero.
pub(super) struct Transform<'a> {
    pub filters: Filters<'a>,
    /// Whether the last tap comes first, as it does for the input gradient.
    pub turned: bool,
    pub channel: usize,
    pub first: usize,
    pub count: usize,
    pub to: &'a mut [f32],
    pub step: usize,
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            filters,
            turned,
            channel,
            first,
            count,
            to,
            step,
        } = self;
        assert!(to.len() >= (POINTS - 1) * step + count.next_multiple_of(BLOCK));
        for f in (0..count).step_by(BLOCK) {
            let mut taps = [0.0f32; BLOCK * BLOCK];
            // SAFETY: the instruction set is the caller's promise; `taps` has nine rows of sixteen values, and `to`
            // has room for a whole block at every point by the assertion.
            unsafe {
                filters.gather::<V>(channel, first + f, (count - f).min(BLOCK), &mut taps);
                if turned {
                    for tap in 0..TAPS * TAPS / 2 {
                        let (a, b) = taps.split_at_mut((TAPS * TAPS - 1 - tap) * BLOCK);
                        a[tap * BLOCK..][..BLOCK].swap_with_slice(&mut b[..BLOCK]);
                    }
                }
                let to = to.as_mut_ptr().add(f);
                let steps = [TAPS * BLOCK, BLOCK];
                transform::filter_tile::<V>(taps.as_ptr(), steps, to, [SIDE * step, step]);
            }
        }
    }
}
