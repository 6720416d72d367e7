//! A right matrix that is packed once and multiplied from the left many times, as recurrent weights are at each step.
//!
//! The product runs on the calling thread and allocates nothing.

use super::matmul::{
    LANES, Matrix, NARROW_ROWS, Registers, VECTORS, WIDE_ROWS, accumulate, pack_right, strips,
};
use super::simd::{Kernel, Vector, dispatch};

/// The strips of [`pack_right`].
#[derive(Debug)]
pub(crate) struct Packed {
    strips: Vec<f32>,
    terms: usize,
    cols: usize,
}

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    Zero,
    /// The values that are in the output.
    Output,
    /// The same row for all rows.
    Row(&'a [f32]),
}

/// Some rows of a matrix in memory: the first value, and the steps between rows.
///
/// Raw, because the rows of the left matrix and of the output may be blocks of one buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines<P> {
    pub start: P,
    pub step: usize,
}

impl Packed {
    /// Packs `b`.
    pub fn new(b: Matrix) -> Self {
        let (terms, cols) = (b.rows(), b.cols());
        let mut strips = vec![0.0; terms * Registers::new().padded(cols)];
        pack_right(b, &mut strips);
        Self {
            strips,
            terms,
            cols,
        }
    }

    /// `out = start + a * b` for `rows` rows of `a`, of as many values as `b` has rows, and of `out`, of as many
    /// values as `b` has columns.
    ///
    /// # Safety
    /// The rows of `a` can be read and those of `out` written, they do not overlap, and no other thread uses those
    /// of `out`. With [`Start::Output`] those of `out` have been written before.
    ///
    /// # Panics
    /// If a row to start from is not as long as the rows of the output.
    pub unsafe fn product(
        &self,
        rows: usize,
        a: Lines<*const f32>,
        start: Start,
        out: Lines<*mut f32>,
    ) {
        if let Start::Row(row) = start {
            assert_eq!(row.len(), self.cols, "length of the row to start from");
        }
        dispatch(Product {
            b: self,
            rows,
            a,
            start,
            out,
        });
    }
}

struct Product<'a> {
    b: &'a Packed,
    rows: usize,
    a: Lines<*const f32>,
    start: Start<'a>,
    out: Lines<*mut f32>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let height = if V::WIDE { WIDE_ROWS } else { NARROW_ROWS };
        let Packed { terms, cols, .. } = *self.b;
        for (first, vectors) in strips(cols.div_ceil(V::LANES)) {
            let strip = &self.b.strips[first * V::LANES * terms..][..vectors * V::LANES * terms];
            let first = first * V::LANES;
            let width = (cols - first).min(vectors * V::LANES);
            for row in (0..self.rows).step_by(height) {
                let count = (self.rows - row).min(height);
                let place = [row, first, width];
                macro_rules! tile {
                    ($($m:literal)*) => {
                        match (count, vectors) {
                            $(
                                ($m, 1) => self.tile::<V, $m, 1>(place, strip),
                                ($m, 2) => self.tile::<V, $m, 2>(place, strip),
                                ($m, _) => self.tile::<V, $m, VECTORS>(place, strip),
                            )*
                            _ => unreachable!("a tile has at most {WIDE_ROWS} rows"),
                        }
                    };
                }
                // SAFETY: the instruction set is the caller's promise, the rows are those of `Packed::product`.
                unsafe { tile!(1 2 3 4 5 6 7 8) };
            }
        }
    }
}

impl Product<'_> {
    /// M rows and N vectors of columns, of which `width` exist.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`, `place` is inside of the output, `strip` holds its columns.
    #[inline(always)]
    unsafe fn tile<V: Vector, const M: usize, const N: usize>(
        &self,
        [row, first, width]: [usize; 3],
        strip: &[f32],
    ) {
        let whole = width / V::LANES;
        let rest = width % V::LANES;
        let mut edge = [0.0f32; LANES];
        let mut lines = [self.a.start; M];
        // SAFETY: rows and columns exist by the caller's promise; the edge is an array of the size of a vector.
        unsafe {
            let mut total = [[V::splat(0.0); N]; M];
            for m in 0..M {
                lines[m] = self.a.start.add((row + m) * self.a.step);
                let from = match self.start {
                    Start::Zero => continue,
                    Start::Output => self
                        .out
                        .start
                        .add((row + m) * self.out.step + first)
                        .cast_const(),
                    Start::Row(values) => values.as_ptr().add(first),
                };
                for n in 0..N {
                    total[m][n] = if n < whole {
                        V::load(from.add(n * V::LANES))
                    } else {
                        edge.as_mut_ptr()
                            .copy_from_nonoverlapping(from.add(n * V::LANES), rest);
                        V::load(edge.as_ptr())
                    };
                }
            }
            accumulate(&lines, 1, self.b.terms, strip.as_ptr(), &mut total);
            for m in 0..M {
                let to = self.out.start.add((row + m) * self.out.step + first);
                for n in 0..N {
                    if n < whole {
                        total[m][n].store(to.add(n * V::LANES));
                    } else {
                        total[m][n].store(edge.as_mut_ptr());
                        to.add(n * V::LANES)
                            .copy_from_nonoverlapping(edge.as_ptr(), rest);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::matmul::matmul;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|i| (((i + seed) * 7919) % 1009) as f32 / 504.0 - 1.0)
            .collect()
    }

    #[test]
    fn products_are_those_of_matmul() {
        for (rows, terms, cols) in [
            (1, 1, 1),
            (0, 3, 4),
            (5, 0, 7),
            (8, 16, 48),
            (13, 33, 50),
            (23, 70, 97),
            (64, 300, 384),
        ] {
            let (a, b, bias) = (
                numbers(rows * terms, 1),
                numbers(terms * cols, 2),
                numbers(cols, 3),
            );
            let matrix = Matrix::new(&b, terms, cols);
            let packed = Packed::new(matrix);
            let want = matmul(Matrix::new(&a, rows, terms), matrix, &bias);
            let (step, plain) = (cols + 3, matmul(Matrix::new(&a, rows, terms), matrix, &[]));
            let mut out = numbers(rows * step, 4);
            let before = out.clone();
            for (start, want) in [
                (Start::Row(&bias), &want),
                (Start::Zero, &plain),
                (Start::Output, &plain),
            ] {
                out.copy_from_slice(&before);
                let a = Lines {
                    start: a.as_ptr(),
                    step: terms,
                };
                let to = Lines {
                    start: out.as_mut_ptr(),
                    step,
                };
                // SAFETY: `a` has `rows` rows of `terms` values, `out` as many of `step`.
                unsafe { packed.product(rows, a, start, to) };
                for r in 0..rows {
                    let (got, old) = (&out[r * step..][..step], &before[r * step..][..step]);
                    for c in 0..cols {
                        let first = if let Start::Output = start {
                            old[c]
                        } else {
                            0.0
                        };
                        let want = want[r * cols + c] + first;
                        assert!(
                            (got[c] - want).abs() < 1e-4,
                            "{rows} x {terms} x {cols}: {} not {want}",
                            got[c]
                        );
                    }
                    assert_eq!(got[cols..], old[cols..], "values after the row");
                }
            }
        }
    }
}
