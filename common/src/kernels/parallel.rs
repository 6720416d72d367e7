//! Work split over the threads of rayon's pool, and output buffers that are written exactly once.

use std::marker::PhantomData;

/// An output that several threads write, each its own part.
///
/// Unlike `&mut [f32]` the parts may interleave (rows of an image inside the planes of a tensor), so the type
/// system cannot see that they are disjoint: who calls [`Shared::slice`] does.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer stands for an exclusive borrow of plain `f32`s; `slice` demands that parts do not overlap.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above; no method reads or writes through a shared reference by itself.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    /// Borrows the whole of `values` for the time of the work.
    pub fn new(values: &'a mut [f32]) -> Self {
        Self {
            start: values.as_mut_ptr(),
            len: values.len(),
            life: PhantomData,
        }
    }

    /// The part `[from, from + len)`.
    ///
    /// # Safety
    /// No two parts that live at the same time overlap.
    ///
    /// # Panics
    /// If the part reaches beyond the end.
    #[inline(always)]
    pub unsafe fn slice(&self, from: usize, len: usize) -> &'a mut [f32] {
        assert!(
            from <= self.len && len <= self.len - from,
            "part outside of the output"
        );
        // SAFETY: in bounds by the assertion; exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), len) }
    }
}

/// Splits `0..count` into `parts` consecutive ranges whose lengths differ by at most one.
///
/// Partial sums belong to a part, not to a thread, and are added in the order of the parts: the same numbers
/// in every run.
pub(crate) fn part(count: usize, parts: usize, index: usize) -> std::ops::Range<usize> {
    count * index / parts..count * (index + 1) / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_range_once_and_in_order() {
        for (count, parts) in [(0, 1), (1, 4), (7, 3), (32, 8), (33, 8)] {
            let all: Vec<usize> = (0..parts).flat_map(|i| part(count, parts, i)).collect();
            assert_eq!(all, (0..count).collect::<Vec<_>>(), "{count} in {parts}");
        }
    }
}
