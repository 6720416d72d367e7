//! Where weights meet the input, as offsets into a padded copy of the input.
//!
//! With the input copied into planes with zero borders and one common row length (the pitch), the input under
//! weight (c, ky, kx) for output position n = y * pitch + x is `copy[offset(c, ky, kx) + n]`: a convolution is a
//! matrix product whose right-hand rows are all views of one small buffer. No column matrix (im2col) is written.
//! The last positions of each row, `x >= width`, are computed too and thrown away.

use crate::kernels::conv::axis::{AxisPlan, Phase};

/// A padded copy of some rows of an image, and where each weight reads it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Channels of the source.
    pub channels: usize,
    /// The vertical axis.
    pub rows: AxisPlan,
    /// The horizontal axis.
    pub cols: AxisPlan,
    /// Elements from one row of a plane to the next.
    pub pitch: usize,
    /// Positions (rows of the destination phases) that are worked on at a time.
    pub block: usize,
}

/// Values that may be read beyond the last position of a plane: one tile of the largest vectors.
pub(crate) const SLACK: usize = 64;
/// Values of a padded copy that leave room for the other operands in a core's second-level cache.
const CACHED: usize = 96 * 1024;
/// Pieces of work to have at least, so that a single image is spread over the cores.
const PIECES: usize = 8;
/// Rows of a piece below which the halo would cost more than the split gains.
const FEWEST_ROWS: usize = 8;

impl Plan {
    /// The plan for `batch` images of `channels` planes.
    pub fn new(channels: usize, rows: AxisPlan, cols: AxisPlan, batch: usize) -> Self {
        let pitch = cols.halo + cols.longest();
        let longest = rows.longest().max(1);
        let row = (channels * rows.planes * cols.planes * pitch).max(1);
        let cached = (CACHED / row).saturating_sub(rows.halo).max(FEWEST_ROWS);
        let pieces = longest.div_ceil(cached).max(PIECES.div_ceil(batch.max(1)));
        let block = longest.div_ceil(pieces).max(FEWEST_ROWS).min(longest);
        Self {
            channels,
            rows,
            cols,
            pitch,
            block,
        }
    }

    /// Pieces that the rows of one image are worked on in.
    pub fn blocks(&self) -> usize {
        self.rows.longest().div_ceil(self.block)
    }

    /// Elements of one plane.
    fn plane(&self) -> usize {
        (self.block + self.rows.halo) * self.pitch
    }

    /// Elements of the padded copy, with the slack at its end.
    pub fn buffer(&self) -> usize {
        self.channels * self.rows.planes * self.cols.planes * self.plane() + SLACK
    }

    /// Where each weight of a pair of phases reads the copy for position 0; channel by channel, tap by tap.
    pub fn offsets(&self, rows: &Phase, cols: &Phase) -> Vec<usize> {
        let mut offsets = Vec::with_capacity(self.channels * rows.taps.len() * cols.taps.len());
        for c in 0..self.channels {
            for r in &rows.taps {
                for k in &cols.taps {
                    let plane = (c * self.rows.planes + r.plane) * self.cols.planes + k.plane;
                    offsets.push(plane * self.plane() + r.offset * self.pitch + k.offset);
                }
            }
        }
        offsets
    }

    /// Copies the rows that piece `block` needs from `image`, `[channels, rows, cols]`.
    ///
    /// `copy` has [`Self::buffer`] elements, all of which are written.
    pub fn fill(&self, image: &[f32], block: usize, copy: &mut [f32]) {
        let (height, width) = (self.rows.source, self.cols.source);
        let (rp, cp) = (self.rows.planes, self.cols.planes);
        let count = self.block + self.rows.halo;
        copy[self.buffer() - SLACK..].fill(0.0);
        for c in 0..self.channels {
            let channel = &image[c * height * width..][..height * width];
            for r in 0..rp {
                let (top, bottom) = self.rows.inside(r, block * self.block, count);
                for k in 0..cp {
                    let (left, right) = self.cols.inside(k, 0, self.pitch);
                    let plane = ((c * rp + r) * cp + k) * self.plane();
                    let plane = &mut copy[plane..][..self.plane()];
                    for (i, row) in plane.chunks_exact_mut(self.pitch).enumerate() {
                        if i < top || i >= bottom || left >= right {
                            row.fill(0.0);
                            continue;
                        }
                        let y = ((i + block * self.block) * rp + r) as isize + self.rows.origin;
                        let x = (left * cp + k) as isize + self.cols.origin;
                        let line =
                            &channel[y as usize * width + x as usize..(y as usize + 1) * width];
                        row[..left].fill(0.0);
                        row[right..].fill(0.0);
                        let row = &mut row[left..right];
                        if cp == 1 {
                            row.copy_from_slice(&line[..right - left]);
                        } else {
                            for (to, from) in row.iter_mut().zip(line.iter().step_by(cp)) {
                                *to = *from;
                            }
                        }
                    }
                }
            }
        }
    }
}
