//! The transformed source.

use super::transform::{self, SIDE};
use super::{Band, Matrices, Tiling};
use crate::kernels::conv::blocked::{BLOCK, block_len, to_block};
use crate::kernels::parallel::Shared;
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

impl Tiling {
    /// Transforms the source of a band into the rows of the matrices from `first` on, `[point, tile, channel]`.
    ///
    /// # Safety
    /// Nobody else uses these rows.
    pub(super) unsafe fn transform(
        &self,
        source: &[f32],
        band: &Band,
        to: Shared,
        matrices: Matrices,
        first: usize,
    ) {
        let rows = (band.rows.len() * self.out() + self.kernel - 1).min(self.source[0]);
        scratch(block_len(rows * self.source[1]), |block| {
            dispatch(Source {
                tiling: self,
                source,
                band,
                block,
                to,
                matrices,
                first,
            });
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
    to: Shared<'a>,
    matrices: Matrices,
    first: usize,
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
            matrices,
            first,
        } = self;
        let [height, width] = tiling.source;
        let plane = height * width;
        let padded = tiling.padded()[0];
        let cols = tiling.tiles()[1];
        let step = matrices.step();
        let out = tiling.out();
        let begin = tiling.begin.map(|b| b as isize);
        let top = (band.rows.start * out) as isize - begin[0];
        // Rows of the image that the band reads.
        let start = top.clamp(0, height as isize) as usize;
        let bottom = top + (band.rows.len() * out + tiling.kernel - 1) as isize;
        let end = bottom.clamp(start as isize, height as isize) as usize;
        assert!(block.len() >= block_len((end - start) * width));
        assert!(matrices.width == padded && first + tiling.count(band) <= matrices.tiles);
        assert!(matrices.len() <= to.len());
        for c in (0..tiling.channels).step_by(BLOCK) {
            let channels = (tiling.channels - c).min(BLOCK);
            let mut tile = first;
            for image in band.images.clone() {
                let at = (image * tiling.channels + c) * plane + start * width;
                let pixels = (end - start) * width;
                // SAFETY: the instruction set is the caller's promise.
                unsafe { to_block::<V>(source, at, plane, channels, pixels, block, BLOCK) };
                for row in band.rows.clone() {
                    let y = (row * out) as isize - begin[0];
                    let (y0, y1) = inside(y, height);
                    for col in 0..cols {
                        let x = (col * out) as isize - begin[1];
                        let (x0, x1) = inside(x, width);
                        // SAFETY: rows `y + y0 .. y + y1` and columns `x + x0 .. x + x1` are inside of the image,
                        // and the block holds those rows. The row of this tile is inside of each matrix by the
                        // assertions, and this band's own.
                        unsafe {
                            let to = to.part(tile * padded + c, BLOCK);
                            let to = (to, [SIDE * step, step]);
                            if y1 - y0 == SIDE && x1 - x0 == SIDE {
                                let at = ((y as usize - start) * width + x as usize) * BLOCK;
                                let from = block.as_ptr().add(at);
                                transform::input_tile::<V>((from, [width * BLOCK, BLOCK]), to);
                            } else {
                                let mut edge = [[[0.0f32; BLOCK]; SIDE]; SIDE];
                                for i in y0..y1 {
                                    let line = ((y + i as isize) as usize - start) * width;
                                    for j in x0..x1 {
                                        let at = (line + (x + j as isize) as usize) * BLOCK;
                                        edge[i][j].copy_from_slice(&block[at..at + BLOCK]);
                                    }
                                }
                                let steps = [SIDE * BLOCK, BLOCK];
                                transform::input_tile::<V>((edge.as_ptr().cast(), steps), to);
                            }
                        }
                        tile += 1;
                    }
                }
            }
        }
    }
}
