//! The inner part of every product: rows of the left matrix times a packed block of the right one, on one thread.

use super::Matrix;
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Rows of a full tile with thirty-two registers, and with sixteen.
pub(crate) const WIDE_ROWS: usize = 8;
pub(crate) const NARROW_ROWS: usize = 4;
/// Most vectors of a strip.
pub(crate) const VECTORS: usize = 3;
/// Largest vector.
pub(crate) const LANES: usize = 16;

/// Sizes that this processor's registers ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    /// Values in a vector.
    pub lanes: usize,
    /// Rows of a full tile.
    pub rows: usize,
}

impl Registers {
    /// Those of this processor.
    pub fn new() -> Self {
        struct Ask;
        impl Kernel for Ask {
            type Output = Registers;

            #[inline(always)]
            unsafe fn run<V: Vector>(self) -> Registers {
                Registers {
                    lanes: V::LANES,
                    rows: height::<V>(),
                }
            }
        }
        dispatch(Ask)
    }

    /// `columns`, rounded up to whole vectors.
    pub fn padded(self, columns: usize) -> usize {
        columns.next_multiple_of(self.lanes)
    }
}

#[inline(always)]
fn height<V: Vector>() -> usize {
    if V::WIDE { WIDE_ROWS } else { NARROW_ROWS }
}

/// The strips of at most three vectors that `vectors` are cut into, as even as possible: first vector and number.
#[inline(always)]
pub(crate) fn strips(vectors: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = vectors.div_ceil(VECTORS);
    (0..count).map(move |s| {
        let first = vectors * s / count;
        (first, vectors * (s + 1) / count - first)
    })
}

/// Copies `b` strip by strip: `[strip][row of b][column of the strip]`, zeros beyond the last column.
/// The values take `b.rows() * padded(b.cols())`.
pub(crate) fn pack_right(b: Matrix, to: &mut [f32]) {
    dispatch(PackRight { b, to });
}

struct PackRight<'a> {
    b: Matrix<'a>,
    to: &'a mut [f32],
}

impl Kernel for PackRight<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { b, to } = self;
        let (depth, cols) = (b.rows, b.cols);
        let vectors = cols.div_ceil(V::LANES);
        assert!(to.len() >= depth * vectors * V::LANES, "room for the block");
        for (first, count) in strips(vectors) {
            let pitch = count * V::LANES;
            let to = &mut to[depth * first * V::LANES..][..depth * pitch];
            let first = first * V::LANES;
            let width = (cols - first).min(pitch);
            if b.col_step == 1 {
                let whole = width - width % V::LANES;
                for (term, to) in to.chunks_exact_mut(pitch).enumerate() {
                    let from = &b.values[term * b.row_step + first..][..width];
                    for at in (0..whole).step_by(V::LANES) {
                        // SAFETY: `at + LANES <= whole <= width`, the length of `from` and at most that of `to`.
                        unsafe { V::load(from.as_ptr().add(at)).store(to.as_mut_ptr().add(at)) };
                    }
                    to[whole..width].copy_from_slice(&from[whole..]);
                    to[width..].fill(0.0);
                }
                continue;
            }
            // A few terms at a time: the lines of the cache that are written stay there for all columns.
            for block in (0..depth).step_by(LANES) {
                let count = (depth - block).min(LANES);
                let to = &mut to[block * pitch..][..count * pitch];
                let column = |c: usize| {
                    let at = block * b.row_step + (first + c) * b.col_step;
                    &b.values[at..][..(count - 1) * b.row_step + 1]
                };
                let squares = if b.row_step == 1 && count == LANES {
                    width / 4 * 4
                } else {
                    0
                };
                for c in (0..squares).step_by(4) {
                    let columns = [column(c), column(c + 1), column(c + 2), column(c + 3)];
                    let to = &mut to[c..][..(LANES - 1) * pitch + 4];
                    // SAFETY: `LANES` values of each column, and as many rows of four values.
                    unsafe { transpose_columns(columns, to.as_mut_ptr(), pitch) };
                }
                for c in squares..width {
                    for (i, value) in column(c).iter().step_by(b.row_step).enumerate() {
                        to[i * pitch + c] = *value;
                    }
                }
                for to in to.chunks_exact_mut(pitch) {
                    to[width..].fill(0.0);
                }
            }
        }
    }
}

/// Four columns of `LANES` values become rows of four values, `pitch` apart.
///
/// # Safety
/// Each column has `LANES` values, and all the rows of `to` are valid.
#[inline(always)]
unsafe fn transpose_columns(columns: [&[f32]; 4], to: *mut f32, pitch: usize) {
    let [a, b, c, d] = columns;
    for t in (0..LANES).step_by(4) {
        // SAFETY: `t + 4 <= LANES`; arrays of `f32` may be read and written at any alignment by these methods.
        unsafe {
            let a = a.as_ptr().add(t).cast::<[f32; 4]>().read_unaligned();
            let b = b.as_ptr().add(t).cast::<[f32; 4]>().read_unaligned();
            let c = c.as_ptr().add(t).cast::<[f32; 4]>().read_unaligned();
            let d = d.as_ptr().add(t).cast::<[f32; 4]>().read_unaligned();
            for i in 0..4 {
                let row = to.add((t + i) * pitch).cast::<[f32; 4]>();
                row.write_unaligned([a[i], b[i], c[i], d[i]]);
            }
        }
    }
}

/// Copies `a` tile by tile: `[tile][column of a][row of the tile]`. The last tile has as many rows as it needs,
/// rounded up to a power of two, with zeros beyond the last row. The values take at most
/// `a.cols() * a.rows().next_multiple_of(rows of a tile)`.
pub(crate) fn pack_left(a: Matrix, height: usize, to: &mut [f32]) {
    let depth = a.cols;
    if depth == 0 {
        return;
    }
    for first in (0..a.rows).step_by(height) {
        let rows = (a.rows - first).min(height);
        let pitch = rows.next_power_of_two();
        let to = &mut to[first * depth..][..pitch * depth];
        if a.row_step == 1 {
            for (term, to) in to.chunks_exact_mut(pitch).enumerate() {
                let from = &a.values[term * a.col_step + first..][..rows];
                match (
                    <&mut [f32; WIDE_ROWS]>::try_from(&mut *to),
                    <&[f32; WIDE_ROWS]>::try_from(from),
                ) {
                    (Ok(to), Ok(from)) => *to = *from,
                    _ => {
                        to[..rows].copy_from_slice(from);
                        to[rows..].fill(0.0);
                    }
                }
            }
            continue;
        }
        if let Ok(lines) = <&[usize; WIDE_ROWS]>::try_from(&[0, 1, 2, 3, 4, 5, 6, 7][..rows]) {
            let lines = lines
                .map(|r| &a.values[(first + r) * a.row_step..][..(depth - 1) * a.col_step + 1]);
            for (term, to) in to.chunks_exact_mut(WIDE_ROWS).enumerate() {
                for r in 0..WIDE_ROWS {
                    to[r] = lines[r][term * a.col_step];
                }
            }
            continue;
        }
        for (term, to) in to.chunks_exact_mut(pitch).enumerate() {
            for (r, to) in to.iter_mut().enumerate() {
                let at = (first + r) * a.row_step + term * a.col_step;
                *to = if r < rows { a.values[at] } else { 0.0 };
            }
        }
    }
}

/// The left matrix of a [`Product`].
#[derive(Clone, Copy)]
pub(crate) enum Left<'a> {
    /// Where it lies.
    Plain(Matrix<'a>),
    /// `rows x depth` values from [`pack_left`].
    Packed(&'a [f32], usize, usize),
}

/// What the sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    /// The same values in each row: one per column, and zeros up to whole vectors.
    Row(&'a [f32]),
    /// What is there already.
    Output,
}

/// `out = start + left * right` for one block.
pub(crate) struct Product<'a> {
    pub left: Left<'a>,
    /// From [`pack_right`].
    pub right: &'a [f32],
    /// Columns of the result.
    pub cols: usize,
    pub start: Start<'a>,
    /// The first value of the result, whose rows are `step` values apart.
    pub out: *mut f32,
    pub step: usize,
}

impl Product<'_> {
    /// Computes it.
    ///
    /// # Safety
    /// `cols` values from `out + r * step` on are this thread's to write for each row r of the left matrix, and with
    /// [`Start::Output`] they are initialised.
    pub unsafe fn run(self) {
        dispatch(self);
    }
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            left,
            right,
            cols,
            start,
            out,
            step,
        } = self;
        let (rows, depth) = match left {
            Left::Plain(a) => (a.rows, a.cols),
            Left::Packed(values, rows, depth) => {
                let last = rows % height::<V>();
                let padded = rows - last
                    + if last > 0 {
                        last.next_power_of_two()
                    } else {
                        0
                    };
                assert!(values.len() >= padded * depth, "size of the left block");
                (rows, depth)
            }
        };
        let vectors = cols.div_ceil(V::LANES);
        assert!(
            right.len() >= depth * vectors * V::LANES,
            "size of the right block"
        );
        if let Start::Row(row) = start {
            assert!(row.len() >= vectors * V::LANES, "size of the first row");
        }
        // What is not a whole tile is computed here and copied. The values of no row or column may be any.
        let mut part = [[0.0f32; VECTORS * LANES]; WIDE_ROWS];
        for (first, count) in strips(vectors) {
            let strip = &right[depth * first * V::LANES..][..depth * count * V::LANES];
            let first = first * V::LANES;
            let width = (cols - first).min(count * V::LANES);
            for row in (0..rows).step_by(height::<V>()) {
                let lines = (rows - row).min(height::<V>());
                let m = lines.next_power_of_two();
                let mut tile = Tile {
                    a: [std::ptr::null(); WIDE_ROWS],
                    a_step: 1,
                    depth,
                    b: strip.as_ptr(),
                    start: std::ptr::null(),
                    start_step: 0,
                    // SAFETY: the first value of this tile; the caller's promise covers it.
                    out: unsafe { out.add(row * step + first) },
                    out_step: step,
                };
                match left {
                    Left::Plain(a) => {
                        tile.a_step = a.col_step;
                        for r in 0..WIDE_ROWS {
                            // Beyond the last row the last one is taken again, and its sums are dropped.
                            let at = (row + r.min(lines - 1)) * a.row_step;
                            tile.a[r] = a.values.as_ptr().wrapping_add(at);
                        }
                    }
                    Left::Packed(values, ..) => {
                        tile.a_step = m;
                        for r in 0..WIDE_ROWS {
                            let at = row * depth + r.min(m - 1);
                            tile.a[r] = values.as_ptr().wrapping_add(at);
                        }
                    }
                }
                let whole = m == lines && width == count * V::LANES;
                match start {
                    Start::Zero => {}
                    Start::Row(values) => tile.start = values[first..].as_ptr(),
                    Start::Output if whole => {
                        tile.start = tile.out;
                        tile.start_step = step;
                    }
                    Start::Output => {
                        for (r, part) in part.iter_mut().enumerate().take(lines) {
                            // SAFETY: `width` values of a row of the result, initialised by the caller's promise.
                            unsafe {
                                part.as_mut_ptr()
                                    .copy_from_nonoverlapping(tile.out.add(r * step), width);
                            }
                        }
                        tile.start = part.as_ptr().cast();
                        tile.start_step = VECTORS * LANES;
                    }
                }
                let to = tile.out;
                if !whole {
                    tile.out = part.as_mut_ptr().cast();
                    tile.out_step = VECTORS * LANES;
                }
                // SAFETY: the instruction set is the caller's promise. `a`: the rows exist (`Plain`: a matrix covers
                // its values; `Packed`: asserted above). `b`: the strip has `depth` rows of `count` vectors. The start
                // and the output are whole tiles of the result, or `part`, which is as large as the largest tile, or
                // a row of whole vectors.
                unsafe {
                    match (m, count) {
                        (8.., 1) if V::WIDE => tile.sum::<V, 8, 1>(),
                        (8.., 2) if V::WIDE => tile.sum::<V, 8, 2>(),
                        (8.., _) if V::WIDE => tile.sum::<V, 8, 3>(),
                        (4.., 1) => tile.sum::<V, 4, 1>(),
                        (4.., 2) => tile.sum::<V, 4, 2>(),
                        (4.., _) => tile.sum::<V, 4, 3>(),
                        (2, 1) => tile.sum::<V, 2, 1>(),
                        (2, 2) => tile.sum::<V, 2, 2>(),
                        (2, _) => tile.sum::<V, 2, 3>(),
                        (_, 1) => tile.sum::<V, 1, 1>(),
                        (_, 2) => tile.sum::<V, 1, 2>(),
                        (_, _) => tile.sum::<V, 1, 3>(),
                    }
                }
                if !whole {
                    for (r, part) in part.iter().enumerate().take(lines) {
                        // SAFETY: `width` values of a row of the result, the caller's promise.
                        unsafe {
                            to.add(r * step)
                                .copy_from_nonoverlapping(part.as_ptr(), width);
                        }
                    }
                }
            }
        }
    }
}

/// A tile of the result: its rows of the left matrix and the strip of the right one.
struct Tile {
    /// The first value of each row of the left matrix, whose terms are `a_step` apart.
    a: [*const f32; WIDE_ROWS],
    a_step: usize,
    depth: usize,
    b: *const f32,
    /// Null for zeros.
    start: *const f32,
    start_step: usize,
    out: *mut f32,
    out_step: usize,
}

impl Tile {
    /// `out = start + a * b` for M rows and N vectors.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`. There are M rows of `depth` terms of `a`, `depth` rows of N
    /// vectors of `b`, and M rows of N vectors of `start`, unless it is null, and of `out`.
    #[inline(always)]
    unsafe fn sum<V: Vector, const M: usize, const N: usize>(&self) {
        // SAFETY: the caller's promises.
        unsafe {
            let mut total = [[V::splat(0.0); N]; M];
            if !self.start.is_null() {
                for m in 0..M {
                    for n in 0..N {
                        let at = m * self.start_step + n * V::LANES;
                        total[m][n] = V::load(self.start.add(at));
                    }
                }
            }
            let mut lines = [self.a[0]; M];
            lines.copy_from_slice(&self.a[..M]);
            accumulate(&lines, self.a_step, self.depth, self.b, &mut total);
            for m in 0..M {
                for n in 0..N {
                    total[m][n].store(self.out.add(m * self.out_step + n * V::LANES));
                }
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
pub(crate) unsafe fn accumulate<V: Vector, const M: usize, const N: usize>(
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
