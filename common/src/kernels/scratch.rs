//! Buffers that each thread keeps for its next piece of work: fresh large allocations cost a page fault per 4 KiB.

use std::cell::RefCell;

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with a buffer of `len` values. What they are at first is left over from earlier work.
pub(crate) fn scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // The buffer is taken out of the store for the time of the work, which may ask for another one.
    let mut buffer = FREE.with(|free| take(&mut free.borrow_mut(), len));
    if buffer.len() < len {
        buffer = vec![0.0; len];
    }
    let result = work(&mut buffer[..len]);
    FREE.with(|free| free.borrow_mut().push(buffer));
    result
}

/// The smallest buffer that is long enough, or else the longest one.
fn take(free: &mut Vec<Vec<f32>>, len: usize) -> Vec<f32> {
    let fits = |b: &Vec<f32>| b.len() >= len;
    let best = (0..free.len()).min_by_key(|&i| {
        let have = free[i].len();
        (
            !fits(&free[i]),
            if have >= len { have } else { usize::MAX - have },
        )
    });
    best.map(|i| free.swap_remove(i)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_have_their_length_and_do_not_overlap() {
        for len in [0, 1, 1000, 10, 5000] {
            scratch(len, |outer| {
                outer.fill(1.0);
                scratch(len / 2, |inner| {
                    assert_eq!(inner.len(), len / 2);
                    inner.fill(2.0);
                });
                assert_eq!(outer.len(), len);
                assert!(outer.iter().all(|v| *v == 1.0));
            });
        }
    }
}
