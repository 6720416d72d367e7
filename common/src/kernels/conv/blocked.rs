//! Images with the channels last, sixteen at a time: `[pixel, 16]`, so that a vector holds channels and no shape of
//! a plane leaves lanes empty.

use crate::kernels::parallel::Shared;
use crate::kernels::simd::Vector;

/// Channels of a block.
pub(crate) const BLOCK: usize = 16;

/// Values of a buffer for this many pixels of one block; whole squares are written.
pub(crate) fn block_len(pixels: usize) -> usize {
    pixels.next_multiple_of(BLOCK) * BLOCK
}

/// Transposes a square of sixteen rows and columns.
///
/// # Safety
/// As [`Vector::transpose`] with sixteen rows of sixteen values.
#[inline(always)]
pub(crate) unsafe fn transpose<V: Vector>(
    from: *const f32,
    from_step: usize,
    to: *mut f32,
    to_step: usize,
) {
    for i in (0..BLOCK).step_by(V::LANES) {
        for j in (0..BLOCK).step_by(V::LANES) {
            // SAFETY: a part of the caller's square.
            unsafe {
                V::transpose(
                    from.add(i * from_step + j),
                    from_step,
                    to.add(j * to_step + i),
                    to_step,
                );
            }
        }
    }
}

/// `to[n * step + c] = from[at + c * plane + n]` for `channels <= 16` and `pixels`; channels beyond are zero, and
/// pixels up to the next multiple of 16 anything.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn to_block<V: Vector>(
    from: &[f32],
    at: usize,
    plane: usize,
    channels: usize,
    pixels: usize,
    to: &mut [f32],
    step: usize,
) {
    for n in (0..pixels).step_by(BLOCK) {
        let to = &mut to[n * step..][..(BLOCK - 1) * step + BLOCK];
        let first = at + n;
        if channels == BLOCK && first + (BLOCK - 1) * plane + BLOCK <= from.len() {
            // SAFETY: the last row ends inside of `from`, and `to` has sixteen rows. Beyond the last pixel the square
            // holds values of the next plane, which nobody reads.
            unsafe { transpose::<V>(from.as_ptr().add(first), plane, to.as_mut_ptr(), step) };
            continue;
        }
        let mut square = [[0.0; BLOCK]; BLOCK];
        let count = (pixels - n).min(BLOCK);
        for (c, row) in square.iter_mut().enumerate().take(channels) {
            row[..count].copy_from_slice(&from[first + c * plane..][..count]);
        }
        // SAFETY: the square, and sixteen rows.
        unsafe { transpose::<V>(square.as_ptr().cast(), BLOCK, to.as_mut_ptr(), step) };
    }
}

/// `to[at + c * plane + n] = from[n * step + c]` for `channels <= 16` and `pixels`.
///
/// # Safety
/// The processor has the instruction set of `V`; no other thread uses these pixels of these channels.
#[inline(always)]
pub(crate) unsafe fn from_block<V: Vector>(
    from: &[f32],
    step: usize,
    pixels: usize,
    channels: usize,
    to: Shared,
    at: usize,
    plane: usize,
) {
    for n in (0..pixels).step_by(BLOCK) {
        let from = &from[n * step..][..(BLOCK - 1) * step + BLOCK];
        let count = (pixels - n).min(BLOCK);
        if channels == BLOCK && count == BLOCK {
            // SAFETY: `from` has sixteen rows, and `rows` checks the reach of the other.
            unsafe {
                let to = to.rows(at + n, plane, BLOCK, BLOCK);
                transpose::<V>(from.as_ptr(), step, to, plane);
            }
            continue;
        }
        let mut square = [[0.0f32; BLOCK]; BLOCK];
        // SAFETY: sixteen rows and the square; the pixels are the caller's.
        unsafe {
            transpose::<V>(from.as_ptr(), step, square.as_mut_ptr().cast(), BLOCK);
            for (c, row) in square.iter().enumerate().take(channels) {
                to.write(at + c * plane + n, &row[..count]);
            }
        }
    }
}
