//! 3x3 and 5x5 convolutions of stride 1 by Winograd's minimal filtering: a tile of 4 x 4 outputs of a 3x3 kernel takes
//! 36 products per pair of channels instead of 144, one of 2 x 2 outputs of a 5x5 kernel 36 instead of 100, all of
//! them in 36 independent matrix products.
//!
//! Channels are worked on in blocks of sixteen, see [`super::blocked`]. Tiles that reach beyond the image take
//! zeros there.

mod correlate;
mod filters;
mod gradient;
mod source;
mod transform;
mod weight;

pub(crate) use correlate::correlate;
pub(crate) use weight::weight_gradient;

use super::blocked::BLOCK;
use std::ops::Range;
use transform::{POINTS, SIDE};

/// Values between two of the 36 matrices beyond their size: without them all would start in the same sets of the
/// cache.
const SKEW: usize = BLOCK;

/// A correlation of `batch` images of `channels` planes with a square kernel.
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
    /// Rows and columns of the kernel: 3 or 5.
    pub kernel: usize,
    /// Zeros before the source, less than the kernel.
    pub begin: [usize; 2],
    /// Whether the last tap comes first, as it does for the input gradient.
    pub turned: bool,
}

/// Some rows of tiles of some images: all rows, or those of one image.
#[derive(Clone, Debug)]
struct Band {
    images: Range<usize>,
    rows: Range<usize>,
    /// Tiles of the bands before.
    first: usize,
}

/// 36 matrices with a row of `width` values for each tile.
#[derive(Clone, Copy)]
struct Matrices {
    /// Tiles.
    tiles: usize,
    /// Values of a row.
    width: usize,
}

impl Matrices {
    /// Values from one matrix to the next.
    fn step(self) -> usize {
        self.tiles * self.width + SKEW
    }

    /// Values in all.
    fn len(self) -> usize {
        POINTS * self.step()
    }
}

impl Tiling {
    /// The tiling of the input gradient.
    pub fn transposed(self) -> Self {
        Self {
            channels: self.filters,
            filters: self.channels,
            source: self.size,
            size: self.source,
            begin: self.begin.map(|b| self.kernel - 1 - b),
            turned: !self.turned,
            ..self
        }
    }

    /// Channels of the source, and of the destination, rounded up to whole blocks.
    fn padded(&self) -> [usize; 2] {
        [self.channels, self.filters].map(|n| n.next_multiple_of(BLOCK))
    }

    /// Rows and columns of an output tile.
    fn out(&self) -> usize {
        SIDE + 1 - self.kernel
    }

    /// Rows and columns of tiles.
    fn tiles(&self) -> [usize; 2] {
        self.size.map(|n| n.div_ceil(self.out()))
    }

    /// Tiles of all images.
    fn all_tiles(&self) -> usize {
        let [rows, cols] = self.tiles();
        self.batch * rows * cols
    }

    /// Splits the tiles into bands of about `wanted` tiles.
    fn bands(&self, wanted: usize) -> Vec<Band> {
        let [rows, cols] = self.tiles();
        let image = rows * cols;
        let mut bands = Vec::new();
        if image <= wanted {
            let count = self.batch.div_ceil(wanted / image);
            for i in 0..count {
                let first = self.batch * i / count;
                bands.push(Band {
                    images: first..self.batch * (i + 1) / count,
                    rows: 0..rows,
                    first: first * image,
                });
            }
        } else {
            let count = rows.div_ceil((wanted / cols).max(1));
            for b in 0..self.batch {
                for i in 0..count {
                    let first = rows * i / count;
                    bands.push(Band {
                        images: b..b + 1,
                        rows: first..rows * (i + 1) / count,
                        first: b * image + first * cols,
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

    /// First row of the destination in a band, and number of rows.
    fn out_rows(&self, band: &Band) -> (usize, usize) {
        let first = band.rows.start * self.out();
        (
            first,
            (band.rows.end * self.out()).min(self.size[0]) - first,
        )
    }
}
