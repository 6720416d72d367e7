//! What codes tell of the digits they were made of (sections 7.1.4 and 7.2.2).

use burn::tensor::{Device, Tensor};
use common::data::Images;
use common::{Error, Result};

use crate::auto_encode::Autoencoder;

/// Images that are encoded at once.
const BATCH: usize = 256;

/// The codes of a data set, with the class of each.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// All codes, [n, D], row-major.
    pub values: Vec<f32>,
    /// D
    pub size: usize,
    /// The class of each.
    pub labels: Vec<u8>,
}

/// The codes of all images: the book's `encode_batch`. `change` is done to each batch of images first; it is told the batch's number.
///
/// # Errors
/// [`Error::Training`] when the device fails.
pub fn encode_batch(
    network: &impl Autoencoder,
    images: &Images,
    device: &Device,
    change: impl Fn(Tensor<4>, u64) -> Tensor<4>,
) -> Result<Codes> {
    let mut codes = Codes {
        labels: images.labels.clone(),
        ..Codes::default()
    };
    let all: Vec<usize> = (0..images.len()).collect();
    for (number, indices) in all.chunks(BATCH).enumerate() {
        let batch = change(images.tensor(indices, device), number as u64);
        let z = network.encode(batch); // [B, D]
        codes.size = z.dims()[1];
        let values = z.into_data().try_to_vec::<f32>();
        let values = values.map_err(|e| Error::Training(format!("reading codes: {e:?}")))?;
        codes.values.extend(values);
    }
    Ok(codes)
}

impl Codes {
    /// Each code.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.size.max(1))
    }

    /// A value of each code.
    pub fn column(&self, i: usize) -> Vec<f32> {
        self.rows().filter_map(|row| row.get(i).copied()).collect()
    }

    /// The class that most of the `k` codes nearest to `code` have, the smallest of several; none without codes.
    pub fn nearest(&self, code: &[f32], k: usize) -> Option<u8> {
        let squares =
            |row: &[f32]| -> f32 { row.iter().zip(code).map(|(a, b)| (a - b) * (a - b)).sum() };
        let mut near: Vec<(f32, u8)> = self
            .rows()
            .map(squares)
            .zip(self.labels.iter().copied())
            .collect();
        let k = k.min(near.len());
        if k > 0 && k < near.len() {
            near.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        let mut votes = [0usize; 256];
        for (_, label) in &near[..k] {
            votes[usize::from(*label)] += 1;
        }
        let most = (0..=u8::MAX)
            .rev()
            .max_by_key(|label| votes[usize::from(*label)])?;
        (k > 0).then_some(most)
    }

    /// The share of `questions` whose class is that of most of the `k` nearest of these codes; only those of the classes that `which` takes.
    pub fn read_right(&self, questions: &Codes, k: usize, which: impl Fn(u8) -> bool) -> f64 {
        let asked = questions.rows().zip(&questions.labels);
        let asked = asked.filter(|(_, label)| which(**label));
        let (mut right, mut all) = (0usize, 0usize);
        for (code, label) in asked {
            all += 1;
            right += usize::from(self.nearest(code, k) == Some(*label));
        }
        right as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(values: &[f32], labels: &[u8]) -> Codes {
        Codes {
            values: values.to_vec(),
            size: 1,
            labels: labels.to_vec(),
        }
    }

    #[test]
    fn the_majority_of_the_nearest_decides() {
        let known = codes(&[0.0, 1.0, 2.0, 10.0, 11.0], &[3, 3, 8, 8, 8]);
        assert_eq!(known.nearest(&[0.4], 1), Some(3));
        assert_eq!(known.nearest(&[0.4], 3), Some(3));
        assert_eq!(known.nearest(&[0.4], 5), Some(8));
        assert_eq!(known.nearest(&[0.4], 99), Some(8));
        // One of each: the smaller class.
        assert_eq!(known.nearest(&[1.5], 2), Some(3));
        assert_eq!(Codes::default().nearest(&[0.0], 3), None);
    }

    #[test]
    fn the_share_counts_the_asked_classes_only() {
        let known = codes(&[0.0, 1.0, 10.0, 11.0], &[3, 3, 8, 8]);
        let asked = codes(&[0.2, 9.0, 12.0, 0.1], &[3, 8, 8, 8]);
        assert_eq!(known.read_right(&asked, 1, |_| true), 0.75);
        assert_eq!(known.read_right(&asked, 1, |label| label == 3), 1.0);
        assert!(known.read_right(&asked, 1, |label| label == 5).is_nan());
    }
}
