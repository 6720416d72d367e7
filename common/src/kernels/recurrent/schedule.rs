//! The order in which sequences of different lengths are walked through.

use std::ops::Range;

/// Fewer sequences than this are not worth a thread of their own: a tile of the matrix product.
const GRAIN: usize = 8;

/// The sequences of one thread, longest first, so that those that are not over yet are the first ones at each step.
///
/// Their steps are stored step after step, as PyTorch's packed sequences are: no step of padding takes part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Sequences (rows of the batch) and their lengths.
    pub sequences: Vec<(usize, usize)>,
    /// The rows of each step, counted over all parts.
    steps: Vec<Range<usize>>,
}

impl Part {
    /// Number of steps of the longest sequence.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The rows of step `t`; the first is that of the longest sequence. None after the last step.
    pub fn rows(&self, t: usize) -> Range<usize> {
        self.steps.get(t).cloned().unwrap_or(0..0)
    }

    /// The rows of the steps from `t` on that are together at least `count`, and the step after them.
    pub fn block(&self, t: usize, count: usize) -> (Range<usize>, usize) {
        let first = self.rows(t).start;
        let ends = self.steps.iter().enumerate().skip(t);
        let enough = ends
            .map(|(t, rows)| (first..rows.end, t + 1))
            .find(|(rows, _)| rows.len() >= count);
        let last = self.steps.last().map_or(first, |rows| rows.end);
        enough.unwrap_or((first..last, self.steps.len()))
    }

    /// The sequences of step `t` and their place in time; a reversed sequence starts at its own end.
    pub fn places(&self, t: usize, reverse: bool) -> impl Iterator<Item = (usize, usize)> + '_ {
        let count = self.rows(t).len();
        let running = self.sequences.iter().take(count);
        running.map(move |&(b, length)| (b, if reverse { length - 1 - t } else { t }))
    }
}

/// All sequences of a batch, in parts of about equal work.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub parts: Vec<Part>,
    /// Steps of all sequences together.
    pub rows: usize,
}

impl Schedule {
    /// Sequences of these lengths for so many threads.
    pub fn new(lengths: &[usize], threads: usize) -> Self {
        let mut order: Vec<(usize, usize)> = lengths.iter().copied().enumerate().collect();
        // Stable: equal lengths stay in the order of the batch.
        order.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
        let count = lengths.len().div_ceil(GRAIN).clamp(1, threads.max(1));
        let mut rows = 0;
        let parts = (0..count)
            .map(|index| {
                // One after the other to each part, so that long and short ones are shared out evenly.
                let sequences: Vec<_> = order.iter().skip(index).step_by(count).copied().collect();
                let longest = sequences.first().map_or(0, |&(_, length)| length);
                let steps = (0..longest)
                    .map(|t| {
                        let first = rows;
                        rows += sequences.partition_point(|&(_, length)| length > t);
                        first..rows
                    })
                    .collect();
                Part { sequences, steps }
            })
            .collect();
        Self { parts, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_step_of_every_sequence_has_a_row() {
        let cases: [(&[usize], usize); 6] = [
            (&[], 2),
            (&[0], 2),
            (&[3], 4),
            (&[2, 0, 5, 5, 1], 2),
            (&[7; 20], 2),
            (&[1, 9, 2, 8, 3, 7, 4, 6, 5, 5, 1, 1, 1, 1, 1, 1, 0], 3),
        ];
        for (lengths, threads) in cases {
            let schedule = Schedule::new(lengths, threads);
            assert!(schedule.parts.len() <= threads);
            assert_eq!(schedule.rows, lengths.iter().sum::<usize>());
            for reverse in [false, true] {
                let mut rows = HashSet::new();
                let mut seen = HashSet::new();
                for part in &schedule.parts {
                    for t in 0..part.steps() {
                        rows.extend(part.rows(t));
                        seen.extend(part.places(t, reverse));
                        assert_eq!(part.places(t, reverse).count(), part.rows(t).len());
                    }
                    assert_eq!(part.rows(part.steps()), 0..0);
                }
                assert_eq!(rows, (0..schedule.rows).collect());
                let all = lengths.iter().enumerate();
                let all: HashSet<_> = all
                    .flat_map(|(b, &n)| (0..n).map(move |t| (b, t)))
                    .collect();
                assert_eq!(seen, all);
            }
        }
    }

    #[test]
    fn blocks_are_whole_steps() {
        let schedule = Schedule::new(&[3, 1, 2], 1);
        let part = &schedule.parts[0];
        assert_eq!(part.block(0, 1), (0..3, 1));
        assert_eq!(part.block(0, 4), (0..5, 2));
        assert_eq!(part.block(1, 100), (3..6, 3));
    }
}
