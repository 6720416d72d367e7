//! 2-D max pooling. What the forward pass keeps is one byte per window: which of its cells is the largest.

use super::conv::Axis;
use super::parallel::{Shared, ranges, written};
use super::simd::{Kernel, Vector, dispatch};

/// A max pool over planes `[planes, height, width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MaxPool {
    rows: Axis,
    cols: Axis,
}

/// Values per piece of work.
const GRAIN: usize = 16 * 1024;

impl MaxPool {
    /// A pool over planes of this size; nothing if the window does not fit, is larger than 256 cells, or can lie
    /// outside of the image.
    pub fn new(
        size: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [(usize, usize); 2],
        dilation: [usize; 2],
    ) -> Option<Self> {
        let axis = |i: usize| Axis::new(size[i], kernel[i], stride[i], dilation[i], padding[i]);
        let (rows, cols) = (axis(0)?, axis(1)?);
        let seen = |a: &Axis| (0..a.output).all(|o| (0..a.kernel).any(|t| cell(a, o, t).is_some()));
        (kernel[0] * kernel[1] <= 256 && seen(&rows) && seen(&cols)).then_some(Self { rows, cols })
    }

    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        [self.rows.output, self.cols.output]
    }

    /// Height and width of the input.
    pub fn input(&self) -> [usize; 2] {
        [self.rows.input, self.cols.input]
    }

    /// Two by two cells, side by side: the usual pool.
    fn is_halving(&self) -> bool {
        let halves = |a: &Axis| (a.kernel, a.stride, a.dilation, a.begin) == (2, 2, 1, 0);
        halves(&self.rows) && halves(&self.cols)
    }

    /// The largest value of each window, and which cell it is: the first one of equals, the last NaN.
    pub fn forward(&self, x: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let (size, window) = (
            self.rows.input * self.cols.input,
            self.rows.output * self.cols.output,
        );
        let planes = x.len() / size;
        let each = |out: Shared, cells: Shared<u8>| {
            ranges(planes, GRAIN.div_ceil(size), |range| {
                let count = range.len() * window;
                // SAFETY: the ranges of planes are disjoint.
                let (out, cells) = unsafe {
                    (
                        out.part(range.start * window, count),
                        cells.part(range.start * window, count),
                    )
                };
                let x = &x[range.start * size..range.end * size];
                dispatch(Forward {
                    pool: self,
                    x,
                    out,
                    cells,
                });
            });
        };
        // SAFETY: each plane writes all of its windows.
        unsafe {
            let (out, (cells, ())) = written(planes * window, |out| {
                written(planes * window, |cells| each(out, cells))
            });
            (out, cells)
        }
    }

    /// The gradient of the input: that of each window goes to its largest cell.
    pub fn backward(&self, grad: &[f32], cells: &[u8]) -> Vec<f32> {
        assert_eq!(grad.len(), cells.len());
        let (size, window) = (
            self.rows.input * self.cols.input,
            self.rows.output * self.cols.output,
        );
        let planes = grad.len() / window;
        let each = |out: Shared| {
            ranges(planes, GRAIN.div_ceil(size), |range| {
                let count = range.len() * size;
                // SAFETY: the ranges of planes are disjoint.
                let out = unsafe { out.part(range.start * size, count) };
                let windows = range.start * window..range.end * window;
                dispatch(Backward {
                    pool: self,
                    grad: &grad[windows.clone()],
                    cells: &cells[windows],
                    out,
                });
            });
        };
        // SAFETY: each plane is written in full.
        unsafe { written(planes * size, each).0 }
    }
}

/// Where tap `t` of window `o` lies, if inside the input.
#[inline(always)]
fn cell(axis: &Axis, o: usize, t: usize) -> Option<usize> {
    (o * axis.stride + t * axis.dilation)
        .checked_sub(axis.begin)
        .filter(|i| *i < axis.input)
}

/// Some planes; `out` and `cells` are valid for one value per window.
struct Forward<'a> {
    pool: &'a MaxPool,
    x: &'a [f32],
    out: *mut f32,
    cells: *mut u8,
}

impl Kernel for Forward<'_> {
    type Output = ();

    // Plain loops: `V` only selects the instruction set that they are compiled for.
    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            pool,
            x,
            out,
            cells,
        } = self;
        let MaxPool { rows, cols } = pool;
        let mut at = 0;
        for plane in x.chunks_exact(rows.input * cols.input) {
            if pool.is_halving() {
                for lines in plane.chunks_exact(2 * cols.input).take(rows.output) {
                    let (upper, lower) = lines.split_at(cols.input);
                    let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                    for (i, (upper, lower)) in pairs.enumerate() {
                        let mut best = (upper[0], 0);
                        for (value, cell) in [(upper[1], 1), (lower[0], 2), (lower[1], 3)] {
                            let better = (value > best.0) | value.is_nan();
                            best = if better { (value, cell) } else { best };
                        }
                        // SAFETY: window `at + i` of the planes.
                        unsafe {
                            out.add(at + i).write(best.0);
                            cells.add(at + i).write(best.1);
                        }
                    }
                    at += cols.output;
                }
                continue;
            }
            for y in 0..rows.output {
                for x in 0..cols.output {
                    let mut best: Option<(f32, usize)> = None;
                    for r in 0..rows.kernel {
                        let Some(row) = cell(rows, y, r) else {
                            continue;
                        };
                        for c in 0..cols.kernel {
                            let Some(col) = cell(cols, x, c) else {
                                continue;
                            };
                            let value = plane[row * cols.input + col];
                            if best.is_none_or(|(b, _)| value > b || value.is_nan()) {
                                best = Some((value, r * cols.kernel + c));
                            }
                        }
                    }
                    let (value, cell) = best.unwrap_or((f32::NEG_INFINITY, 0));
                    // SAFETY: `at` counts the windows of the planes.
                    unsafe {
                        out.add(at).write(value);
                        cells.add(at).write(cell as u8);
                    }
                    at += 1;
                }
            }
        }
    }
}

/// Some planes; `out` is valid for one value per input.
struct Backward<'a> {
    pool: &'a MaxPool,
    grad: &'a [f32],
    cells: &'a [u8],
    out: *mut f32,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            pool,
            grad,
            cells,
            out,
        } = self;
        let MaxPool { rows, cols } = pool;
        let (size, window) = (rows.input * cols.input, rows.output * cols.output);
        for (p, (grad, cells)) in grad
            .chunks_exact(window)
            .zip(cells.chunks_exact(window))
            .enumerate()
        {
            // SAFETY: plane p of `out`; zero is a valid value, so it may be borrowed as a slice afterwards.
            let plane = unsafe {
                let plane = out.add(p * size);
                plane.write_bytes(0, size);
                std::slice::from_raw_parts_mut(plane, size)
            };
            if pool.is_halving() {
                let windows = grad
                    .chunks_exact(cols.output)
                    .zip(cells.chunks_exact(cols.output));
                for (lines, (grad, cells)) in plane.chunks_exact_mut(2 * cols.input).zip(windows) {
                    let (upper, lower) = lines.split_at_mut(cols.input);
                    let pairs = upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2));
                    for ((upper, lower), (g, cell)) in pairs.zip(grad.iter().zip(cells)) {
                        upper[0] = if *cell == 0 { *g } else { 0.0 };
                        upper[1] = if *cell == 1 { *g } else { 0.0 };
                        lower[0] = if *cell == 2 { *g } else { 0.0 };
                        lower[1] = if *cell == 3 { *g } else { 0.0 };
                    }
                }
                continue;
            }
            for (i, (g, tap)) in grad.iter().zip(cells).enumerate() {
                let tap = usize::from(*tap);
                let row = cell(rows, i / cols.output, tap / cols.kernel);
                let col = cell(cols, i % cols.output, tap % cols.kernel);
                if let (Some(row), Some(col)) = (row, col) {
                    plane[row * cols.input + col] += g;
                }
            }
        }
    }
}
