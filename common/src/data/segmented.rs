//! Colour pictures with a mask each, for segmentation.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Batch, Batches};
use crate::seed::mix;
use crate::{Error, Result};

/// Colour pictures of one size, each with a mask that tells for every pixel whether it is part of an object.
///
/// Clones and parts share the pixels.
#[derive(Clone, Debug)]
pub struct Segmented {
    /// Rows of a picture.
    pub height: usize,
    /// Columns of a picture.
    pub width: usize,
    /// [pictures, 3, height, width], 0 to 255
    pixels: Arc<[u8]>,
    /// [pictures, height, width], 1 where an object is, else 0
    masks: Arc<[u8]>,
    /// The pictures of this set, as numbers in `pixels`.
    order: Vec<usize>,
    /// Side of the random squares that batches are made of.
    crop: Option<usize>,
}

impl Segmented {
    /// Pictures [3, height, width] of 0 to 255, one after the other, and their masks [height, width] of 0 and 1.
    ///
    /// # Errors
    /// [`Error::Data`] when pictures and masks are not equally many, or have no pixels.
    pub fn new(
        [height, width]: [usize; 2],
        pixels: impl Into<Arc<[u8]>>,
        masks: impl Into<Arc<[u8]>>,
    ) -> Result<Self> {
        let (pixels, masks) = (pixels.into(), masks.into());
        let plane = height * width;
        if plane == 0 || masks.len() % plane != 0 || pixels.len() != 3 * masks.len() {
            return Err(Error::Data(format!(
                "{} bytes of pictures and {} of masks are not equally many of {width}x{height}",
                pixels.len(),
                masks.len()
            )));
        }
        Ok(Self {
            height,
            width,
            order: (0..masks.len() / plane).collect(),
            pixels,
            masks,
            crop: None,
        })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The bytes of picture `i`, [3, height, width].
    ///
    /// # Panics
    /// If there is no picture `i`.
    pub fn picture(&self, i: usize) -> &[u8] {
        let size = 3 * self.height * self.width;
        &self.pixels[self.order[i] * size..][..size]
    }

    /// The mask of picture `i`, [height, width], 1 where an object is.
    ///
    /// # Panics
    /// If there is no picture `i`.
    pub fn mask(&self, i: usize) -> &[u8] {
        let size = self.height * self.width;
        &self.masks[self.order[i] * size..][..size]
    }

    /// The first `n` pictures, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        let mut first = self.clone();
        first.order.truncate(n);
        first
    }

    /// The same pictures, of which a batch shows random squares of this side, others in each epoch. A side of at least
    /// height and width leaves them whole.
    pub fn cropped(&self, side: usize) -> Self {
        let mut cropped = self.clone();
        cropped.crop = (side < self.height || side < self.width).then_some(side.max(1));
        cropped
    }

    /// A random split: `first` pictures (at most all) and the rest.
    pub fn random_split(self, first: usize, seed: u64) -> (Self, Self) {
        let mut order = self.order.clone();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let rest = order.split_off(first.min(order.len()));
        let part = |order| Self {
            order,
            ..self.clone()
        };
        (part(order), part(rest))
    }

    /// Upper left corner and size of what a batch shows of picture `i`.
    fn window(&self, i: usize, epoch_seed: u64) -> ([usize; 2], [usize; 2]) {
        let Some(side) = self.crop else {
            return ([0, 0], [self.height, self.width]);
        };
        let size = [side.min(self.height), side.min(self.width)];
        let mut rng = ChaCha8Rng::seed_from_u64(mix(epoch_seed, i as u64));
        let mut corner = |length: usize, shown: usize| rng.random_range(0..=length - shown);
        let corner = [corner(self.height, size[0]), corner(self.width, size[1])];
        (corner, size)
    }
}

/// Copies rows of a plane of this width, each byte as `value(byte)`.
fn copy(
    plane: &[u8],
    width: usize,
    ([top, left], [height, columns]): ([usize; 2], [usize; 2]),
    out: &mut [f32],
    value: impl Fn(u8) -> f32,
) {
    for (row, out) in out.chunks_exact_mut(columns).take(height).enumerate() {
        let from = &plane[(top + row) * width + left..][..columns];
        for (out, byte) in out.iter_mut().zip(from) {
            *out = value(*byte);
        }
    }
}

impl Batches for Segmented {
    /// [batch, 3, height, width] in \[0, 1\]; [batch, 1, height, width], 1 where an object is
    type Batch = Batch<Tensor<4>, Tensor<4>>;

    fn len(&self) -> usize {
        Segmented::len(self)
    }

    /// Pictures are large.
    fn evaluation_batch(&self) -> usize {
        1
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch {
        let (_, [height, width]) = self.window(0, 0);
        let (plane, whole) = (height * width, self.height * self.width);
        let mut inputs = vec![0.0; indices.len() * 3 * plane];
        let mut targets = vec![0.0; indices.len() * plane];
        inputs
            .par_chunks_exact_mut(3 * plane)
            .zip(targets.par_chunks_exact_mut(plane))
            .zip(indices)
            .for_each(|((input, target), &i)| {
                let window = self.window(i, epoch_seed);
                let channels = self.picture(i).chunks_exact(whole);
                for (channel, out) in channels.zip(input.chunks_exact_mut(plane)) {
                    copy(channel, self.width, window, out, |b| f32::from(b) / 255.0);
                }
                copy(self.mask(i), self.width, window, target, f32::from);
            });
        let tensor = |values, channels| {
            let shape = [indices.len(), channels, height, width];
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        Batch {
            inputs: tensor(inputs, 3),
            targets: tensor(targets, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pictures of 4x6; the first channel counts the pixels, the mask is the parity of its values.
    fn set() -> Segmented {
        let pixels: Vec<u8> = (0..3 * 3 * 24).map(|i| (i % 72) as u8).collect();
        let masks: Vec<u8> = (0..3 * 24).map(|i| (i % 2) as u8).collect();
        Segmented::new([4, 6], pixels, masks).unwrap()
    }

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn batches_are_pictures_and_masks() {
        let batch = set().batch(&[2, 0], 1, &Device::flex());
        assert_eq!(batch.inputs.dims(), [2, 3, 4, 6]);
        let inputs = values(batch.inputs);
        let want = |i: usize| (i % 72) as f32 / 255.0;
        assert!(inputs.iter().enumerate().all(|(i, v)| *v == want(i)));
        assert_eq!(values(batch.targets)[..4], [0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn crops_cut_picture_and_mask_alike_and_change_with_the_epoch() {
        let cropped = set().cropped(3);
        let get = |epoch| {
            let batch = cropped.batch(&[0, 1, 2], epoch, &Device::flex());
            assert_eq!(batch.inputs.dims(), [3, 3, 3, 3]);
            (values(batch.inputs), values(batch.targets))
        };
        let (inputs, targets) = get(5);
        for (picture, mask) in inputs.chunks(27).zip(targets.chunks(9)) {
            for (value, mask) in picture.iter().zip(mask) {
                assert_eq!((value * 255.0).round() as u8 % 2, *mask as u8);
            }
            assert_eq!((picture[3] * 255.0 - picture[0] * 255.0).round(), 6.0);
        }
        assert_eq!(get(5), (inputs.clone(), targets));
        assert!((0..20).any(|epoch| get(epoch).0 != inputs));
        let whole = set().cropped(6).batch(&[0], 5, &Device::flex());
        assert_eq!(whole.inputs.dims(), [1, 3, 4, 6]);
    }

    #[test]
    fn splits_share_nothing_and_odd_sizes_are_refused() {
        let (first, rest) = set().random_split(2, 9);
        assert_eq!((first.len(), rest.len()), (2, 1));
        let mut all = [first.order, rest.order].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
        assert!(set().random_split(9, 1).1.is_empty());
        assert!(Segmented::new([4, 6], vec![0; 72], vec![0; 25]).is_err());
        assert!(Segmented::new([0, 6], vec![], vec![]).is_err());
    }
}
