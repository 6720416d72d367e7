//! Matrix product for the sizes of small networks, block by block: the blocks of both matrices are packed in the order
//! in which they are read (Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008).

mod batched;
mod tile;

use std::ops::Range;

use rayon::prelude::*;

use super::parallel::{Shared, part, ranges, written};
pub(crate) use batched::{Matrices, matmul_each};
pub(crate) use tile::{
    LANES, Left, NARROW_ROWS, Product, Registers, Start, VECTORS, WIDE_ROWS, accumulate, pack_left,
    pack_right, strips,
};

/// A matrix in memory with any steps; a transposed one is only described differently.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    row_step: usize,
    col_step: usize,
}

impl<'a> Matrix<'a> {
    /// `rows x cols` values in row-major order.
    ///
    /// # Panics
    /// If there are not that many values.
    pub fn new(values: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(
            values.len(),
            rows * cols,
            "values of a {rows} x {cols} matrix"
        );
        Self {
            values,
            rows,
            cols,
            row_step: cols,
            col_step: 1,
        }
    }

    /// `rows x cols` values, of which two in a column are `row_step` apart and two in a row `col_step`.
    ///
    /// # Panics
    /// If a value lies beyond the end.
    pub fn strided(
        values: &'a [f32],
        [rows, cols]: [usize; 2],
        [row_step, col_step]: [usize; 2],
    ) -> Self {
        let inside = rows == 0
            || cols == 0
            || (rows - 1)
                .checked_mul(row_step)
                .zip((cols - 1).checked_mul(col_step))
                .and_then(|(r, c)| r.checked_add(c))
                .is_some_and(|last| last < values.len());
        assert!(inside, "a {rows} x {cols} matrix inside of its values");
        Self {
            values,
            rows,
            cols,
            row_step,
            col_step,
        }
    }

    /// Its rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Some rows and some columns.
    ///
    /// # Panics
    /// If they are not part of the matrix.
    pub fn block(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        assert!(
            rows.start <= rows.end
                && rows.end <= self.rows
                && cols.start <= cols.end
                && cols.end <= self.cols,
            "block of a matrix"
        );
        let from = rows.start * self.row_step + cols.start * self.col_step;
        Self {
            // Nothing is read from a block without rows or columns.
            values: self.values.get(from..).unwrap_or_default(),
            rows: rows.len(),
            cols: cols.len(),
            ..self
        }
    }

    /// Its columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// If they are not columns of this matrix.
    pub fn columns(self, range: Range<usize>) -> Self {
        self.block(0..self.rows, range)
    }

    /// Rows become columns.
    pub fn transposed(self) -> Self {
        let Self {
            values,
            rows,
            cols,
            row_step,
            col_step,
        } = self;
        Self {
            values,
            rows: cols,
            cols: rows,
            row_step: col_step,
            col_step: row_step,
        }
    }
}

/// Terms of a sum that are taken at a time: a strip of this depth stays in the first-level cache or near it.
const DEPTH: usize = 256;
/// Rows of the left matrix that are packed at a time: with the terms above they stay in the second-level cache.
const ROWS: usize = 128;
/// Multiplications that are worth a piece of work of their own.
const GRAIN: usize = 512 * 1024;
/// Pieces that a product is split into at most.
const PARTS: usize = 16;

/// `a * b`, plus `bias` (one value per column, or empty for zeros) in each row.
pub(crate) fn matmul(a: Matrix, b: Matrix, bias: &[f32]) -> Vec<f32> {
    assert_eq!(a.cols, b.rows, "inner sizes");
    assert!(bias.is_empty() || bias.len() == b.cols, "size of the bias");
    let (rows, cols, terms) = (a.rows, b.cols, a.cols);
    let registers = Registers::new();
    let mut start = bias.to_vec();
    start.resize(registers.padded(cols), 0.0);

    // Split the rows first, then the columns, and if those are few the terms. Shapes alone decide, so that the order
    // of every sum is always the same.
    let wanted = (rows * cols * terms / GRAIN).clamp(1, PARTS);
    let row_parts = (rows / 96).clamp(1, wanted);
    let col_parts = (cols / 96).clamp(1, wanted.div_ceil(row_parts));
    let term_parts = (terms / 512).clamp(1, wanted.div_ceil(row_parts * col_parts));

    // Whole tiles and whole vectors.
    let lines_of = |index| {
        let tiles = part(rows.div_ceil(registers.rows), row_parts, index);
        scaled(tiles, registers.rows, rows)
    };
    let columns_of = |index| {
        let vectors = part(cols.div_ceil(registers.lanes), col_parts, index);
        scaled(vectors, registers.lanes, cols)
    };
    let terms_of = |index| part(terms, term_parts, index);

    // What several pieces read is packed once.
    let mut shared = Vec::new();
    if row_parts > 1 {
        let blocks: Vec<(Range<usize>, Range<usize>)> = (0..term_parts)
            .flat_map(|index| blocks(terms_of(index), DEPTH))
            .flat_map(|terms| (0..col_parts).map(move |index| (terms.clone(), columns_of(index))))
            .collect();
        let work = |out: Shared| {
            ranges(
                blocks.len(),
                GRAIN / 8 / (DEPTH * cols.div_ceil(col_parts)),
                |range| {
                    for (terms, columns) in &blocks[range] {
                        let (at, len) = place(b, terms, columns);
                        // SAFETY: the blocks are disjoint and cover the matrix.
                        let to = unsafe { std::slice::from_raw_parts_mut(out.part(at, len), len) };
                        pack_right(b.block(terms.clone(), columns.clone()), to);
                    }
                },
            );
        };
        // SAFETY: the blocks cover the matrix.
        shared = unsafe { written(terms * registers.padded(cols), work).0 };
    }
    let shared = (row_parts > 1).then_some(shared.as_slice());

    let work = |out: Shared| {
        let pieces = row_parts * col_parts * term_parts;
        let one = |buffer: &mut Buffer, piece: usize| {
            let (row_part, rest) = (piece % row_parts, piece / row_parts);
            let (col_part, term_part) = (rest % col_parts, rest / col_parts);
            let (lines, columns, terms) = (
                lines_of(row_part),
                columns_of(col_part),
                terms_of(term_part),
            );
            let start = match term_part {
                0 if !bias.is_empty() => &start[columns.start..registers.padded(columns.end)],
                _ => &[],
            };
            let offset = term_part * rows * cols;
            block_product(
                a,
                b,
                [lines, columns, terms],
                start,
                shared,
                buffer,
                out,
                offset,
            );
        };
        if pieces == 1 {
            one(&mut Buffer::default(), 0);
        } else {
            (0..pieces)
                .into_par_iter()
                .for_each_init(Buffer::default, one);
        }
    };
    // SAFETY: every part of the rows and of the columns is written for every part of the terms.
    let (mut sums, ()) = unsafe { written(term_parts * rows * cols, work) };
    if term_parts > 1 {
        let (total, more) = sums.split_at_mut(rows * cols);
        let len = total.len();
        let total = Shared::new(total);
        ranges(len, GRAIN / 16, |range| {
            // SAFETY: the ranges are disjoint.
            let total = unsafe {
                std::slice::from_raw_parts_mut(total.part(range.start, range.len()), range.len())
            };
            for part in more.chunks_exact(len) {
                total
                    .iter_mut()
                    .zip(&part[range.clone()])
                    .for_each(|(t, p)| *t += p);
            }
        });
        sums.truncate(rows * cols);
    }
    sums
}

/// A range of `unit` items each, within `end` items in all.
fn scaled(range: Range<usize>, unit: usize, end: usize) -> Range<usize> {
    (range.start * unit).min(end)..(range.end * unit).min(end)
}

/// `range` in as few and as even parts of at most `longest` as possible; an empty one is a part, too.
fn blocks(range: Range<usize>, longest: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = range.len().div_ceil(longest).max(1);
    (0..parts).map(move |index| {
        let block = part(range.len(), parts, index);
        range.start + block.start..range.start + block.end
    })
}

/// Where a block of the right matrix lies among its packed blocks, and its size.
fn place(b: Matrix, terms: &Range<usize>, columns: &Range<usize>) -> (usize, usize) {
    let registers = Registers::new();
    let at = terms.start * registers.padded(b.cols) + terms.len() * columns.start;
    (at, terms.len() * registers.padded(columns.len()))
}

/// Packed blocks of both matrices.
#[derive(Default)]
struct Buffer {
    left: Vec<f32>,
    right: Vec<f32>,
}

/// Lines, columns and terms of one piece, written to `out` from `offset` on. The blocks of the right matrix are in
/// `shared`, or are packed here.
#[allow(clippy::too_many_arguments)]
fn block_product(
    a: Matrix,
    b: Matrix,
    [lines, columns, terms]: [Range<usize>; 3],
    start: &[f32],
    shared: Option<&[f32]>,
    buffer: &mut Buffer,
    out: Shared,
    offset: usize,
) {
    let registers = Registers::new();
    // Rows in order are read where they lie, unless their starts compete for the same lines of the cache.
    let pack = a.col_step != 1 && columns.len() > registers.lanes
        || a.row_step.is_multiple_of(1024) && a.row_step > 0;
    for terms_now in blocks(terms.clone(), DEPTH) {
        let (at, len) = place(b, &terms_now, &columns);
        let right = match shared {
            Some(shared) => &shared[at..at + len],
            None => {
                let right = room(&mut buffer.right, len);
                pack_right(b.block(terms_now.clone(), columns.clone()), right);
                right
            }
        };
        let start = if terms_now.start > terms.start {
            Start::Output
        } else if start.is_empty() {
            Start::Zero
        } else {
            Start::Row(start)
        };
        for block in blocks(lines.clone(), ROWS) {
            let mut left = Left::Plain(a.block(block.clone(), terms_now.clone()));
            if let (true, Left::Plain(plain)) = (pack, left) {
                let size = block.len().next_multiple_of(registers.rows) * terms_now.len();
                let packed = room(&mut buffer.left, size);
                pack_left(plain, registers.rows, packed);
                left = Left::Packed(packed, block.len(), terms_now.len());
            }
            // SAFETY: this piece's own rows and columns; with `Output` the first terms have written them.
            unsafe {
                Product {
                    left,
                    right,
                    cols: columns.len(),
                    start,
                    out: rows_of(out, offset, block.clone(), columns.clone(), b.cols),
                    step: b.cols,
                }
                .run();
            }
        }
    }
}

/// The first value of these rows and columns of the matrix of `pitch` columns at `offset`.
///
/// # Safety
/// While they are in use no other thread uses values of them.
unsafe fn rows_of(
    out: Shared,
    offset: usize,
    rows: Range<usize>,
    cols: Range<usize>,
    pitch: usize,
) -> *mut f32 {
    assert!(
        cols.end <= pitch && offset + rows.end * pitch <= out.len(),
        "block inside of the result"
    );
    // SAFETY: the caller's promise; all the rows lie inside by the assertion.
    unsafe { out.part(offset + rows.start * pitch + cols.start, 0) }
}

/// The first `len` values of `buffer`, made longer if need be.
pub(crate) fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

/// The sum of each column of `[rows, cols]` values, in parts of fixed size.
pub(crate) fn column_sums(values: &[f32], cols: usize) -> Vec<f32> {
    let rows = values.len() / cols.max(1);
    let parts = (values.len() / GRAIN).clamp(1, PARTS);
    let sum = |index: usize| {
        let range = part(rows, parts, index);
        let mut sums = vec![0.0; cols];
        for row in values[range.start * cols..range.end * cols].chunks_exact(cols.max(1)) {
            sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
        sums
    };
    if parts == 1 {
        return sum(0);
    }
    let partial: Vec<Vec<f32>> = (0..parts).into_par_iter().map(sum).collect();
    let mut sums = vec![0.0; cols];
    for part in partial {
        sums.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    sums
}

#[cfg(test)]
mod tests;
