//! The weights of a convolution as either direction reads them.

use super::blocked::{BLOCK, transpose};
use crate::kernels::simd::Vector;

/// Weights of `taps` values for each pair of a source channel and a filter (a channel of the destination), which
/// start at `channel * channel_step + filter * filter_step`.
#[derive(Clone, Copy)]
pub(crate) struct Filters<'a> {
    /// The weights.
    pub values: &'a [f32],
    /// Rows times columns of the kernel.
    pub taps: usize,
    /// See above.
    pub channel_step: usize,
    /// See above.
    pub filter_step: usize,
}

impl Filters<'_> {
    /// The weights of one source channel for `count <= 16` filters from `first` on, `to[tap * 16 + filter]`; filters
    /// beyond are zero.
    ///
    /// `to` has room for the next multiple of 16 taps.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    #[inline(always)]
    pub unsafe fn gather<V: Vector>(
        &self,
        channel: usize,
        first: usize,
        count: usize,
        to: &mut [f32],
    ) {
        let at = channel * self.channel_step + first * self.filter_step;
        let reach = at + (BLOCK - 1) * self.filter_step + self.taps.next_multiple_of(BLOCK);
        // A square of weights for so few taps costs more than it saves.
        if self.taps >= 4 && count == BLOCK && reach <= self.values.len() {
            for tap in (0..self.taps).step_by(BLOCK) {
                let to = &mut to[tap * BLOCK..][..BLOCK * BLOCK];
                // SAFETY: the square ends inside of the values; what follows the taps of a filter is not used.
                unsafe {
                    let from = self.values.as_ptr().add(at + tap);
                    transpose::<V>(from, self.filter_step, to.as_mut_ptr(), BLOCK);
                }
            }
            return;
        }
        to[..self.taps * BLOCK].fill(0.0);
        for i in 0..count {
            let weights = &self.values[at + i * self.filter_step..][..self.taps];
            for (tap, weight) in weights.iter().enumerate() {
                to[tap * BLOCK + i] = *weight;
            }
        }
    }
}
