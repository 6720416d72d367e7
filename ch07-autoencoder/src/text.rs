//! Characters to numbers, and a text as a data set that is its own target (section 7.5.1).

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::data::{Batch, Batches};
use common::{Error, Result};

/// Characters of the book's text; as many of ours are taken.
pub const LENGTH: usize = 99_993;
/// Characters of a chunk.
pub const CHUNK: usize = 250;

/// The symbols of a text; the number of a symbol is its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    symbols: Vec<char>,
}

impl Vocabulary {
    /// The symbols of a text in the order in which they first appear.
    pub fn of(text: &str) -> Self {
        let mut symbols: Vec<char> = Vec::new();
        for symbol in text.chars() {
            if !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        Self { symbols }
    }

    /// The number of symbols.
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The symbols as a text, of which [`of`](Self::of) makes this vocabulary again.
    pub fn text(&self) -> String {
        self.symbols.iter().collect()
    }

    /// The numbers of a text's characters, and the characters that have none.
    pub fn numbers(&self, text: &str) -> (Vec<u32>, Vec<char>) {
        let (mut numbers, mut unknown) = (Vec::new(), Vec::new());
        for symbol in text.chars() {
            match self.symbols.iter().position(|known| *known == symbol) {
                Some(number) => numbers.push(number as u32),
                None => unknown.push(symbol),
            }
        }
        (numbers, unknown)
    }

    /// The symbol of a number, if it is one of the vocabulary.
    pub fn symbol(&self, number: u32) -> Option<char> {
        self.symbols.get(number as usize).copied()
    }

    /// The text of these numbers.
    pub fn spell(&self, numbers: &[u32]) -> String {
        numbers.iter().filter_map(|n| self.symbol(*n)).collect()
    }
}

/// Chunks of a text, each with the same characters shifted by one as its target: the book's `AutoRegressiveDataset`.
#[derive(Clone, Debug)]
pub struct AutoRegressiveDataset {
    numbers: Vec<u32>,
    chunk: usize,
    chunks: usize,
}

impl AutoRegressiveDataset {
    /// As many chunks of `chunk` characters as the text has that do not overlap, at most `most`.
    ///
    /// # Errors
    /// [`Error::Data`] for a text too short for one chunk.
    pub fn new(numbers: Vec<u32>, chunk: usize, most: usize) -> Result<Self> {
        let chunk = chunk.max(1);
        let chunks = (numbers.len().saturating_sub(1) / chunk).min(most);
        if chunks == 0 {
            return Err(Error::Data(format!(
                "a text of {} characters is too short for a chunk of {chunk} and its target",
                numbers.len()
            )));
        }
        Ok(Self {
            numbers,
            chunk,
            chunks,
        })
    }
}

impl Batches for AutoRegressiveDataset {
    /// [B, T], and the same one character later, [B, T]
    type Batch = Batch<Tensor<2, Int>, Tensor<2, Int>>;

    fn len(&self) -> usize {
        self.chunks
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        let shifted = |by: usize| {
            let chunk = |&i: &usize| {
                let start = i * self.chunk + by;
                self.numbers[start..start + self.chunk].iter()
            };
            let numbers: Vec<i32> = indices.iter().flat_map(chunk).map(|&n| n as i32).collect();
            Tensor::from_data(
                TensorData::new(numbers, [indices.len(), self.chunk]),
                device,
            )
        };
        Batch {
            inputs: shifted(0),
            targets: shifted(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_numbered_as_they_appear() {
        let known = Vocabulary::of("to be, or not to be");
        assert_eq!(known.text(), "to be,rn");
        let (numbers, unknown) = known.numbers("bet on!");
        assert_eq!(numbers, [3, 4, 0, 2, 1, 7]);
        assert_eq!(unknown, ['!']);
        assert_eq!(known.spell(&[3, 4, 0, 99]), "bet");
        assert_eq!(Vocabulary::of(&known.text()), known);
    }

    #[test]
    fn a_target_is_the_next_character() {
        let set = AutoRegressiveDataset::new((0..10).collect(), 3, 99).unwrap();
        assert_eq!(set.len(), 3);
        let batch = set.batch(&[2, 0], 0, &Device::flex());
        let numbers = |t: Tensor<2, Int>| t.into_data().iter::<i32>().collect::<Vec<_>>();
        assert_eq!(numbers(batch.inputs), [6, 7, 8, 0, 1, 2]);
        assert_eq!(numbers(batch.targets), [7, 8, 9, 1, 2, 3]);
        assert_eq!(
            AutoRegressiveDataset::new((0..9).collect(), 3, 99)
                .unwrap()
                .len(),
            2
        );
        assert_eq!(
            AutoRegressiveDataset::new((0..9).collect(), 3, 1)
                .unwrap()
                .len(),
            1
        );
        assert!(AutoRegressiveDataset::new((0..3).collect(), 3, 99).is_err());
    }
}
