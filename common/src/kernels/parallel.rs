//! Work split over the threads of rayon's pool, and output buffers that are written exactly once.

use std::marker::PhantomData;
use std::ops::Range;

/// An output that several threads write, each its own part, and that need not be initialised before.
///
/// Unlike those of `&mut [f32]` the parts may interleave (rows of an image inside the planes of a tensor), so the
/// type system cannot see that they are disjoint: who calls [`Shared::part`] does.
pub(crate) struct Shared<'a, T = f32> {
    start: *mut T,
    len: usize,
    life: PhantomData<&'a mut [T]>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

// SAFETY: the pointer stands for an exclusive borrow of plain numbers; `part` demands that parts do not overlap.
unsafe impl<T: Copy + Send> Send for Shared<'_, T> {}
// SAFETY: as above; no method reads or writes through a shared reference by itself.
unsafe impl<T: Copy + Send> Sync for Shared<'_, T> {}

impl<'a, T: Copy> Shared<'a, T> {
    /// Borrows the whole of `values` for the time of the work.
    pub fn new(values: &'a mut [T]) -> Self {
        Self {
            start: values.as_mut_ptr(),
            len: values.len(),
            life: PhantomData,
        }
    }

    /// Values in all.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The start of the part `[from, from + len)`, which may be written (and read once written).
    ///
    /// # Safety
    /// While one part is in use no other thread uses a part that overlaps it.
    ///
    /// # Panics
    /// If the part reaches beyond the end.
    #[inline(always)]
    pub unsafe fn part(&self, from: usize, len: usize) -> *mut T {
        assert!(
            from <= self.len && len <= self.len - from,
            "part outside of the output"
        );
        // SAFETY: in bounds by the assertion.
        unsafe { self.start.add(from) }
    }

    /// The start of `count` rows of `len` values, `step` apart, of which the first starts at `from`.
    ///
    /// # Safety
    /// As for [`Self::part`]; what lies between the rows is not part of them.
    ///
    /// # Panics
    /// If the last row reaches beyond the end.
    #[inline(always)]
    pub unsafe fn rows(&self, from: usize, step: usize, count: usize, len: usize) -> *mut T {
        // SAFETY: the caller's promise for the rows; nothing between them is touched.
        unsafe { self.part(from, count.saturating_sub(1) * step + len) }
    }

    /// Copies `values` to `[from, ...)`.
    ///
    /// # Safety
    /// As for [`Self::part`].
    #[inline(always)]
    pub unsafe fn write(&self, from: usize, values: &[T]) {
        // SAFETY: the part is in bounds and this thread's own; `values` is borrowed, so it lies elsewhere.
        unsafe {
            let to = self.part(from, values.len());
            to.copy_from_nonoverlapping(values.as_ptr(), values.len());
        }
    }
}

/// A vector whose values are still to be written.
pub(crate) struct Unwritten<T = f32>(Vec<T>, usize);

impl<T: Copy> Unwritten<T> {
    /// Memory for `len` values.
    pub fn new(len: usize) -> Self {
        Self(Vec::with_capacity(len), len)
    }

    /// The memory, to be written.
    pub fn share(&mut self) -> Shared<'_, T> {
        Shared {
            start: self.0.as_mut_ptr(),
            len: self.1,
            life: PhantomData,
        }
    }

    /// The vector.
    ///
    /// # Safety
    /// Every value has been written.
    pub unsafe fn written(mut self) -> Vec<T> {
        // SAFETY: within the capacity, and initialised by the caller's promise.
        unsafe { self.0.set_len(self.1) };
        self.0
    }
}

/// A vector of `len` values that `write` writes.
///
/// # Safety
/// `write` writes every one of the values.
pub(crate) unsafe fn written<T: Copy, R>(
    len: usize,
    write: impl FnOnce(Shared<T>) -> R,
) -> (Vec<T>, R) {
    let mut values = Unwritten::new(len);
    let result = write(values.share());
    // SAFETY: the caller's promise.
    let values = unsafe { values.written() };
    (values, result)
}

/// Splits `0..count` into `parts` consecutive ranges whose lengths differ by at most one.
///
/// Partial sums belong to a part, not to a thread, and are added in the order of the parts: the same numbers
/// in every run.
pub(crate) fn part(count: usize, parts: usize, index: usize) -> Range<usize> {
    count * index / parts..count * (index + 1) / parts
}

/// Runs `work` on consecutive ranges of `0..count`, in parallel if there are at least two of `grain` items.
pub(crate) fn ranges(count: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
    use rayon::prelude::*;
    let parts = (count / grain.max(1)).clamp(1, 8 * rayon::current_num_threads());
    if parts == 1 {
        work(0..count);
    } else {
        (0..parts)
            .into_par_iter()
            .for_each(|index| work(part(count, parts, index)));
    }
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

    #[test]
    fn ranges_reach_every_item() {
        for count in [0, 1, 5, 1000] {
            // SAFETY: the ranges cover `0..count`.
            let (values, ()) = unsafe {
                written(count, |out: Shared<usize>| {
                    ranges(count, 3, |range| range.for_each(|i| out.write(i, &[i])));
                })
            };
            assert_eq!(values, (0..count).collect::<Vec<_>>());
        }
    }
}
