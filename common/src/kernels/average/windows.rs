//! Means over rectangular windows of planes: average pooling, sliding or adaptive.

use std::ops::Range;

use crate::kernels::conv::Axis;
use crate::kernels::parallel::{Shared, ranges, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};
use crate::kernels::sums::sum;

/// Values per piece of work.
const GRAIN: usize = 16 * 1024;

/// The windows along one axis.
#[derive(Clone, Debug, PartialEq)]
struct Windows {
    /// Length of the input.
    input: usize,
    /// The positions of each window, and what their number counts for in the mean.
    windows: Vec<(Range<usize>, usize)>,
    /// Window i is 2 i and 2 i + 1.
    halves: bool,
}

impl Windows {
    fn new(input: usize, windows: Vec<(Range<usize>, usize)>) -> Self {
        let pair = |i: usize| 2 * i..2 * i + 2;
        let halves = windows.iter().enumerate().all(|(i, (w, _))| *w == pair(i));
        Self {
            input,
            windows,
            halves,
        }
    }

    /// Windows at regular distances; nothing if one of them lies outside of the input.
    fn sliding(axis: &Axis, count_padding: bool) -> Option<Self> {
        let window = |o: usize| {
            let start = o * axis.stride;
            let inside = start.saturating_sub(axis.begin)
                ..(start + axis.kernel)
                    .saturating_sub(axis.begin)
                    .min(axis.input);
            let count = if count_padding {
                axis.kernel
            } else {
                inside.len()
            };
            (!inside.is_empty()).then_some((inside, count))
        };
        let windows = (0..axis.output).map(window).collect::<Option<_>>()?;
        Some(Self::new(axis.input, windows))
    }

    /// `output` windows that cover the input evenly; nothing if there is no input or no output.
    fn adaptive(input: usize, output: usize) -> Option<Self> {
        if input == 0 || output == 0 {
            return None;
        }
        let window = |o: usize| {
            let inside = o * input / output..((o + 1) * input).div_ceil(output);
            let count = inside.len();
            (inside, count)
        };
        Some(Self::new(input, (0..output).map(window).collect()))
    }
}

/// An average pool over planes `[planes, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AveragePool {
    rows: Windows,
    cols: Windows,
}

impl AveragePool {
    /// A pool with windows at regular distances; nothing if the window does not fit or can lie outside of the image.
    pub fn sliding(
        size: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [(usize, usize); 2],
        count_padding: bool,
    ) -> Option<Self> {
        let windows = |i: usize| {
            let axis = Axis::new(size[i], kernel[i], stride[i], 1, padding[i])?;
            Windows::sliding(&axis, count_padding)
        };
        Some(Self {
            rows: windows(0)?,
            cols: windows(1)?,
        })
    }

    /// A pool to a given size; nothing if there is no input or no output.
    pub fn adaptive(input: [usize; 2], output: [usize; 2]) -> Option<Self> {
        Some(Self {
            rows: Windows::adaptive(input[0], output[0])?,
            cols: Windows::adaptive(input[1], output[1])?,
        })
    }

    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        [self.rows.windows.len(), self.cols.windows.len()]
    }

    /// Height and width of the input.
    pub fn input(&self) -> [usize; 2] {
        [self.rows.input, self.cols.input]
    }

    /// The mean of each window.
    pub fn forward(&self, x: &[f32]) -> Vec<f32> {
        self.planes(x, self.input(), self.output(), |from, to| {
            dispatch(Forward {
                pool: self,
                from,
                to,
            });
        })
    }

    /// The gradient of the input from that of the output: each window's, shared out equally.
    pub fn backward(&self, grad: &[f32]) -> Vec<f32> {
        self.planes(grad, self.output(), self.input(), |from, to| {
            dispatch(Backward {
                pool: self,
                from,
                to,
            });
        })
    }

    /// Does `work` for some planes of the source and the same of the result, which begin as zeros.
    fn planes(
        &self,
        source: &[f32],
        from: [usize; 2],
        to: [usize; 2],
        work: impl Fn(&[f32], &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let (from, to) = (from[0] * from[1], to[0] * to[1]);
        let planes = source.len() / from;
        let each = |out: Shared| {
            ranges(planes, GRAIN.div_ceil(from.max(to)), |range| {
                let count = range.len() * to;
                // SAFETY: the planes are disjoint; zero is a valid value, so they may be borrowed afterwards.
                let out = unsafe {
                    let out = out.part(range.start * to, count);
                    out.write_bytes(0, count);
                    std::slice::from_raw_parts_mut(out, count)
                };
                work(&source[range.start * from..range.end * from], out);
            });
        };
        // SAFETY: the ranges are all planes, and every plane is written with zeros.
        unsafe { written(planes * to, each).0 }
    }
}

/// The means of some planes.
struct Forward<'a> {
    pool: &'a AveragePool,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    // Plain loops: `V` only selects the instruction set that they are compiled for.
    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { pool, from, to } = self;
        let AveragePool { rows, cols } = pool;
        let width = cols.input;
        let mut line = vec![0.0f32; width];
        let planes = from.chunks_exact(rows.input * width);
        let results = to.chunks_exact_mut(rows.windows.len() * cols.windows.len());
        for (plane, result) in planes.zip(results) {
            let lines = result.chunks_exact_mut(cols.windows.len());
            for (out, (inside, height)) in lines.zip(&rows.windows) {
                let mut all = plane[inside.start * width..inside.end * width].chunks_exact(width);
                line.copy_from_slice(all.next().unwrap_or(&[]));
                for row in all {
                    line.iter_mut().zip(row).for_each(|(s, v)| *s += v);
                }
                if cols.halves {
                    let scale = 1.0 / (height * cols.windows[0].1) as f32;
                    for (out, pair) in out.iter_mut().zip(line.chunks_exact(2)) {
                        *out = (pair[0] + pair[1]) * scale;
                    }
                    continue;
                }
                for (out, (inside, width)) in out.iter_mut().zip(&cols.windows) {
                    let values = &line[inside.clone()];
                    let total = if values.len() < 16 {
                        values.iter().sum::<f32>()
                    } else {
                        sum(values) as f32
                    };
                    *out = total / (height * width) as f32;
                }
            }
        }
    }
}

/// The gradients of some planes, which begin as zeros.
struct Backward<'a> {
    pool: &'a AveragePool,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self { pool, from, to } = self;
        let AveragePool { rows, cols } = pool;
        let width = cols.input;
        let mut line = vec![0.0f32; width];
        let planes = from.chunks_exact(rows.windows.len() * cols.windows.len());
        let results = to.chunks_exact_mut(rows.input * width);
        for (plane, result) in planes.zip(results) {
            let lines = plane.chunks_exact(cols.windows.len());
            for (grad, (inside, height)) in lines.zip(&rows.windows) {
                if cols.halves {
                    let scale = 1.0 / (height * cols.windows[0].1) as f32;
                    for (pair, g) in line.chunks_exact_mut(2).zip(grad) {
                        pair[0] = g * scale;
                        pair[1] = g * scale;
                    }
                } else {
                    line.fill(0.0);
                    for (g, (inside, width)) in grad.iter().zip(&cols.windows) {
                        let share = g / (height * width) as f32;
                        line[inside.clone()].iter_mut().for_each(|v| *v += share);
                    }
                }
                let inside = inside.start * width..inside.end * width;
                for row in result[inside].chunks_exact_mut(width) {
                    row.iter_mut().zip(&line).for_each(|(s, v)| *s += v);
                }
            }
        }
    }
}
