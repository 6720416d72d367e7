//! The transformed gradient of the output.

use super::transform::{self, SIDE};
use super::{Band, Matrices, Tiling};
use crate::kernels::conv::blocked::{BLOCK, block_len, to_block};
use crate::kernels::parallel::Shared;
use crate::kernels::scratch::scratch;
use crate::kernels::simd::{Kernel, Vector, dispatch};

impl Tiling {
    /// Transforms the gradient of a band into the rows of the matrices from `first` on, `[point, tile, filter]`, and
    /// adds up its values per filter.
    ///
    /// # Safety
    /// Nobody else uses these rows.
    pub(super) unsafe fn transform_gradient(
        &self,
        grad: &[f32],
        band: &Band,
        to: Shared,
        matrices: Matrices,
        first: usize,
        bias: &mut [f32],
    ) {
        scratch(block_len(self.out_rows(band).1 * self.size[1]), |block| {
            let gradient = Gradient {
                tiling: self,
                grad,
                band,
                block,
                to,
                matrices,
                first,
                bias,
            };
            match self.out() {
                4 => dispatch(GradientTiles::<4>(gradient)),
                _ => dispatch(GradientTiles::<2>(gradient)),
            }
        });
    }
}

/// See [`Tiling::transform_gradient`].
struct Gradient<'a> {
    tiling: &'a Tiling,
    grad: &'a [f32],
    band: &'a Band,
    /// Some rows of one block of filters of one image.
    block: &'a mut [f32],
    to: Shared<'a>,
    matrices: Matrices,
    first: usize,
    bias: &'a mut [f32],
}

/// [`Gradient`] for tiles of M x M.
struct GradientTiles<'a, const M: usize>(Gradient<'a>);

impl<const M: usize> Kernel for GradientTiles<'_, M> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Gradient {
            tiling,
            grad,
            band,
            block,
            to,
            matrices,
            first,
            bias,
        } = self.0;
        let [height, width] = tiling.size;
        let padded = tiling.padded()[1];
        let cols = tiling.tiles()[1];
        let (top, rows) = tiling.out_rows(band);
        let step = matrices.step();
        assert!(
            tiling.out() == M && block.len() >= block_len(rows * width) && bias.len() >= padded
        );
        assert!(matrices.width == padded && first + tiling.count(band) <= matrices.tiles);
        assert!(matrices.len() <= to.len());
        for f in (0..tiling.filters).step_by(BLOCK) {
            let filters = (tiling.filters - f).min(BLOCK);
            let mut tile = first;
            for image in band.images.clone() {
                let at = (image * tiling.filters + f) * height * width + top * width;
                // SAFETY: the instruction set is the caller's promise.
                unsafe {
                    to_block::<V>(
                        grad,
                        at,
                        height * width,
                        filters,
                        rows * width,
                        block,
                        BLOCK,
                    );
                    pixel_sums::<V>(&block[..rows * width * BLOCK], &mut bias[f..f + BLOCK]);
                }
                for row in 0..band.rows.len() {
                    for col in 0..cols {
                        let [high, wide] = [rows - row * M, width - col * M].map(|n| n.min(M));
                        let at = (row * M * width + col * M) * BLOCK;
                        // SAFETY: `high` rows and `wide` columns from here on lie inside of the block. The row of this
                        // tile is inside of each matrix by the assertions, and this band's own.
                        unsafe {
                            let to = (to.part(tile * padded + f, BLOCK), [SIDE * step, step]);
                            let from = block.as_ptr().add(at);
                            if high == M && wide == M {
                                let from = (from, [width * BLOCK, BLOCK]);
                                transform::output_gradient_tile::<V, M>(from, to);
                            } else {
                                let mut edge = [[[0.0f32; BLOCK]; M]; M];
                                for i in 0..high {
                                    let line = edge[i].as_mut_ptr().cast::<f32>();
                                    line.copy_from_nonoverlapping(
                                        from.add(i * width * BLOCK),
                                        wide * BLOCK,
                                    );
                                }
                                let from = (edge.as_ptr().cast(), [M * BLOCK, BLOCK]);
                                transform::output_gradient_tile::<V, M>(from, to);
                            }
                        }
                        tile += 1;
                    }
                }
            }
        }
    }
}

/// Adds `pixels` `[pixel, 16]` to `sums`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
unsafe fn pixel_sums<V: Vector>(pixels: &[f32], sums: &mut [f32]) {
    for lane in (0..BLOCK).step_by(V::LANES) {
        // SAFETY: a vector inside of each pixel, and of the sums, is a slice of the right length.
        unsafe {
            // Four sums, so that no addition waits for the one before.
            let mut partial = [V::splat(0.0); 4];
            for (n, pixel) in pixels.chunks_exact(BLOCK).enumerate() {
                partial[n % 4] = partial[n % 4].add(V::load(pixel[lane..].as_ptr()));
            }
            let [a, b, c, d] = partial;
            let to = sums[lane..lane + V::LANES].as_mut_ptr();
            V::load(to).add(a.add(b).add(c.add(d))).store(to);
        }
    }
}
