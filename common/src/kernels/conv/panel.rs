//! The innermost product of the blocked convolutions: all sums of a tile in registers.

use crate::kernels::simd::{Kernel, Vector};

/// An operand whose numbers are read one by one: number (row m, term t) is at `m * row + t * term`.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub start: *const f32,
    pub row: usize,
    pub term: usize,
}

/// An operand, or the result, whose rows are read as vectors, `step` apart.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<P> {
    pub start: P,
    pub step: usize,
}

/// Vectors of the widest panel: sixteen filters each, as many as fill the registers together with six rows.
pub(crate) fn widest<V: Vector>() -> usize {
    if V::WIDE { 4 } else { 2 }
}

/// Filters of the widest panel.
pub(crate) struct StripWidth;

impl Kernel for StripWidth {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<V: Vector>(self) -> usize {
        widest::<V>() * V::LANES
    }
}

/// Where runs of terms start in both operands, in values.
pub(crate) type Runs<'a> = &'a [(usize, usize)];

/// `to[m] = sum over the terms t of all runs of a[m, t] * b[t]` for all rows, in addition to what is there if `add`.
/// Rows of `b` and `to` are `vectors <= widest()` vectors.
///
/// # Safety
/// The processor has the instruction set of `V`; the operands cover `rows`, `vectors` and `terms` of each run.
#[inline(always)]
pub(crate) unsafe fn panel<V: Vector>(
    a: Numbers,
    b: Vectors<*const f32>,
    to: Vectors<*mut f32>,
    runs: Runs,
    [rows, terms, vectors]: [usize; 3],
    add: bool,
) {
    // SAFETY: the caller's promise. Twenty-four sums where there are 32 registers, twelve where there are 16.
    unsafe {
        match (V::WIDE, vectors) {
            (true, 1) => stack::<V, 12, 1>(a, b, to, runs, [rows, terms], add),
            (true, 2) => stack::<V, 12, 2>(a, b, to, runs, [rows, terms], add),
            (true, 3) => stack::<V, 8, 3>(a, b, to, runs, [rows, terms], add),
            (true, _) => stack::<V, 6, 4>(a, b, to, runs, [rows, terms], add),
            (false, 1) => stack::<V, 6, 1>(a, b, to, runs, [rows, terms], add),
            (false, _) => stack::<V, 6, 2>(a, b, to, runs, [rows, terms], add),
        }
    }
}

/// All rows, `M` at a time, the rest in powers of two.
///
/// # Safety
/// As [`panel`].
#[inline(always)]
unsafe fn stack<V: Vector, const M: usize, const N: usize>(
    a: Numbers,
    b: Vectors<*const f32>,
    to: Vectors<*mut f32>,
    runs: Runs,
    [rows, terms]: [usize; 2],
    add: bool,
) {
    let mut row = 0;
    while row < rows {
        let left = rows - row;
        // SAFETY: `row` plus the rows of the tile are at most `rows`.
        unsafe {
            let a = Numbers {
                start: a.start.add(row * a.row),
                ..a
            };
            let to = Vectors {
                start: to.start.add(row * to.step),
                ..to
            };
            row += if left >= M {
                tile::<V, M, N>(a, b, to, runs, terms, add)
            } else if left >= 4 {
                tile::<V, 4, N>(a, b, to, runs, terms, add)
            } else if left >= 2 {
                tile::<V, 2, N>(a, b, to, runs, terms, add)
            } else {
                tile::<V, 1, N>(a, b, to, runs, terms, add)
            };
        }
    }
}

/// `M` rows of `N` vectors; the number of rows is returned.
///
/// # Safety
/// As [`panel`].
#[inline(always)]
unsafe fn tile<V: Vector, const M: usize, const N: usize>(
    a: Numbers,
    b: Vectors<*const f32>,
    to: Vectors<*mut f32>,
    runs: Runs,
    terms: usize,
    add: bool,
) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        if add {
            for m in 0..M {
                for n in 0..N {
                    sums[m][n] = V::load(to.start.add(m * to.step + n * V::LANES));
                }
            }
        }
        for (from, line) in runs {
            let mut lines = [a.start; M];
            for m in 0..M {
                lines[m] = a.start.add(from + m * a.row);
            }
            let mut line = b.start.add(*line);
            for t in 0..terms {
                let mut x = [V::splat(0.0); N];
                for n in 0..N {
                    x[n] = V::load(line.add(n * V::LANES));
                }
                for m in 0..M {
                    let w = V::splat(*lines[m].add(t * a.term));
                    for n in 0..N {
                        sums[m][n] = w.mul_add(x[n], sums[m][n]);
                    }
                }
                line = line.wrapping_add(b.step);
            }
        }
        for m in 0..M {
            for n in 0..N {
                sums[m][n].store(to.start.add(m * to.step + n * V::LANES));
            }
        }
        M
    }
}
