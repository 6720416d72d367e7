//! 3x3 convolutions of stride 1 by Winograd's minimal filtering F(4x4, 3x3): a tile of 4 x 4 outputs takes 36
//! products per pair of channels instead of 144, all of them in 36 independent matrix products.
//!
//! Channels are worked on in blocks of sixteen, see [`super::blocked`]. Tiles that reach beyond the image take
//! zeros there.

mod correlate;
mod filters;
mod transform;
mod weight;

pub(crate) use correlate::correlate;
pub(crate) use weight::weight_gradient;

use super::blocked::{BLOCK, block_len, to_block};
use crate::kernels::simd::{Kernel, Vector, dispatch};
use std::ops::Range;
use transform::{OUT, POINTS, SIDE};

/// Values between two of the 36 matrices beyond their size: without them all would start in the same sets of the
/// cache.
const SKEW: usize = BLOCK;

/// A 3x3 correlation of `batch` images of `channels` planes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiling {
    /// Images.
    pub batch: usize,
    /// Planes of the source.
    pub channels: usize,
    /// Planes of the destination.
    pub filters: usize,
    /// Height and width of the source.
    pub source: [usize; 2],
    /// Height and width of the destination.
    pub size: [usize; 2],
    /// Zeros before the source, at most 2.
    pub begin: [usize; 2],
    /// Whether the last tap comes first, as it does for the input gradient.
    pub turned: bool,
}

/// Some rows of tiles of some images: all rows, or those of one image.
#[derive(Clone, Debug)]
struct Band {
    images: Range<usize>,
    rows: Range<usize>,
}

impl Tiling {
    /// The tiling of the input gradient.
    pub fn transposed(self) -> Self {
        Self {
            batch: self.batch,
            channels: self.filters,
            filters: self.channels,
            source: self.size,
            size: self.source,
            begin: self.begin.map(|b| transform::TAPS - 1 - b),
            turned: !self.turned,
        }
    }

    /// Channels of the source, and of the destination, rounded up to whole blocks.
    fn padded(&self) -> [usize; 2] {
        [self.channels, self.filters].map(|n| n.next_multiple_of(BLOCK))
    }

    /// Rows and columns of tiles.
    fn tiles(&self) -> [usize; 2] {
        self.size.map(|n| n.div_ceil(OUT))
    }

    /// Splits the tiles into bands of about `wanted` tiles.
    fn bands(&self, wanted: usize) -> Vec<Band> {
        let [rows, cols] = self.tiles();
        let image = rows * cols;
        let mut bands = Vec::new();
        if image <= wanted {
            let count = self.batch.div_ceil(wanted / image);
            for i in 0..count {
                bands.push(Band {
                    images: self.batch * i / count..self.batch * (i + 1) / count,
                    rows: 0..rows,
                });
            }
        } else {
            let count = rows.div_ceil((wanted / cols).max(1));
            for b in 0..self.batch {
                for i in 0..count {
                    bands.push(Band {
                        images: b..b + 1,
                        rows: rows * i / count..rows * (i + 1) / count,
                    });
                }
            }
        }
        bands
    }

    /// Tiles of a band.
    fn count(&self, band: &Band) -> usize {
        band.images.len() * band.rows.len() * self.tiles()[1]
    }

    /// Values of the transformed source of a band.
    fn transformed(&self, band: &Band) -> usize {
        POINTS * self.point_step(band)
    }

    /// Values from one of the 36 matrices of a band's transformed source to the next.
    fn point_step(&self, band: &Band) -> usize {
        self.count(band) * self.padded()[0] + SKEW
    }

    /// Values of the buffer that [`Source`] needs.
    fn source_block(&self, band: &Band) -> usize {
        block_len((band.rows.len() * OUT + SIDE - OUT).min(self.source[0]) * self.source[1])
    }

    /// Transforms the source of a band, `[point, tile, channel]`.
    fn transform(&self, source: &[f32], band: &Band, block: &mut [f32], to: &mut [f32]) {
        dispatch(Source {
            tiling: self,
            source,
            band,
            block,
            to,
        });
    }
}

/// The rows or columns `from..from + 6` of a tile that lie inside of `0..len`, counted from the tile's first.
#[inline(always)]
fn inside(from: isize, len: usize) -> (usize, usize) {
    let first = (-from).clamp(0, SIDE as isize) as usize;
    let end = (len as isize - from).clamp(first as isize, SIDE as isize) as usize;
    (first, end)
}

/// See [`Tiling::transform`].
struct Source<'a> {
    tiling: &'a Tiling,
    source: &'a [f32],
    band: &'a Band,
    /// Some rows of one block of channels of one image.
    block: &'a mut [f32],
    to: &'a mut [f32],
}

impl Kernel for Source<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            tiling,
            source,
            band,
            block,
            to,
        } = self;
        let [height, width] = tiling.source;
        let plane = height * width;
        let padded = tiling.padded()[0];
        let cols = tiling.tiles()[1];
        let step = tiling.point_step(band);
        let begin = tiling.begin.map(|b| b as isize);
        let top = (band.rows.start * OUT) as isize - begin[0];
        // Rows of the image that the band reads.
        let first = top.clamp(0, height as isize) as usize;
        let bottom = top + (band.rows.len() * OUT + SIDE - OUT) as isize;
        let end = bottom.clamp(first as isize, height as isize) as usize;
        assert!(to.len() >= POINTS * step && block.len() >= block_len((end - first) * width));
        for c in (0..tiling.channels).step_by(BLOCK) {
            let channels = (tiling.channels - c).min(BLOCK);
            let mut tile = 0;
            for image in band.images.clone() {
                let at = (image * tiling.channels + c) * plane + first * width;
                // SAFETY: the instruction set is the caller's promise.
                unsafe {
                    to_block::<V>(
                        source,
                        at,
                        plane,
                        channels,
                        (end - first) * width,
                        block,
                        BLOCK,
                    )
                };
                for row in band.rows.clone() {
                    let y = (row * OUT) as isize - begin[0];
                    let (y0, y1) = inside(y, height);
                    for col in 0..cols {
                        let x = (col * OUT) as isize - begin[1];
                        let (x0, x1) = inside(x, width);
                        let to = to[tile * padded + c..].as_mut_ptr();
                        let line = ((y + y0 as isize) as usize - first) * width;
                        let from = (line + (x + x0 as isize) as usize) * BLOCK;
                        // SAFETY: rows `y + y0 .. y + y1` and columns `x + x0 .. x + x1` are inside of the image,
                        // and the block holds those rows. `to` has 36 matrices of which this tile's row has
                        // `padded` values.
                        unsafe {
                            let from = block.as_ptr().wrapping_add(from);
                            if y1 - y0 == SIDE && x1 - x0 == SIDE {
                                let steps = [width * BLOCK, BLOCK];
                                transform::input_tile::<V>(from, steps, to, [SIDE * step, step]);
                            } else {
                                let mut edge = [[[0.0f32; BLOCK]; SIDE]; SIDE];
                                for i in y0..y1 {
                                    let from = from.add((i - y0) * width * BLOCK);
                                    let count = (x1 - x0) * BLOCK;
                                    let to = edge[i][x0..x1].as_mut_ptr().cast::<f32>();
                                    to.copy_from_nonoverlapping(from, count);
                                }
                                let steps = [SIDE * BLOCK, BLOCK];
                                let from = edge.as_ptr().cast();
                                transform::input_tile::<V>(from, steps, to, [SIDE * step, step]);
                            }
                        }
                        tile += 1;
                    }
                }
            }
        }
    }
}
