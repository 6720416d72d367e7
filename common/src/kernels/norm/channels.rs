//! The axes of a batch normalisation, and how they are cut into pieces of work.

use std::ops::Range;

use crate::kernels::parallel::ranges;

/// Values per piece of work.
const GRAIN: usize = 32 * 1024;
/// Columns of a block, at most: the rows of a usual batch stay in the second-level cache.
const WIDTH: usize = 1024;
/// Values that are looked at for one near the mean.
const SAMPLES: usize = 8;

/// The three axes of a tensor that is normalised by channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Channels {
    pub batch: usize,
    pub channels: usize,
    /// Values of a channel in one example.
    pub inner: usize,
}

impl Channels {
    /// The axes of `[batch, channels, ...]`; nothing if there is no such axis.
    pub fn new(shape: &[usize]) -> Option<Self> {
        let (&[batch, channels], rest) = shape.split_first_chunk()?;
        Some(Self {
            batch,
            channels,
            inner: rest.iter().product(),
        })
    }

    pub fn len(&self) -> usize {
        self.batch * self.channels * self.inner
    }

    /// Values of one channel.
    pub fn samples(&self) -> usize {
        self.batch * self.inner
    }

    /// Channels of a block: few enough for [`WIDTH`] and for all threads to have work, and if possible so many that a
    /// block is a whole number of the largest vectors.
    fn block(&self) -> usize {
        let shared = self.channels.div_ceil(2 * rayon::current_num_threads());
        let fitting = WIDTH / self.inner.max(1);
        let count = fitting.min(shared).max(1);
        let unit = 16 >> self.inner.trailing_zeros().min(4);
        let whole = if count >= unit {
            count / unit * unit
        } else if unit <= fitting {
            unit
        } else {
            count
        };
        whole.min(self.channels.max(1))
    }

    /// Does `work` for each block of channels.
    pub fn blocks(&self, work: impl Fn(Range<usize>) + Sync) {
        let block = self.block();
        let count = self.channels.div_ceil(block);
        let grain = GRAIN.div_ceil((block * self.samples()).max(1));
        ranges(count, grain, |range| {
            for index in range {
                work(index * block..((index + 1) * block).min(self.channels));
            }
        });
    }

    /// The block's consecutive values: where they start and how many there are, in the order of memory.
    ///
    /// Column i of a piece belongs to channel `i / inner` of the block. A channel of more than [`WIDTH`] values comes in
    /// several pieces.
    pub fn pieces(&self, channels: &Range<usize>) -> impl Iterator<Item = (usize, usize)> {
        let width = channels.len() * self.inner;
        let (first, stride) = (channels.start * self.inner, self.channels * self.inner);
        (0..self.batch).flat_map(move |b| {
            (0..width)
                .step_by(WIDTH)
                .map(move |at| (b * stride + first + at, WIDTH.min(width - at)))
        })
    }

    /// Columns of the block's pieces.
    pub fn columns(&self, channels: &Range<usize>) -> usize {
        (channels.len() * self.inner).min(WIDTH)
    }

    /// Writes `value(channel)` into all columns of each channel of the block.
    pub fn spread(
        &self,
        channels: &Range<usize>,
        columns: &mut [f32],
        value: impl Fn(usize) -> f32,
    ) {
        let parts = columns.chunks_mut(self.inner.max(1));
        for (channel, part) in channels.clone().zip(parts) {
            part.fill(value(channel));
        }
    }

    /// A value near the mean of a channel: the median of some, which an outlier does not move.
    pub fn guess(&self, x: &[f32], channel: usize) -> f32 {
        let samples = self.samples();
        let count = SAMPLES.min(samples);
        let value = |i: usize| {
            let at = i * samples / count;
            let (b, inside) = (at / self.inner, at % self.inner);
            x[(b * self.channels + channel) * self.inner + inside]
        };
        let mut values: Vec<f32> = (0..count).map(value).collect();
        values.sort_by(f32::total_cmp);
        values.get(count / 2).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn blocks_cover_every_value_once() {
        for shape in [
            &[3, 5][..],
            &[1, 200],
            &[2, 7, 9],
            &[2, 33, 7, 7],
            &[2, 3, 50, 50],
            &[0, 4, 2],
            &[4, 4, 0],
            &[4, 0],
        ] {
            let axes = Channels::new(shape).unwrap();
            let seen = Mutex::new((vec![0; axes.len()], vec![0; axes.channels]));
            axes.blocks(|channels| {
                let (values, found) = &mut *seen.lock().unwrap();
                channels.clone().for_each(|c| found[c] += 1);
                for (from, len) in axes.pieces(&channels) {
                    assert!(len <= axes.columns(&channels));
                    for (i, value) in values[from..from + len].iter_mut().enumerate() {
                        *value += 1;
                        assert!(channels.contains(&((from + i) / axes.inner % axes.channels)));
                    }
                }
            });
            let (values, found) = seen.into_inner().unwrap();
            assert!(values.iter().chain(&found).all(|n| *n == 1), "{shape:?}");
        }
        assert_eq!(Channels::new(&[3]), None);
    }
}
