//! Convolutions of any stride, dilation and kernel with many channels: `[row, column, channel]` copies of the padded
//! images, so that a vector holds filters and neither strides nor small planes leave lanes empty.

mod correlate;
mod weight;

pub(crate) use correlate::correlate;
pub(crate) use weight::weight_gradient;

use super::axis::{AxisPlan, Phase};
use super::blocked::{BLOCK, block_len, to_block};
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};
use std::ops::Range;

/// A correlation of `batch` images of `channels` planes.
pub(crate) struct Layout {
    /// Images.
    pub batch: usize,
    /// Planes of the source.
    pub channels: usize,
    /// Planes of the destination.
    pub filters: usize,
    /// Columns of the kernel.
    pub kernel_cols: usize,
    /// The vertical axis.
    pub rows: AxisPlan,
    /// The horizontal axis.
    pub cols: AxisPlan,
    /// Height and width of the destination.
    pub size: [usize; 2],
}

/// Some rows of the destination of some images: all rows, or those of one image.
#[derive(Clone, Debug)]
struct Band {
    images: Range<usize>,
    rows: Range<usize>,
}

/// How far a tap reads behind a position's first value.
fn reach(axis: &AxisPlan, tap: &super::axis::Tap) -> usize {
    tap.offset * axis.planes + tap.plane
}

/// The farthest tap of a phase.
fn farthest(axis: &AxisPlan, phase: &Phase) -> usize {
    phase.taps.iter().map(|t| reach(axis, t)).max().unwrap_or(0)
}

/// The positions of a phase that lie in these rows of the destination.
fn positions(axis: &AxisPlan, phase: &Phase, rows: &Range<usize>) -> Range<usize> {
    let index = |row: usize| {
        row.saturating_sub(phase.first)
            .div_ceil(axis.step)
            .min(phase.count)
    };
    index(rows.start)..index(rows.end)
}

impl Layout {
    /// Channels and filters in whole blocks.
    fn padded(&self) -> [usize; 2] {
        [self.channels, self.filters].map(|n| n.next_multiple_of(BLOCK))
    }

    /// Columns of a frame.
    fn frame_cols(&self) -> usize {
        let reaches =
            self.cols.phases.iter().map(|p| {
                p.count.saturating_sub(1) * self.cols.planes + farthest(&self.cols, p) + 1
            });
        reaches.max().unwrap_or(0)
    }

    /// The rows of a frame that a band reads, counted from the first padded one.
    fn frame_rows(&self, rows: &Range<usize>) -> Range<usize> {
        let (mut first, mut end) = (usize::MAX, 0);
        for phase in &self.rows.phases {
            let at = positions(&self.rows, phase, rows);
            if !at.is_empty() {
                first = first.min(at.start * self.rows.planes);
                end = end.max((at.end - 1) * self.rows.planes + farthest(&self.rows, phase) + 1);
            }
        }
        first.min(end)..end
    }

    /// Values of a band's frames.
    fn frames(&self, band: &Band) -> usize {
        // The last square of sixteen pixels may reach beyond the frame.
        let slack = BLOCK * self.padded()[0];
        band.images.len() * self.frame(band) + slack
    }

    /// Values of one frame of a band.
    fn frame(&self, band: &Band) -> usize {
        self.frame_rows(&band.rows).len() * self.frame_cols() * self.padded()[0]
    }

    /// Splits the destination into bands whose frames and results have about `wanted` values.
    fn bands(&self, wanted: usize, per_pixel: usize) -> Vec<Band> {
        let [height, width] = self.size;
        let whole = Band {
            images: 0..1,
            rows: 0..height,
        };
        let image = self.frame(&whole) + height * width * per_pixel;
        let mut bands = Vec::new();
        if image <= wanted || height < 4 {
            let images = (wanted / image.max(1)).clamp(1, self.batch.div_ceil(4).max(1));
            let count = self.batch.div_ceil(images);
            bands.extend((0..count).map(|i| Band {
                images: self.batch * i / count..self.batch * (i + 1) / count,
                rows: 0..height,
            }));
        } else {
            let count = image.div_ceil(wanted).min(height.div_ceil(2));
            for b in 0..self.batch {
                bands.extend((0..count).map(|i| Band {
                    images: b..b + 1,
                    rows: height * i / count..height * (i + 1) / count,
                }));
            }
        }
        bands
    }

    /// Copies what a band reads, `[image, row, column, channel]`, zeros outside of the source.
    fn fill(&self, source: &[f32], band: &Band, to: &mut [f32]) {
        let rows = self.frame_rows(&band.rows);
        scratch(block_len(rows.len() * self.cols.source), |block| {
            dispatch(Fill {
                layout: self,
                source,
                band,
                rows,
                block,
                to,
            });
        });
    }
}

/// See [`Layout::fill`].
struct Fill<'a> {
    layout: &'a Layout,
    source: &'a [f32],
    band: &'a Band,
    rows: Range<usize>,
    block: &'a mut [f32],
    to: &'a mut [f32],
}

impl Kernel for Fill<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            layout,
            source,
            band,
            rows,
            block,
            to,
        } = self;
        let (height, width) = (layout.rows.source, layout.cols.source);
        let plane = height * width;
        let padded = layout.padded()[0];
        let cols = layout.frame_cols();
        let line = cols * padded;
        let frame = rows.len() * line;
        // Rows and columns of the frame that lie inside of the source, and where they lie there.
        let inside = |origin: isize, from: usize, len: usize, source: usize| {
            let start = origin + from as isize;
            let first = (-start).clamp(0, len as isize);
            let end = (source as isize - start).clamp(first, len as isize);
            (
                first as usize..end as usize,
                (start + first).max(0) as usize,
            )
        };
        let (lines, y) = inside(layout.rows.origin, rows.start, rows.len(), height);
        let (columns, x) = inside(layout.cols.origin, 0, cols, width);
        let whole = columns.len() == cols && cols == width;
        for (index, image) in band.images.clone().enumerate() {
            let to = &mut to[index * frame..];
            to[..lines.start * line].fill(0.0);
            if !whole {
                for row in to[lines.start * line..lines.end * line].chunks_exact_mut(line.max(1)) {
                    row[..columns.start * padded].fill(0.0);
                    row[columns.end * padded..].fill(0.0);
                }
            }
            // Where no window reaches the source, the frame is all padding.
            let copied = if columns.is_empty() {
                0
            } else {
                layout.channels
            };
            for c in (0..copied).step_by(BLOCK) {
                let channels = (layout.channels - c).min(BLOCK);
                let at = (image * layout.channels + c) * plane + y * width;
                let pixels = lines.len() * width;
                let to = &mut to[lines.start * line..];
                // SAFETY: the instruction set is the caller's promise.
                unsafe {
                    if whole {
                        to_block::<V>(source, at, plane, channels, pixels, &mut to[c..], padded);
                        continue;
                    }
                    to_block::<V>(source, at, plane, channels, pixels, block, BLOCK);
                }
                for (row, to) in to
                    .chunks_exact_mut(line.max(1))
                    .enumerate()
                    .take(lines.len())
                {
                    let to = &mut to[columns.start * padded + c..];
                    let from = &block[(row * width + x) * BLOCK..][..columns.len() * BLOCK];
                    for (from, to) in from.chunks_exact(BLOCK).zip(to.chunks_mut(padded)) {
                        to[..BLOCK].copy_from_slice(from);
                    }
                }
            }
            // After the last square of pixels, which may have reached these rows.
            to[lines.end * line..frame].fill(0.0);
        }
    }
}
