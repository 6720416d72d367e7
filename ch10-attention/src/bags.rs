//! Bags of digits whose label is the largest digit: the chapter's task (section 10.1).

use std::ops::RangeInclusive;

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::data::{Batch, Batches, Images};
use common::seed::mix;
use common::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Classes.
pub const DIGITS: usize = 10;
/// Height and width of a digit.
pub const SIDE: usize = 28;
/// Values of a digit.
pub const PIXELS: usize = SIDE * SIDE;

/// Bags of handwritten digits. A training pass draws new bags, with replacement, from all images; the bags that a network is evaluated on are
/// the same each time.
#[derive(Clone, Debug)]
pub struct DigitBags {
    images: Images,
    bags: usize,
    sizes: RangeInclusive<usize>,
    padded: usize,
    seed: u64,
}

impl DigitBags {
    /// So many bags of `size` digits each.
    ///
    /// # Errors
    /// As [`variable`](Self::variable).
    pub fn fixed(images: &Images, bags: usize, size: usize, seed: u64) -> Result<Self> {
        Self::variable(images, bags, size..=size, size, seed)
    }

    /// Bags of any of these numbers of digits, filled up to `padded` with images of zeros.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no image, images are not 1 x 28 x 28 with classes 0 to 9, or a bag can be empty or larger than `padded`.
    pub fn variable(
        images: &Images,
        bags: usize,
        sizes: RangeInclusive<usize>,
        padded: usize,
        seed: u64,
    ) -> Result<Self> {
        let shape = [images.channels, images.height, images.width];
        if images.is_empty() || shape != [1, SIDE, SIDE] || images.classes() != DIGITS {
            return Err(Error::Data(format!(
                "bags are made of images of 1x28x28 in 10 classes, not of {} of {shape:?} in {}",
                images.len(),
                images.classes()
            )));
        }
        if sizes.is_empty() || *sizes.start() == 0 || *sizes.end() > padded {
            return Err(Error::Data(format!(
                "bags of {} to {} digits can't be filled up to {padded}",
                sizes.start(),
                sizes.end()
            )));
        }
        Ok(Self {
            images: images.clone(),
            bags,
            sizes,
            padded,
            seed,
        })
    }

    /// The images in bag `index` of a pass, by their numbers.
    pub fn draw(&self, index: usize, epoch_seed: u64) -> Vec<usize> {
        let seed = mix(mix(self.seed, epoch_seed), index as u64);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let size = rng.random_range(self.sizes.clone());
        let image = |_| rng.random_range(0..self.images.len());
        (0..size).map(image).collect()
    }

    /// The images that bags are made of.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The digits of a bag.
    ///
    /// # Panics
    /// If there is no image of one of these numbers.
    pub fn digits(&self, bag: &[usize]) -> Vec<u8> {
        bag.iter().map(|&image| self.images.label(image)).collect()
    }

    /// A batch of these bags: [B, T, 1, 28, 28] from 0 to 1, and the largest digit of each, \[B\].
    ///
    /// # Panics
    /// If a bag has an image that is not there, or more images than bags of this set are padded to.
    pub fn tensors(&self, bags: &[Vec<usize>], device: &Device) -> (Tensor<5>, Tensor<1, Int>) {
        let room = self.padded * PIXELS;
        let mut values = vec![0.0; bags.len() * room];
        for (bag, values) in bags.iter().zip(values.chunks_exact_mut(room)) {
            assert!(bag.len() <= self.padded, "a bag of {} digits", bag.len());
            for (&image, values) in bag.iter().zip(values.chunks_exact_mut(PIXELS)) {
                for (value, &byte) in values.iter_mut().zip(self.images.image(image)) {
                    *value = f32::from(byte) / 255.0;
                }
            }
        }
        let shape = [bags.len(), self.padded, 1, SIDE, SIDE];
        let largest = bags
            .iter()
            .map(|bag| i32::from(self.digits(bag).into_iter().max().unwrap_or(0)));
        let labels: Vec<i32> = largest.collect();
        (
            Tensor::from_data(TensorData::new(values, shape), device),
            Tensor::from_data(TensorData::new(labels, [bags.len()]), device),
        )
    }
}

impl Batches for DigitBags {
    /// [B, T, 1, 28, 28], \[B\]
    type Batch = Batch<Tensor<5>, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.bags
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch {
        let bags: Vec<_> = indices.iter().map(|&i| self.draw(i, epoch_seed)).collect();
        let (inputs, targets) = self.tensors(&bags, device);
        Batch { inputs, targets }
    }
}
