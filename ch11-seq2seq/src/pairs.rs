//! Pairs of sentences in numbers, and padded batches of them (section 11.2).

use burn::tensor::{Device, Int, Tensor};
use common::data::{Batches, PaddedSequences, Sequences};
use common::seed::mix;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::words::{EOS, PAD, Vocabulary};

/// Pairs of a source (SOS, words, EOS) and a target (words, EOS).
#[derive(Clone, Debug, Default)]
pub struct Translations {
    /// Sentences to be translated.
    pub sources: Sequences,
    /// Their translations.
    pub targets: Sequences,
}

/// A batch of pairs, each side padded to its own longest sentence.
#[derive(Clone, Debug)]
pub struct PairBatch {
    /// [B, S] with lengths.
    pub source: PaddedSequences,
    /// [B, T]
    pub target: Tensor<2, Int>,
    /// From which the batch's coin and sampled words are drawn.
    pub seed: u64,
}

impl Translations {
    /// Pairs of words as numbers.
    pub fn new(pairs: &[[Vec<String>; 2]], vocabulary: &Vocabulary) -> Self {
        let mut all = Self::default();
        for [source, target] in pairs {
            all.sources.push(&vocabulary.source(source).0);
            all.targets.push(&vocabulary.target(target));
        }
        all
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The target of pair `i` without its EOS.
    ///
    /// # Panics
    /// If there is no pair `i`.
    pub fn reference(&self, i: usize) -> &[u32] {
        let target = self.targets.get(i);
        target.strip_suffix(&[EOS]).unwrap_or(target)
    }

    /// A random tenth for testing and the rest for training, in random order.
    pub fn split(&self, seed: u64) -> (Self, Self) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (train, test) = order.split_at(self.len() * 9 / 10);
        (self.subset(train), self.subset(test))
    }

    /// The first `n` pairs, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        Self {
            sources: self.sources.take(n),
            targets: self.targets.take(n),
        }
    }

    fn subset(&self, indices: &[usize]) -> Self {
        let of = |all: &Sequences| indices.iter().map(|&i| all.get(i)).collect();
        Self {
            sources: of(&self.sources),
            targets: of(&self.targets),
        }
    }
}

impl Batches for Translations {
    type Batch = PairBatch;

    fn len(&self) -> usize {
        Translations::len(self)
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> PairBatch {
        let first = indices.first().copied().unwrap_or(0);
        PairBatch {
            source: self.sources.padded(indices, PAD, device),
            target: self.targets.padded(indices, PAD, device).ids,
            seed: mix(epoch_seed, first as u64),
        }
    }
}
