//! Labelled 8-bit images, kept as the bytes they came in.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{Error, Result};

/// Fewest values that are worth a thread of their own.
const GRAIN: usize = 1 << 14;

/// 8-bit images with class labels: [n, channels, height, width], row-major. Clones and [`Images::take`] share the pixels.
#[derive(Clone, Debug)]
pub struct Images {
    /// 1 for grey images, 3 for colour.
    pub channels: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// All images, one after the other, 0 to 255. May hold more images than there are labels; those don't count.
    pub pixels: Arc<[u8]>,
    /// The class of each image.
    pub labels: Vec<u8>,
    /// The name of each class.
    pub class_names: Vec<String>,
}

impl Images {
    /// Images of `shape` [channels, height, width].
    ///
    /// # Errors
    /// [`Error::Data`] when pixels and labels don't match, or a label has no class.
    pub fn new(
        shape: [usize; 3],
        pixels: impl Into<Arc<[u8]>>,
        labels: Vec<u8>,
        class_names: Vec<String>,
    ) -> Result<Self> {
        let pixels = pixels.into();
        let [channels, height, width] = shape;
        let wanted = shape
            .iter()
            .try_fold(labels.len(), |size, side| size.checked_mul(*side));
        if wanted != Some(pixels.len()) {
            return Err(Error::Data(format!(
                "{} labels need {} images of {channels}x{height}x{width} bytes, but there are {} bytes",
                labels.len(),
                labels.len(),
                pixels.len()
            )));
        }
        if let Some(at) = labels
            .iter()
            .position(|&label| usize::from(label) >= class_names.len())
        {
            return Err(Error::Data(format!(
                "label {at} is {}, but the {} classes are numbered from 0",
                labels[at],
                class_names.len()
            )));
        }
        Ok(Self {
            channels,
            height,
            width,
            pixels,
            labels,
            class_names,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// Bytes of one image.
    pub fn image_size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The bytes of image `i`, [channels, height, width].
    ///
    /// # Panics
    /// If there is no image `i`.
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.image_size();
        &self.pixels[i * size..(i + 1) * size]
    }

    /// The class of image `i`.
    ///
    /// # Panics
    /// If there is no image `i`.
    pub fn label(&self, i: usize) -> u8 {
        self.labels[i]
    }

    /// The first `n` images, or all of them if there are fewer. The pixels are shared, not copied.
    pub fn take(&self, n: usize) -> Self {
        let mut first = self.clone();
        first.labels.truncate(n);
        first
    }

    /// The images with these numbers, in this order.
    ///
    /// # Panics
    /// If there is no image of one of these numbers.
    pub fn subset(&self, indices: &[usize]) -> Self {
        let mut pixels = Vec::with_capacity(indices.len() * self.image_size());
        for &i in indices {
            pixels.extend_from_slice(self.image(i));
        }
        Self {
            pixels: pixels.into(),
            labels: indices.iter().map(|&i| self.label(i)).collect(),
            class_names: self.class_names.clone(),
            ..*self
        }
    }

    /// A random split: `fraction` of the images (rounded) and the rest.
    pub fn random_split(self, fraction: f64, seed: u64) -> (Self, Self) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let first = (self.len() as f64 * fraction.clamp(0.0, 1.0)).round() as usize;
        let (first, rest) = order.split_at(first.min(self.len()));
        (self.subset(first), self.subset(rest))
    }

    /// These images, then those of `other`.
    ///
    /// # Errors
    /// [`Error::Data`] when the images are of another size or of other classes.
    pub fn join(&self, other: &Self) -> Result<Self> {
        let shape = [self.channels, self.height, self.width];
        if shape != [other.channels, other.height, other.width]
            || self.class_names != other.class_names
        {
            return Err(Error::Data(
                "two sets of images of different sizes or classes can't be joined".into(),
            ));
        }
        let mine = &self.pixels[..self.len() * self.image_size()];
        let theirs = &other.pixels[..other.len() * self.image_size()];
        Self::new(
            shape,
            [mine, theirs].concat(),
            [self.labels.as_slice(), &other.labels].concat(),
            self.class_names.clone(),
        )
    }

    /// The images with these numbers, scaled to \[0, 1\]: [indices, channels, height, width].
    ///
    /// # Panics
    /// If there is no image of one of these numbers.
    pub fn tensor(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let size = self.image_size();
        let mut values = Vec::with_capacity(indices.len() * size);
        let rows = values
            .spare_capacity_mut()
            .par_chunks_exact_mut(size.max(1));
        let pairs = rows.zip(indices).with_min_len(GRAIN / size.max(1) + 1);
        pairs.for_each(|(row, &i)| {
            for (value, &byte) in row.iter_mut().zip(self.image(i)) {
                value.write(f32::from(byte) / 255.0);
            }
        });
        // SAFETY: each of the rows has been written, and an image is as long as a row.
        unsafe { values.set_len(indices.len() * size) };
        self.batch_tensor(values, device)
    }

    /// A tensor of as many images of this set's size as `values` holds.
    pub(super) fn batch_tensor(&self, values: Vec<f32>, device: &Device) -> Tensor<4> {
        let n = values.len() / self.image_size().max(1);
        let shape = [n, self.channels, self.height, self.width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// The classes of the images with these numbers: \[indices\].
    ///
    /// # Panics
    /// If there is no image of one of these numbers.
    pub fn labels_tensor(&self, indices: &[usize], device: &Device) -> Tensor<1, Int> {
        super::tables::labels_tensor(&self.labels, indices, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four() -> Images {
        let pixels: Vec<u8> = (0..4 * 6).collect();
        let names = vec!["a".to_string(), "b".to_string()];
        Images::new([1, 2, 3], pixels, vec![0, 1, 1, 0], names).unwrap()
    }

    #[test]
    fn a_batch_has_the_images_asked_for_scaled_to_one() {
        let device = Device::flex();
        let images = four();
        let batch = images.tensor(&[2, 0], &device);
        assert_eq!(batch.dims(), [2, 1, 2, 3]);
        let values = batch.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values[0], 12.0 / 255.0);
        assert_eq!(values[6..9], [0.0, 1.0 / 255.0, 2.0 / 255.0]);
        let labels = images.labels_tensor(&[2, 0], &device).into_data();
        assert_eq!(labels.iter::<i64>().collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn take_subset_and_join_keep_images_with_their_labels() {
        let images = four();
        assert_eq!(images.take(9).len(), 4);
        let two = images.take(2);
        assert!(Arc::ptr_eq(&two.pixels, &images.pixels));
        let joined = two.join(&images.subset(&[3])).unwrap();
        assert_eq!(joined.labels, [0, 1, 0]);
        assert_eq!(joined.image(2), images.image(3));
    }

    #[test]
    fn a_split_has_every_image_once() {
        let (a, b) = four().random_split(0.75, 1);
        assert_eq!((a.len(), b.len()), (3, 1));
        let joined = a.join(&b).unwrap();
        let mut first: Vec<u8> = (0..4).map(|i| joined.image(i)[0]).collect();
        first.sort_unstable();
        assert_eq!(first, [0, 6, 12, 18]);
    }

    #[test]
    fn pixels_and_labels_must_match() {
        let names = vec!["a".to_string()];
        assert!(Images::new([1, 2, 3], vec![0; 5], vec![0], names.clone()).is_err());
        assert!(Images::new([1, 2, 3], vec![0; 6], vec![1], names).is_err());
    }
}
