//! Products of many small matrices, in pairs.

use super::{Buffer, GRAIN, Matrix, block_product, matmul, room};
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
    let (rows, cols, terms) = (a.rows, b.cols, a.cols);
    if count == 1 && rows > 1 && cols > 1 && terms > 1 {
        return matmul(a.get(0), b.get(0), &[]);
    }
    let size = rows * cols;
    let work = |out: Shared| {
        ranges(count, GRAIN / 4 / (size * terms).max(1), |range| {
            let mut buffer = Buffer::default();
            for index in range {
                let (a, b) = (a.get(index), b.get(index));
                // A column is a row of the transposed product.
                let (x, y) = if rows == 1 {
                    (a, b)
                } else {
                    (b.transposed(), a.transposed())
                };
                if terms == 1 || x.rows == 1 && (y.row_step == 1 || y.col_step == 1) {
                    // SAFETY: each product is written by one thread.
                    let out = unsafe {
                        std::slice::from_raw_parts_mut(out.part(index * size, size), size)
                    };
                    if terms == 1 {
                        let row = in_order(b, &mut buffer.right);
                        dispatch(Outer { a, row, out });
                    } else {
                        let x = in_order(x, &mut buffer.left);
                        dispatch(RowTimes { x, b: y, out });
                    }
                    continue;
                }
                let piece = [0..rows, 0..cols, 0..terms];
                block_product(a, b, piece, &[], None, &mut buffer, out, index * size);
            }
        });
    };
    // SAFETY: each product is written by one of the ranges.
    unsafe { written(count * size, work).0 }
}

/// The values of a matrix of one row, side by side.
fn in_order<'a>(x: Matrix<'a>, buffer: &'a mut Vec<f32>) -> &'a [f32] {
    if x.cols == 0 {
        return &[];
    }
    if x.col_step == 1 {
        return &x.values[..x.cols];
    }
    let row = room(buffer, x.cols);
    for (i, to) in row.iter_mut().enumerate() {
        *to = x.values[i * x.col_step];
    }
    row
}

/// A column times a row.
struct Outer<'a> {
    a: Matrix<'a>,
    row: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Outer<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { a, row, out } = self;
        for (r, out) in out.chunks_exact_mut(row.len().max(1)).enumerate() {
            let factor = a.values[r * a.row_step];
            for (out, x) in out.iter_mut().zip(row) {
                *out = factor * x;
            }
        }
    }
}

/// A row times a matrix of which the rows or the columns are in order.
struct RowTimes<'a> {
    x: &'a [f32],
    b: Matrix<'a>,
    out: &'a mut [f32],
}

impl Kernel for RowTimes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { x, b, out } = self;
        assert!(x.len() == b.rows && out.len() == b.cols);
        let terms = b.rows;
        if terms == 0 {
            out.fill(0.0);
        } else if b.col_step == 1 {
            let whole = out.len() - out.len() % V::LANES;
            for c in (0..whole).step_by(V::LANES) {
                // SAFETY: the instruction set is the caller's promise; each row of b has a whole vector from c on.
                unsafe {
                    let mut sum = V::splat(0.0);
                    for (t, x) in x.iter().enumerate() {
                        let row = b.values[t * b.row_step + c..][..V::LANES].as_ptr();
                        sum = V::splat(*x).mul_add(V::load(row), sum);
                    }
                    sum.store(out[c..][..V::LANES].as_mut_ptr());
                }
            }
            for (c, out) in out.iter_mut().enumerate().skip(whole) {
                let terms = x
                    .iter()
                    .enumerate()
                    .map(|(t, x)| x * b.values[t * b.row_step + c]);
                *out = terms.sum();
            }
        } else {
            let whole = terms - terms % V::LANES;
            for (c, out) in out.iter_mut().enumerate() {
                let column = &b.values[c * b.col_step..][..terms];
                let mut lanes = [0.0f32; LANES];
                // SAFETY: the instruction set is the caller's promise; both slices have whole vectors below `whole`, and
                // `lanes` has room for the largest vector.
                unsafe {
                    let mut sum = V::splat(0.0);
                    for t in (0..whole).step_by(V::LANES) {
                        sum = V::load(x.as_ptr().add(t))
                            .mul_add(V::load(column.as_ptr().add(t)), sum);
                    }
                    sum.store(lanes.as_mut_ptr());
                }
                for half in [8, 4, 2, 1] {
                    for i in 0..half {
                        lanes[i] += lanes[i + half];
                    }
                }
                let rest = x[whole..].iter().zip(&column[whole..]);
                *out = lanes[0] + rest.map(|(x, b)| x * b).sum::<f32>();
            }
        }
    }
}
