//! Sequences of tokens in memory, and padded batches of them (chapters 4, 6, 7, 10 to 12).
//!
//! Letters in shape comments: B sequences in a batch, T tokens of the longest.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::loader::{Batch, Batches};
use super::tables::labels_tensor;
use crate::{Error, Result};

/// Batches among whose sequences those of like length are looked for.
const POOL: usize = 50;

/// Sequences of token numbers, of any lengths, one after the other in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequences {
    tokens: Vec<u32>,
    /// Where each sequence ends in `tokens`.
    ends: Vec<usize>,
}

/// A batch of sequences, padded to the longest: what PyTorch's `pad_packed_sequence` gives. A recurrent layer that is given the
/// lengths computes for each sequence what it computes for it alone.
#[derive(Clone, Debug)]
pub struct PaddedSequences {
    /// Token numbers, [B, T]; after the end of a sequence the number that was asked for as padding.
    pub ids: Tensor<2, Int>,
    /// Tokens of each sequence.
    pub lengths: Vec<usize>,
}

impl Sequences {
    /// Adds a sequence at the end.
    pub fn push(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
        self.ends.push(self.tokens.len());
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The tokens of sequence `i`.
    ///
    /// # Panics
    /// If there is no sequence `i`.
    pub fn get(&self, i: usize) -> &[u32] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.tokens[start..self.ends[i]]
    }

    /// All sequences, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// The first `n` sequences, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        let ends = self.ends[..n.min(self.len())].to_vec();
        let tokens = self.tokens[..ends.last().copied().unwrap_or(0)].to_vec();
        Self { tokens, ends }
    }

    /// The sequences with these numbers, filled up with `padding` to the longest of them (and to one token at least).
    ///
    /// # Panics
    /// If there is no sequence of one of these numbers.
    pub fn padded(&self, indices: &[usize], padding: u32, device: &Device) -> PaddedSequences {
        let lengths: Vec<usize> = indices.iter().map(|&i| self.get(i).len()).collect();
        let time = lengths.iter().copied().max().unwrap_or(0).max(1);
        let mut ids = Vec::with_capacity(indices.len() * time);
        for &i in indices {
            ids.extend(self.get(i).iter().map(|&id| id as i32));
            ids.resize(ids.len() + time - self.get(i).len(), padding as i32);
        }
        let ids = Tensor::from_data(TensorData::new(ids, [indices.len(), time]), device); // [B, T]
        PaddedSequences { ids, lengths }
    }
}

impl<'a> FromIterator<&'a [u32]> for Sequences {
    fn from_iter<I: IntoIterator<Item = &'a [u32]>>(sequences: I) -> Self {
        let mut all = Self::default();
        sequences.into_iter().for_each(|tokens| all.push(tokens));
        all
    }
}

/// Sequences with a class each.
#[derive(Clone, Debug)]
pub struct LabeledSequences {
    /// The sequences.
    pub sequences: Sequences,
    /// The class of each sequence.
    pub labels: Vec<u8>,
    /// The name of each class.
    pub class_names: Vec<String>,
    /// The token that fills up shorter sequences of a batch.
    pub padding: u32,
    /// Whether sequences of like length are trained on together, which takes less padding.
    pub buckets: bool,
}

impl LabeledSequences {
    /// Sequences with their labels, padded with token 0.
    ///
    /// # Errors
    /// [`Error::Data`] when sequences and labels don't match, or a label has no class.
    pub fn new(sequences: Sequences, labels: Vec<u8>, class_names: Vec<String>) -> Result<Self> {
        let (counted, classes) = (sequences.len(), class_names.len());
        if counted != labels.len() {
            let labels = labels.len();
            return Err(Error::Data(format!(
                "{counted} sequences with {labels} labels"
            )));
        }
        if let Some(at) = labels
            .iter()
            .position(|&label| usize::from(label) >= classes)
        {
            return Err(Error::Data(format!(
                "label {at} is {}, but the {classes} classes are numbered from 0",
                labels[at]
            )));
        }
        Ok(Self {
            sequences,
            labels,
            class_names,
            padding: 0,
            buckets: false,
        })
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The first `n` sequences, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self {
            sequences: self.sequences.take(n),
            labels: self.labels[..n].to_vec(),
            class_names: self.class_names.clone(),
            ..*self
        }
    }

    /// The same, the shortest sequences first: evaluated in this order, batches need less padding.
    pub fn by_length(&self) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&i| self.sequences.get(i).len());
        Self {
            sequences: order.iter().map(|&i| self.sequences.get(i)).collect(),
            labels: order.iter().map(|&i| self.labels[i]).collect(),
            class_names: self.class_names.clone(),
            ..*self
        }
    }
}

impl Batches for LabeledSequences {
    /// [batch, time] with lengths, \[batch\]
    type Batch = Batch<PaddedSequences, Tensor<1, Int>>;

    fn len(&self) -> usize {
        LabeledSequences::len(self)
    }

    fn arrange(&self, mut order: Vec<usize>, batch_size: usize, seed: u64) -> Vec<usize> {
        if !self.buckets {
            return order;
        }
        for pool in order.chunks_mut(POOL * batch_size) {
            pool.sort_by_key(|&i| self.sequences.get(i).len());
        }
        // A last batch of fewer sequences stays the last.
        let whole = order.len() - order.len() % batch_size;
        let mut batches: Vec<&[usize]> = order[..whole].chunks(batch_size).collect();
        batches.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        [batches.concat(), order[whole..].to_vec()].concat()
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        Batch {
            inputs: self.sequences.padded(indices, self.padding, device),
            targets: labels_tensor(&self.labels, indices, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sequences(all: &[&[u32]]) -> Sequences {
        all.iter().copied().collect()
    }

    fn ids(padded: &PaddedSequences) -> Vec<i32> {
        padded.ids.to_data().iter::<i32>().collect()
    }

    #[test]
    fn shorter_sequences_are_filled_up() {
        let set = sequences(&[&[5, 6, 7], &[], &[8]]);
        let device = Device::flex();
        let batch = set.padded(&[2, 0, 1], 9, &device);
        assert_eq!(batch.ids.dims(), [3, 3]);
        assert_eq!(ids(&batch), [8, 9, 9, 5, 6, 7, 9, 9, 9]);
        assert_eq!(batch.lengths, [1, 3, 0]);
        // The batch is as long as its own longest sequence, not the set's.
        assert_eq!(set.padded(&[2, 2], 9, &device).ids.dims(), [2, 1]);
        assert_eq!(set.padded(&[1], 9, &device).ids.dims(), [1, 1]);
    }

    #[test]
    fn labels_come_with_their_sequences() {
        let set = sequences(&[&[1], &[2, 2], &[3, 3, 3]]);
        let names = vec!["a".to_string(), "b".to_string()];
        let labeled = LabeledSequences::new(set.clone(), vec![0, 1, 1], names.clone()).unwrap();
        let batch = labeled.batch(&[1, 0], 0, &Device::flex());
        assert_eq!(ids(&batch.inputs), [2, 2, 1, 0]);
        assert_eq!(
            batch.targets.to_data().iter::<i32>().collect::<Vec<_>>(),
            [1, 0]
        );
        assert_eq!(labeled.take(2).sequences, sequences(&[&[1], &[2, 2]]));
        assert_eq!(labeled.take(9).len(), 3);
        assert!(labeled.take(0).is_empty());
        assert!(LabeledSequences::new(set.clone(), vec![0, 1], names.clone()).is_err());
        let error = LabeledSequences::new(set, vec![0, 1, 2], names).unwrap_err();
        assert!(error.to_string().contains("label 2 is 2"), "{error}");
    }

    #[test]
    fn buckets_bring_like_lengths_together_and_lose_nothing() {
        let all: Vec<Vec<u32>> = (0..203).map(|i| vec![7; (i * 37) % 90 + 1]).collect();
        let set: Sequences = all.iter().map(Vec::as_slice).collect();
        let mut labeled = LabeledSequences::new(set, vec![0; 203], vec!["a".into()]).unwrap();
        let order: Vec<usize> = (0..203).rev().collect();
        assert_eq!(labeled.arrange(order.clone(), 8, 1), order);
        labeled.buckets = true;
        let arranged = labeled.arrange(order.clone(), 8, 1);
        let mut sorted = arranged.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..203));
        assert_ne!(arranged, labeled.arrange(order, 8, 2));
        let padded = |order: &[usize]| -> usize {
            let longest = |batch: &[usize]| batch.iter().map(|&i| all[i].len()).max().unwrap_or(0);
            order
                .chunks(8)
                .map(|batch| batch.len() * longest(batch))
                .sum()
        };
        let tokens: usize = all.iter().map(Vec::len).sum();
        assert!(
            padded(&arranged) < tokens * 11 / 10,
            "{}",
            padded(&arranged)
        );
        let lengths: Vec<usize> = labeled
            .by_length()
            .sequences
            .iter()
            .map(<[u32]>::len)
            .collect();
        assert!(lengths.is_sorted() && lengths.len() == 203);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(all in prop::collection::vec(prop::collection::vec(0..1000u32, 0..7), 0..9)) {
            let set: Sequences = all.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(set.len(), all.len());
            prop_assert!(set.iter().eq(all.iter().map(Vec::as_slice)));
            for n in 0..all.len() {
                prop_assert!(set.take(n).iter().eq(all[..n].iter().map(Vec::as_slice)));
            }
        }
    }
}
