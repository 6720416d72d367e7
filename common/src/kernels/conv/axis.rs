//! The geometry of a convolution, one axis at a time: which input meets which weight.
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
    pub fn inside(&self, p: usize, skip: usize, len: usize) -> (usize, usize) {
        let start = self.origin + p as isize + (skip * self.planes) as isize;
        let first = (-start).max(0) as usize;
        let end = (self.source as isize - start).max(0) as usize;
        (
            first.div_ceil(self.planes).min(len),
            end.div_ceil(self.planes).min(len),
        )
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
