//! Rows of a table in memory, and the sums of their gradients.

use super::super::parallel::{Shared, part, ranges, written};

/// Which rows.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    indices: Vec<usize>,
    /// A row without gradient.
    padding: Option<usize>,
}

impl Lookup {
    /// An index below 0 becomes one that [`gather`] refuses.
    pub fn new(indices: &[i64], padding: Option<usize>) -> Self {
        let number = |index: &i64| usize::try_from(*index).unwrap_or(usize::MAX);
        Self {
            indices: indices.iter().map(number).collect(),
            padding,
        }
    }

    /// Number of rows that are looked up.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    fn check(&self, count: usize) {
        if let Some(index) = self.indices.iter().find(|index| **index >= count) {
            panic!("index {index} is not one of {count} rows");
        }
    }
}

/// Values per piece of work, some ten microseconds.
const GRAIN: usize = 32 * 1024;

/// The rows of `table`, which has rows of `width` values.
///
/// # Panics
/// If an index is not below the number of rows.
pub(crate) fn gather(table: &[f32], width: usize, lookup: &Lookup) -> Vec<f32> {
    lookup.check(table.len() / width.max(1));
    let work = |out: Shared| {
        ranges(lookup.len(), GRAIN.div_ceil(width.max(1)), |range| {
            for i in range {
                let from = lookup.indices[i] * width;
                // SAFETY: each row is written once.
                unsafe { out.write(i * width, &table[from..from + width]) };
            }
        });
    };
    // SAFETY: the ranges cover all rows, which are all values.
    unsafe { written(lookup.len() * width, work).0 }
}

/// The gradient of a table of `count` rows: each row of `grad` is added to the row that it came from.
///
/// The threads share the columns, not the rows, so that each sum has the order of the indices.
///
/// # Panics
/// If an index is not below `count`, or there is not a row of `grad` for each.
pub(crate) fn scatter_add(grad: &[f32], width: usize, lookup: &Lookup, count: usize) -> Vec<f32> {
    lookup.check(count);
    assert_eq!(grad.len(), lookup.len() * width, "a gradient for each row");
    let zeros = |out: Shared| {
        ranges(out.len(), 4 * GRAIN, |range| {
            // SAFETY: the ranges are disjoint; zero bytes are zeros.
            unsafe {
                out.part(range.start, range.len())
                    .write_bytes(0, range.len())
            };
        });
    };
    // SAFETY: the ranges cover all values.
    let (mut sums, ()) = unsafe { written(count * width, zeros) };
    let out = Shared::new(&mut sums);
    // Parts of the columns are whole cache lines.
    let parts = (grad.len() / GRAIN)
        .min(width / 16)
        .clamp(1, rayon::current_num_threads());
    ranges(parts, 1, |range| {
        for piece in range {
            let columns = match parts {
                1 => 0..width,
                _ => {
                    let lines = part(width / 16, parts, piece);
                    let end = if piece + 1 == parts {
                        width
                    } else {
                        lines.end * 16
                    };
                    lines.start * 16..end
                }
            };
            for (i, index) in lookup.indices.iter().enumerate() {
                if lookup.padding == Some(*index) {
                    continue;
                }
                // SAFETY: the parts of the columns are disjoint, and the values were written above.
                let sums = unsafe {
                    let start = out.part(index * width + columns.start, columns.len());
                    std::slice::from_raw_parts_mut(start, columns.len())
                };
                let grad = &grad[i * width..(i + 1) * width][columns.clone()];
                sums.iter_mut().zip(grad).for_each(|(sum, g)| *sum += g);
            }
        }
    });
    sums
}
