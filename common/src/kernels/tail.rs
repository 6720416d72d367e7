//! The last values of a row, which fill only a part of a vector.

use super::simd::Vector;

/// Largest vector.
const LANES: usize = 16;

/// The first `count` values from `from` on, the other lanes filled with `fill`; a whole vector if `count` is enough for one.
///
/// # Safety
/// The processor has the instruction set of `V`; `count` values from `from` on are readable.
#[inline(always)]
pub(crate) unsafe fn load<V: Vector>(from: *const f32, count: usize, fill: f32) -> V {
    // SAFETY: the caller's promise; the array has room for the largest vector.
    unsafe {
        if count >= V::LANES {
            return V::load(from);
        }
        let mut lanes = [fill; LANES];
        lanes.as_mut_ptr().copy_from_nonoverlapping(from, count);
        V::load(lanes.as_ptr())
    }
}

/// Writes the first `count` lanes to `to`; all of them if there are no more.
///
/// # Safety
/// The processor has the instruction set of `V`; `count` values from `to` on are writable.
#[inline(always)]
pub(crate) unsafe fn store<V: Vector>(vector: V, to: *mut f32, count: usize) {
    // SAFETY: as in `load`.
    unsafe {
        if count >= V::LANES {
            return vector.store(to);
        }
        let mut lanes = [0.0f32; LANES];
        vector.store(lanes.as_mut_ptr());
        to.copy_from_nonoverlapping(lanes.as_ptr(), count);
    }
}

/// The lanes of a vector; those beyond its width are `fill`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn lanes<V: Vector>(vector: V, fill: f32) -> [f32; LANES] {
    let mut lanes = [fill; LANES];
    // SAFETY: the caller's promise; the array has room for the largest vector.
    unsafe { vector.store(lanes.as_mut_ptr()) };
    lanes
}

/// The vector at position `i`, filled with zeros beyond the end of `values`.
///
/// # Safety
/// The processor has the instruction set of `V`; `i` is not beyond the end.
#[inline(always)]
pub(crate) unsafe fn at<V: Vector>(values: &[f32], i: usize) -> V {
    // SAFETY: the caller's promise.
    unsafe { load(values.as_ptr().add(i), values.len() - i, 0.0) }
}
