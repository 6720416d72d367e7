//! The geometry of a convolution: which input meets which weight, as offsets into a padded copy of the input.
//!
//! With the input copied into planes with zero borders and one common row length (the pitch), the input under
//! weight (c, ky, kx) for output position n = y * pitch + x is `copy[offset(c, ky, kx) + n]`: a convolution is a
//! matrix product whose right-hand rows are all views of one small buffer. No column matrix (im2col) is written.
//! The last positions of each row, `x >= width`, are computed too and thrown away.
//!
//! A stride s splits the input into s planes per axis (every s-th row or column), so that positions are
//! neighbours again. The transposed direction (input gradient) is the mirror image: one plane, and s phases of
//! the output, each with the taps that reach it.

/// One axis of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// Length of the input.
    pub input: usize,
    /// Length of the output.
    pub output: usize,
    /// Taps of the kernel.
    pub kernel: usize,
    /// Distance of two windows.
    pub stride: usize,
    /// Distance of two taps.
    pub dilation: usize,
    /// Zeros before the input.
    pub begin: usize,
}

impl Axis {
    /// The axis, or nothing if the padded input is shorter than the window.
    pub fn new(
        input: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
        padding: (usize, usize),
    ) -> Option<Self> {
        if input == 0 || kernel == 0 || stride == 0 || dilation == 0 {
            return None;
        }
        let padded = input.checked_add(padding.0)?.checked_add(padding.1)?;
        let window = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
        let output = padded.checked_sub(window)? / stride + 1;
        Some(Self {
            input,
            output,
            kernel,
            stride,
            dilation,
            begin: padding.0,
        })
    }

    /// From the input to the output.
    pub fn forward(&self) -> AxisPlan {
        let taps: Vec<Tap> = (0..self.kernel)
            .map(|t| {
                let reach = t * self.dilation;
                Tap {
                    index: t,
                    plane: reach % self.stride,
                    offset: reach / self.stride,
                }
            })
            .collect();
        AxisPlan {
            planes: self.stride,
            source: self.input,
            origin: -(self.begin as isize),
            halo: taps.iter().map(|t| t.offset).max().unwrap_or(0),
            step: 1,
            phases: vec![Phase {
                taps,
                first: 0,
                count: self.output,
            }],
        }
    }

    /// From the output (its gradient) back to the input.
    ///
    /// Input position h gets `grad[(h + begin - tap * dilation) / stride]` where that division leaves no rest:
    /// position `stride * i + r - begin` of phase r gets `grad[i - tap * dilation / stride]`.
    pub fn transposed(&self) -> AxisPlan {
        let (s, begin) = (self.stride, self.begin);
        let from = |r: usize| begin.saturating_sub(r).div_ceil(s);
        let reach = |t: usize| t * self.dilation;
        // How far the earliest tap reaches before the first position; negative if it starts inside.
        let lead = (0..self.kernel)
            .map(|t| (reach(t) / s) as isize - from(reach(t) % s) as isize)
            .max()
            .unwrap_or(0);
        let phases: Vec<Phase> = (0..s)
            .map(|r| {
                let i0 = from(r);
                let end = (self.input + begin).saturating_sub(r).div_ceil(s);
                let taps = (0..self.kernel).filter(|&t| reach(t) % s == r);
                let tap = |t: usize| {
                    let offset = i0 as isize - (reach(t) / s) as isize + lead;
                    Tap {
                        index: t,
                        plane: 0,
                        offset: offset as usize,
                    }
                };
                Phase {
                    taps: taps.map(tap).collect(),
                    first: (s * i0 + r).saturating_sub(begin),
                    count: end.saturating_sub(i0),
                }
            })
            .collect();
        let halo = phases
            .iter()
            .flat_map(|p| &p.taps)
            .map(|t| t.offset)
            .max()
            .unwrap_or(0);
        AxisPlan {
            planes: 1,
            source: self.output,
            origin: -lead,
            halo,
            step: s,
            phases,
        }
    }
}

/// One tap of the kernel on one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tap {
    /// Its index in the kernel.
    pub index: usize,
    /// The plane it reads.
    pub plane: usize,
    /// Where it reads for position 0.
    pub offset: usize,
}

/// Output positions `first, first + step, ...` that share their taps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Phase {
    pub taps: Vec<Tap>,
    pub first: usize,
    pub count: usize,
}

/// How one axis is read and written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AxisPlan {
    /// Planes that the source is split into: element i of plane p is source position `i * planes + p + origin`.
    pub planes: usize,
    /// Length of the source.
    pub source: usize,
    /// See `planes`; positions outside of the source are zero.
    pub origin: isize,
    /// Elements that a plane needs beyond the number of positions.
    pub halo: usize,
    /// Distance of two positions of a phase in the destination.
    pub step: usize,
    /// The phases of the destination.
    pub phases: Vec<Phase>,
}

impl AxisPlan {
    /// Positions of the longest phase.
    pub fn longest(&self) -> usize {
        self.phases.iter().map(|p| p.count).max().unwrap_or(0)
    }

    /// The elements of plane `p` that lie inside the source if the first `skip` are left out: (first, end).
    fn inside(&self, p: usize, skip: usize, len: usize) -> (usize, usize) {
        let start = self.origin + p as isize + (skip * self.planes) as isize;
        let first = (-start).max(0) as usize;
        let end = (self.source as isize - start).max(0) as usize;
        (
            first.div_ceil(self.planes).min(len),
            end.div_ceil(self.planes).min(len),
        )
    }
}

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
    /// `copy` has [`Self::buffer`] elements, zero at first; each call rewrites the same places and the zero rows.
    pub fn fill(&self, image: &[f32], block: usize, copy: &mut [f32]) {
        let (height, width) = (self.rows.source, self.cols.source);
        let (rp, cp) = (self.rows.planes, self.cols.planes);
        let count = self.block + self.rows.halo;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every axis with small parameters whose window fits.
    fn axes() -> impl Iterator<Item = Axis> {
        let ranges = (1..8).flat_map(|input| (1..5).map(move |kernel| (input, kernel)));
        ranges.flat_map(|(input, kernel)| {
            (0..4 * 4 * 4 * 3).filter_map(move |i| {
                let (stride, begin, end, dilation) = (i % 4 + 1, i / 4 % 4, i / 16 % 4, i / 64 + 1);
                Axis::new(input, kernel, stride, dilation, (begin, end))
            })
        })
    }

    /// The pairs (position in the destination, source, tap) that a plan multiplies.
    fn pairs(plan: &AxisPlan) -> Vec<(usize, usize, usize)> {
        let mut pairs = Vec::new();
        for phase in &plan.phases {
            for i in 0..phase.count {
                for tap in &phase.taps {
                    assert!(tap.offset <= plan.halo);
                    let source =
                        ((i + tap.offset) * plan.planes + tap.plane) as isize + plan.origin;
                    if (0..plan.source as isize).contains(&source) {
                        pairs.push((phase.first + i * plan.step, source as usize, tap.index));
                    }
                }
            }
        }
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn plans_multiply_what_the_definition_says() {
        let mut tried = 0;
        for axis in axes() {
            let mut forward = Vec::new();
            for o in 0..axis.output {
                for t in 0..axis.kernel {
                    let at = (o * axis.stride + t * axis.dilation).checked_sub(axis.begin);
                    forward.extend(at.filter(|i| *i < axis.input).map(|i| (o, i, t)));
                }
            }
            forward.sort_unstable();
            let mut back: Vec<_> = forward.iter().map(|&(o, i, t)| (i, o, t)).collect();
            back.sort_unstable();
            assert_eq!(pairs(&axis.forward()), forward, "{axis:?}");
            assert_eq!(pairs(&axis.transposed()), back, "{axis:?}");
            tried += 1;
        }
        assert!(tried > 1000, "{tried}");
    }

    #[test]
    fn phases_cover_the_input_once() {
        for axis in axes() {
            let plan = axis.transposed();
            let positions = |p: &Phase| {
                (0..p.count)
                    .map(|i| p.first + i * plan.step)
                    .collect::<Vec<_>>()
            };
            let mut all: Vec<usize> = plan.phases.iter().flat_map(positions).collect();
            all.sort_unstable();
            assert_eq!(all, (0..axis.input).collect::<Vec<_>>(), "{axis:?}");
        }
    }
}
