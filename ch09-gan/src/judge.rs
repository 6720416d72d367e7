//! A classifier of digits that judges what generators make: which digits, how many of each, how far from real ones.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use ch03_cnn::networks::{CLASSES, PooledCnn};
use common::data::{Images, Split};
use common::experiment::Run;
use common::kernels::{adaptive_avg_pool2d, softmax};
use common::train::{self, Classifier, Recipe};
use common::{Error, Result};

use crate::frechet::{Moments, frechet_distance};
use crate::noise::Noise;
use crate::players::Generator;

/// Values of a digit.
pub const PIXELS: usize = 28 * 28;
/// What the classifier is called in files.
pub const JUDGE: &str = "digit classifier";
/// Its features of a digit: each of the 32 maps of what its filters have found, averaged over each quarter of the picture.
pub const FEATURES: usize = 4 * 32;
/// Pictures looked at or made at once.
const BATCH: usize = 500;

/// The CNN of chapter 3, trained to classify digits.
pub struct Judge {
    network: PooledCnn,
    device: Device,
}

/// What the judge sees in pictures.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The digit of each.
    pub digits: Vec<u8>,
    /// How sure it is, 0 to 1.
    pub sure: Vec<f32>,
    /// [`FEATURES`] features of each.
    pub features: Vec<f32>,
}

impl Judge {
    /// Trains the classifier, or takes over the one that another experiment of this chapter has trained. The flags of the run are for
    /// the generators, not for their judge.
    ///
    /// # Errors
    /// As [`train::fit`].
    pub fn train(run: &mut Run, data: &Split<Images>) -> Result<Self> {
        let (train, epochs) = run.pick((256, 1), (12_000, 4), (60_000, 4));
        let recipe = Recipe::adamw(64, epochs);
        let device = run.device().clone();
        let model = Classifier::new(PooledCnn::new(&device));
        let images = Arc::new(data.train.take(train));
        let test = [(
            "test",
            Arc::new(data.test.take(run.pick(100, 2_000, 10_000))),
        )];
        let fitted = train::fit(&run.session(), JUDGE, model, &images, &test, &recipe)?;
        run.record(JUDGE, fitted.parameters, &fitted.history)?;
        run.metric(
            "accuracy of the digit classifier",
            fitted.history.last("test accuracy"),
        );
        Ok(Self {
            network: fitted.model.network,
            device,
        })
    }

    /// Looks at pictures of [`PIXELS`] values each.
    ///
    /// # Errors
    /// [`Error::Training`] when a result can't be read from the device.
    pub fn look(&self, pictures: &[f32]) -> Result<Seen> {
        let mut seen = Seen {
            digits: Vec::new(),
            sure: Vec::new(),
            features: Vec::new(),
        };
        for some in pictures.chunks(BATCH * PIXELS) {
            let shape = [some.len() / PIXELS, 1, 28, 28];
            let images = Tensor::from_data(TensorData::new(some.to_vec(), shape), &self.device);
            let maps = self.network.features(images); // [B, 32, 7, 7]
            let logits = self.network.scores(maps.clone()); // [B, 10]
            let features = adaptive_avg_pool2d(maps, [2, 2]).flatten::<2>(1, 3); // [B, 128]
            seen.features.extend(read(features)?);
            for p in read(softmax(logits))?.chunks(CLASSES) {
                let best = p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                let (digit, sure) = best.map_or((0, 0.0), |(digit, p)| (digit, *p));
                seen.digits.push(digit as u8);
                seen.sure.push(sure);
            }
        }
        Ok(seen)
    }
}

impl Seen {
    /// The part of all pictures that shows each digit.
    pub fn shares(&self) -> [f64; CLASSES] {
        let mut counts = [0usize; CLASSES];
        for digit in &self.digits {
            counts[usize::from(*digit) % CLASSES] += 1;
        }
        counts.map(|count| count as f64 / self.digits.len().max(1) as f64)
    }

    /// Mean and covariance of the features.
    pub fn moments(&self) -> Moments {
        Moments::of(&self.features, FEATURES)
    }

    /// The Fréchet distance to other pictures.
    pub fn distance(&self, others: &Moments) -> f64 {
        frechet_distance(&self.moments(), others)
    }

    /// The part of all pictures that show what they were to show.
    pub fn right(&self, asked: &[u8]) -> f64 {
        let pairs = self.digits.iter().zip(asked);
        let right = pairs.filter(|(seen, asked)| seen == asked).count();
        right as f64 / self.digits.len().max(1) as f64
    }
}

/// The entropy of shares in bits: 3.32 where ten digits are equally frequent, 0 where there is one only.
pub fn entropy(shares: &[f64]) -> f64 {
    let bits = shares
        .iter()
        .filter(|p| **p > 0.0)
        .map(|p| p * p.log2().abs());
    bits.sum()
}

/// The values of a tensor, row by row.
///
/// # Errors
/// [`Error::Training`] when they can't be read from the device.
pub fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data();
    data.try_to_vec()
        .map_err(|error| Error::Training(format!("reading from the device: {error:?}")))
}

/// Examples for noise given row by row, of the classes given, if any.
///
/// # Errors
/// As [`read`].
pub fn made<G: Generator>(
    generator: &G,
    noise: &[f32],
    classes: Option<&[u8]>,
    device: &Device,
) -> Result<Vec<f32>> {
    let width = generator.noise_size().max(1);
    let mut all = Vec::new();
    for (i, z) in noise.chunks(BATCH * width).enumerate() {
        let rows = z.len() / width;
        let some = classes.map(|classes| &classes[i * BATCH..i * BATCH + rows]);
        let z = Tensor::from_data(TensorData::new(z.to_vec(), [rows, width]), device);
        all.extend(read(generator.generate(z, some))?);
    }
    Ok(all)
}

/// So many rows of noise for a generator.
///
/// # Errors
/// As [`read`].
pub fn noise_for<G: Generator>(
    generator: &G,
    rows: usize,
    seed: u64,
    device: &Device,
) -> Result<Vec<f32>> {
    read(Noise::new(seed).normal(rows, generator.noise_size(), device))
}

/// The mean distance from a picture to the one most like it among the others, as the root of the mean squared difference of pixels.
/// Pictures that are all alike have a small one.
///
/// # Errors
/// As [`read`].
pub fn nearest_neighbour(pictures: &[f32], device: &Device) -> Result<f64> {
    let n = pictures.len() / PIXELS;
    let x = Tensor::<2>::from_data(TensorData::new(pictures.to_vec(), [n, PIXELS]), device);
    let squares = x.clone().square().sum_dim(1); // [n, 1]
    let products = read(x.clone().matmul(x.transpose()))?; // [n, n]
    let squares = read(squares)?;
    let nearest = |i: usize| {
        let others = (0..n).filter(|j| *j != i);
        let distance = |j: usize| squares[i] + squares[j] - 2.0 * products[i * n + j];
        let least = others.map(distance).fold(f32::INFINITY, f32::min);
        f64::from(least.max(0.0) / PIXELS as f32).sqrt()
    };
    Ok((0..n).map(nearest).sum::<f64>() / n.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_a_fair_or_a_loaded_die() {
        assert!((entropy(&[0.1; 10]) - 10f64.log2()).abs() < 1e-12);
        assert_eq!(entropy(&[0.0, 1.0, 0.0]), 0.0);
        assert_eq!(entropy(&[0.5, 0.25, 0.25]), 1.5);
    }

    #[test]
    fn neighbours_of_equal_pictures_are_at_no_distance() {
        let device = Device::flex();
        let mut pictures = vec![0.25; 3 * PIXELS];
        pictures[2 * PIXELS..].fill(1.25);
        let found = nearest_neighbour(&pictures, &device).unwrap();
        assert!((found - 1.0 / 3.0).abs() < 1e-3, "{found}");
    }
}
