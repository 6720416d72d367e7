//! Products of many small matrices, in pairs.

use super::{Buffer, GRAIN, Matrix, block_product, matmul};
use crate::kernels::parallel::{Shared, ranges, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Largest vector.
const LANES: usize = 16;

/// Equally large matrices in the same memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrices<'a> {
    pub values: &'a [f32],
    /// The first value of each.
    pub starts: &'a [usize],
    pub rows: usize,
    pub cols: usize,
    pub row_step: usize,
    pub col_step: usize,
}

impl<'a> Matrices<'a> {
    fn get(&self, index: usize) -> Matrix<'a> {
        let values = self.values.get(self.starts[index]..).unwrap_or_default();
        let steps = [self.row_step, self.col_step];
        Matrix::strided(values, [self.rows, self.cols], steps)
    }

    /// Rows become columns.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_step: self.col_step,
            col_step: self.row_step,
            ..self
        }
    }
}

/// `a[i] * b[i]` for each i, one after the other.
pub(crate) fn matmul_each(a: Matrices, b: Matrices) -> Vec<f32> {
    assert_eq!(
        a.starts.len(),
        b.starts.len(),
        "as many left as right matrices"
    );
    assert_eq!(a.cols, b.rows, "inner sizes");
    let count = a.starts.len();
    if count == 1 {
        return matmul(a.get(0), b.get(0), &[]);
    }
    let (rows, cols) = (a.rows, b.cols);
    let size = rows * cols;
    let work = |out: Shared| {
        ranges(count, GRAIN / 4 / (size * a.cols).max(1), |range| {
            let mut buffer = Buffer::default();
            for index in range {
                let (a, b) = (a.get(index), b.get(index));
                if rows == 1 && vector_product(a, b, out, index * cols) {
                    continue;
                }
                // A column is a row of the transposed product.
                if cols == 1 && vector_product(b.transposed(), a.transposed(), out, index * rows) {
                    continue;
                }
                block_product(
                    a,
                    b,
                    [0..rows, 0..cols, 0..a.cols],
                    &[],
                    &mut buffer,
                    out,
                    index * size,
                );
            }
        });
    };
    // SAFETY: each product is written by one of the ranges.
    unsafe { written(count * size, work).0 }
}

/// `x * b` for a row x, written to `out` from `at` on; false if b has neither rows nor columns in order.
fn vector_product(x: Matrix, b: Matrix, out: Shared, at: usize) -> bool {
    if b.rows > 0 && b.row_step != 1 && b.col_step != 1 {
        return false;
    }
    // SAFETY: the result of this product is written by nobody else.
    let out = unsafe { std::slice::from_raw_parts_mut(out.part(at, b.cols), b.cols) };
    dispatch(RowTimes { x, b, out });
    true
}

/// A row times a matrix of which the rows or the columns are in order.
struct RowTimes<'a> {
    x: Matrix<'a>,
    b: Matrix<'a>,
    out: &'a mut [f32],
}

impl Kernel for RowTimes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { x, b, out } = self;
        assert!(x.cols == b.rows && out.len() == b.cols);
        let terms = b.rows;
        let x = |t: usize| x.values[t * x.col_step];
        if terms == 0 {
            out.fill(0.0);
        } else if b.col_step == 1 {
            let whole = out.len() - out.len() % V::LANES;
            for c in (0..whole).step_by(V::LANES) {
                // SAFETY: the instruction set is the caller's promise; each row of b has a whole vector from c on.
                unsafe {
                    let mut sum = V::splat(0.0);
                    for t in 0..terms {
                        let row = b.values[t * b.row_step + c..][..V::LANES].as_ptr();
                        sum = V::splat(x(t)).mul_add(V::load(row), sum);
                    }
                    sum.store(out[c..][..V::LANES].as_mut_ptr());
                }
            }
            for (c, out) in out.iter_mut().enumerate().skip(whole) {
                *out = (0..terms)
                    .map(|t| x(t) * b.values[t * b.row_step + c])
                    .sum();
            }
        } else {
            for (c, out) in out.iter_mut().enumerate() {
                let column = &b.values[c * b.col_step..][..terms];
                let whole = terms - terms % V::LANES;
                let mut lanes = [0.0f32; LANES];
                // SAFETY: the instruction set is the caller's promise; `lanes` has room for the largest vector.
                unsafe {
                    let mut sum = V::splat(0.0);
                    for t in (0..whole).step_by(V::LANES) {
                        let mut terms = [0.0f32; LANES];
                        for (i, term) in terms.iter_mut().enumerate().take(V::LANES) {
                            *term = x(t + i);
                        }
                        sum = V::load(terms.as_ptr())
                            .mul_add(V::load(column[t..][..V::LANES].as_ptr()), sum);
                    }
                    sum.store(lanes.as_mut_ptr());
                }
                let rest: f32 = (whole..terms).map(|t| x(t) * column[t]).sum();
                *out = lanes.iter().sum::<f32>() + rest;
            }
        }
    }
}
