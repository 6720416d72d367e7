//! Matrix product for the sizes of small networks: the right matrix is packed strip by strip, the left one is read
//! where it lies.

use rayon::prelude::*;

use super::parallel::{Shared, part, written};
use super::simd::{Kernel, Vector, dispatch};

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

    /// Some of the columns.
    ///
    /// # Panics
    /// If they are not columns of this matrix.
    pub fn columns(self, range: std::ops::Range<usize>) -> Self {
        assert!(
            range.start <= range.end && range.end <= self.cols,
            "columns of the matrix"
        );
        let from = (range.start * self.col_step).min(self.values.len());
        Self {
            values: &self.values[from..],
            cols: range.len(),
            ..self
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
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

/// Rows of a full tile.
pub(super) const WIDE_ROWS: usize = 8;
pub(super) const NARROW_ROWS: usize = 4;
/// Vectors of a tile.
pub(super) const VECTORS: usize = 3;
/// Terms of a sum that are taken at a time: a strip of this depth stays in the second-level cache.
const DEPTH: usize = 512;
/// Largest vector.
pub(super) const LANES: usize = 16;
/// Multiplications that are worth a piece of work of their own.
const GRAIN: usize = 256 * 1024;
/// Pieces that the rows or the terms are split into at most.
const PARTS: usize = 16;

/// `a * b`, plus `bias` (one value per column, or empty for zeros) in each row.
pub(crate) fn matmul(a: Matrix, b: Matrix, bias: &[f32]) -> Vec<f32> {
    assert_eq!(a.cols, b.rows, "inner sizes");
    assert!(bias.is_empty() || bias.len() == b.cols, "size of the bias");
    let (rows, cols, terms) = (a.rows, b.cols, a.cols);
    let shape = dispatch(TileShape);
    let strips = cols.div_ceil(shape.cols);

    // Few strips: split the rows as well, and if those are few too, the terms. Shapes alone decide, so that the
    // order of every sum is always the same.
    let wanted = (rows * cols * terms / GRAIN)
        .clamp(1, PARTS)
        .div_ceil(strips.max(1));
    let row_parts = (rows / (4 * WIDE_ROWS)).clamp(1, wanted);
    let term_parts = (terms / DEPTH).clamp(1, wanted.div_ceil(row_parts));

    let work = |out: Shared| {
        let pieces = strips * row_parts * term_parts;
        let one = |buffer: &mut Vec<f32>, piece: usize| {
            let (strip, rest) = (piece % strips, piece / strips);
            let (row_part, term_part) = (rest % row_parts, rest / row_parts);
            let tiles = part(rows.div_ceil(shape.rows), row_parts, row_part);
            let terms = part(terms, term_parts, term_part);
            let first = strip * shape.cols;
            let width = (cols - first).min(shape.cols);
            let bias = if term_part == 0 && !bias.is_empty() {
                &bias[first..first + width]
            } else {
                &[]
            };
            let offset = term_part * rows * cols;
            dispatch(Piece {
                a,
                b,
                rows,
                cols,
                terms,
                tiles,
                first,
                width,
                bias,
                buffer,
                out,
                offset,
            });
        };
        if pieces == 1 {
            one(&mut Vec::new(), 0);
        } else {
            (0..pieces).into_par_iter().for_each_init(Vec::new, one);
        }
    };
    // SAFETY: every strip of columns of every tile of rows is written for every part of the terms.
    let (mut sums, ()) = unsafe { written(term_parts * rows * cols, work) };
    if term_parts > 1 {
        let (total, more) = sums.split_at_mut(rows * cols);
        for part in more.chunks_exact(total.len().max(1)) {
            total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
        }
        sums.truncate(rows * cols);
    }
    sums
}

/// Rows and columns of a tile on this processor.
pub(super) struct TileShape;

pub(super) struct Tile {
    pub rows: usize,
    pub cols: usize,
}

impl Kernel for TileShape {
    type Output = Tile;

    #[inline(always)]
    unsafe fn run<V: Vector>(self) -> Tile {
        let rows = if V::WIDE { WIDE_ROWS } else { NARROW_ROWS };
        Tile {
            rows,
            cols: VECTORS * V::LANES,
        }
    }
}

/// One strip of columns for some rows and some terms.
struct Piece<'a> {
    a: Matrix<'a>,
    b: Matrix<'a>,
    rows: usize,
    cols: usize,
    terms: std::ops::Range<usize>,
    tiles: std::ops::Range<usize>,
    /// First column and number of columns.
    first: usize,
    width: usize,
    bias: &'a [f32],
    buffer: &'a mut Vec<f32>,
    out: Shared<'a>,
    /// Where the sums of this part of the terms start.
    offset: usize,
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            a,
            b,
            rows,
            cols,
            terms,
            tiles,
            first,
            width,
            bias,
            buffer,
            out,
            offset,
        } = self;
        let height = if V::WIDE { WIDE_ROWS } else { NARROW_ROWS };
        let vectors = width.div_ceil(V::LANES);
        let pitch = vectors * V::LANES;
        buffer.resize(DEPTH.min(terms.len()) * pitch, 0.0);
        let mut start = [0.0f32; VECTORS * LANES];
        start[..bias.len()].copy_from_slice(bias);

        let mut block = terms.clone();
        let mut fresh = true;
        loop {
            let depth = block.len().min(DEPTH);
            pack_strip(b, block.start, depth, first, width, pitch, buffer);
            for tile in tiles.clone() {
                let strip = &buffer[..depth * pitch];
                let lines = (rows - tile * height).min(height);
                let at = [tile * height, lines, block.start, depth];
                // The sums so far, or the bias; a row that does not exist is computed and dropped.
                let mut sums = [[0.0f32; VECTORS * LANES]; WIDE_ROWS];
                for (r, sum) in sums.iter_mut().enumerate().take(lines) {
                    if fresh {
                        *sum = start;
                    } else {
                        let at = offset + (tile * height + r) * cols + first;
                        // SAFETY: a part of this piece's own columns and rows, which the first block has written.
                        unsafe {
                            sum.as_mut_ptr()
                                .copy_from_nonoverlapping(out.part(at, width), width)
                        };
                    }
                }
                // SAFETY: the instruction set is the caller's promise; the tile has `lines` rows of `a`.
                unsafe {
                    match (V::WIDE, vectors) {
                        (true, 1) => product::<V, WIDE_ROWS, 1>(a, at, strip, &mut sums),
                        (true, 2) => product::<V, WIDE_ROWS, 2>(a, at, strip, &mut sums),
                        (true, _) => product::<V, WIDE_ROWS, VECTORS>(a, at, strip, &mut sums),
                        (false, 1) => product::<V, NARROW_ROWS, 1>(a, at, strip, &mut sums),
                        (false, 2) => product::<V, NARROW_ROWS, 2>(a, at, strip, &mut sums),
                        (false, _) => product::<V, NARROW_ROWS, VECTORS>(a, at, strip, &mut sums),
                    }
                }
                for (r, sum) in sums.iter().enumerate().take(lines) {
                    // SAFETY: this piece's own columns and rows.
                    unsafe {
                        out.write(offset + (tile * height + r) * cols + first, &sum[..width])
                    };
                }
            }
            fresh = false;
            block.start += depth;
            if block.is_empty() {
                break;
            }
        }
    }
}

/// `to[term, column] = b[from + term, first + column]`, rows of `pitch` values.
#[inline(always)]
pub(super) fn pack_strip(
    b: Matrix,
    from: usize,
    depth: usize,
    first: usize,
    width: usize,
    pitch: usize,
    to: &mut [f32],
) {
    if b.col_step == 1 {
        for (term, to) in to.chunks_exact_mut(pitch.max(1)).enumerate().take(depth) {
            let at = (from + term) * b.row_step + first;
            to[..width].copy_from_slice(&b.values[at..at + width]);
        }
        return;
    }
    // A few terms at a time: the lines of the cache that are written stay there for all columns.
    for block in (0..depth).step_by(LANES) {
        let count = (depth - block).min(LANES);
        let to = &mut to[block * pitch..][..count * pitch];
        for column in 0..width {
            let at = (from + block) * b.row_step + (first + column) * b.col_step;
            let values = &b.values[at..][..(count - 1) * b.row_step + 1];
            if let (1, Ok(values)) = (b.row_step, <&[f32; LANES]>::try_from(values)) {
                for (i, value) in values.iter().enumerate() {
                    to[i * pitch + column] = *value;
                }
            } else {
                for i in 0..count {
                    to[i * pitch + column] = values[i * b.row_step];
                }
            }
        }
    }
}

/// Adds to `sums` the product of rows and terms of `a`, at (first row, rows, first term, terms), and `b`
/// `[term, N vectors]`. Beyond the last row the last one is taken again.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn product<V: Vector, const M: usize, const N: usize>(
    a: Matrix,
    [first, rows, term, depth]: [usize; 4],
    b: &[f32],
    sums: &mut [[f32; VECTORS * LANES]; WIDE_ROWS],
) {
    assert!(
        rows > 0 && first + rows <= a.rows && term + depth <= a.cols,
        "tile inside of the matrix"
    );
    assert!(b.len() >= depth * N * V::LANES && N * V::LANES <= VECTORS * LANES && M <= WIDE_ROWS);
    // SAFETY: rows and terms are inside of the matrix by the first assertion, and a matrix covers its values:
    // `(rows - 1) * row_step + (cols - 1) * col_step < values.len()`. The second bounds `b` and `sums`.
    unsafe {
        let mut total = [[V::splat(0.0); N]; M];
        let mut lines = [a.values.as_ptr(); M];
        for m in 0..M {
            lines[m] = a
                .values
                .as_ptr()
                .wrapping_add((first + m.min(rows - 1)) * a.row_step + term * a.col_step);
            for n in 0..N {
                total[m][n] = V::load(sums[m].as_ptr().add(n * V::LANES));
            }
        }
        accumulate(&lines, a.col_step, depth, b.as_ptr(), &mut total);
        for m in 0..M {
            for n in 0..N {
                total[m][n].store(sums[m].as_mut_ptr().add(n * V::LANES));
            }
        }
    }
}

/// Adds to `total[m][n]` the sum over t of `lines[m][t * step] * b[t, n]`, where `b` is `[depth, N vectors]`.
///
/// # Safety
/// The processor has the instruction set of `V`; each line has a value at every `t * step`, and `b` has
/// `depth * N * LANES` values.
#[inline(always)]
pub(super) unsafe fn accumulate<V: Vector, const M: usize, const N: usize>(
    lines: &[*const f32; M],
    step: usize,
    depth: usize,
    mut b: *const f32,
    total: &mut [[V; N]; M],
) {
    // SAFETY: the caller's promise.
    unsafe {
        for t in 0..depth {
            let mut x = [V::splat(0.0); N];
            for n in 0..N {
                x[n] = V::load(b.add(n * V::LANES));
            }
            for m in 0..M {
                let w = V::splat(*lines[m].add(t * step));
                for n in 0..N {
                    total[m][n] = w.mul_add(x[n], total[m][n]);
                }
            }
            b = b.add(N * V::LANES);
        }
    }
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
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|i| (((i + seed) * 7919) % 1009) as f32 / 504.0 - 1.0)
            .collect()
    }

    #[test]
    fn products_follow_the_definition() {
        let sizes = [
            (1, 1, 1),
            (1, 5, 3),
            (3, 1, 0),
            (0, 4, 2),
            (8, 48, 16),
            (9, 49, 513),
            (33, 10, 4000),
            (200, 7, 31),
            (17, 130, 1025),
            (70, 300, 64),
        ];
        for (rows, cols, terms) in sizes {
            let (x, y, bias) = (
                numbers(rows * terms, 1),
                numbers(terms * cols, 5),
                numbers(cols, 3),
            );
            let mut want = vec![0.0f64; rows * cols];
            for r in 0..rows {
                for c in 0..cols {
                    let terms = (0..terms)
                        .map(|t| f64::from(x[r * terms + t]) * f64::from(y[t * cols + c]));
                    want[r * cols + c] = f64::from(bias[c]) + terms.sum::<f64>();
                }
            }
            let transpose = |values: &[f32], rows: usize, cols: usize| -> Vec<f32> {
                (0..rows * cols)
                    .map(|i| values[i % rows * cols + i / rows])
                    .collect()
            };
            let (xt, yt) = (transpose(&x, rows, terms), transpose(&y, terms, cols));
            for a in [
                Matrix::new(&x, rows, terms),
                Matrix::new(&xt, terms, rows).transposed(),
            ] {
                for b in [
                    Matrix::new(&y, terms, cols),
                    Matrix::new(&yt, cols, terms).transposed(),
                ] {
                    let got = matmul(a, b, &bias);
                    assert_eq!(got.len(), want.len());
                    for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                        let close = (f64::from(*g) - w).abs() <= 1e-5 * (1.0 + terms as f64).sqrt();
                        assert!(close, "{rows} x {terms} x {cols}, value {i}: {g}, not {w}");
                    }
                }
            }
        }
    }

    #[test]
    fn columns_are_summed() {
        for (rows, cols) in [(0, 3), (1, 1), (7, 5), (70_000, 9)] {
            let values = numbers(rows * cols, 2);
            let sums = column_sums(&values, cols);
            assert_eq!(sums.len(), cols);
            for (c, sum) in sums.iter().enumerate() {
                let want: f64 = (0..rows).map(|r| f64::from(values[r * cols + c])).sum();
                assert!((f64::from(*sum) - want).abs() < 1e-2, "{sum}, not {want}");
            }
        }
    }
}
