//! Training images altered at random each time they are seen (section 3.6).

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Batch, Batches, Images};
use crate::seed::mix;

/// Writes an altered copy of an image into a slice of the same size: bytes in, values in \[0, 1\] out, height, width, and where
/// to draw from.
pub type Transform = Arc<dyn Fn(&[u8], &mut [f32], usize, usize, &mut ChaCha8Rng) + Send + Sync>;

/// Images that pass through a random transform on their way into a batch.
///
/// Each image draws from a generator seeded by (epoch, number of the image), so a batch does not depend on the order or on
/// what was drawn before: a resumed training sees what the uninterrupted one would have seen.
#[derive(Clone)]
pub struct Augmented {
    images: Images,
    transform: Transform,
}

impl Augmented {
    /// `images`, altered by `transform`. An image of several channels is transformed channel by channel, all with the same
    /// random numbers.
    pub fn new(images: Images, transform: Transform) -> Self {
        Self { images, transform }
    }
}

impl Batches for Augmented {
    /// [batch, channels, height, width] in \[0, 1\], \[batch\]
    type Batch = Batch<Tensor<4>, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.images.len()
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch {
        let (height, width) = (self.images.height, self.images.width);
        let size = self.images.image_size();
        let mut values = vec![0.0; indices.len() * size];
        for (&i, out) in indices.iter().zip(values.chunks_exact_mut(size.max(1))) {
            let rng = ChaCha8Rng::seed_from_u64(mix(epoch_seed, i as u64));
            let plane = (height * width).max(1);
            let channels = self.images.image(i).chunks_exact(plane);
            for (channel, out) in channels.zip(out.chunks_exact_mut(plane)) {
                (self.transform)(channel, out, height, width, &mut rng.clone());
            }
        }
        Batch {
            inputs: self.images.batch_tensor(values, device),
            targets: self.images.labels_tensor(indices, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn an_image_is_altered_by_its_number_and_the_epoch_not_by_its_place() {
        let device = Device::flex();
        let names = vec!["x".to_string()];
        let images = Images::new([2, 2, 2], vec![0; 8 * 5], vec![0; 5], names).unwrap();
        let noise: Transform = Arc::new(|_, out, _, _, rng| {
            out.iter_mut().for_each(|value| *value = rng.random());
        });
        let noisy = Augmented::new(images, noise);
        let get = |indices: &[usize], epoch| {
            let batch = noisy.batch(indices, epoch, &device).inputs;
            batch.into_data().try_to_vec::<f32>().unwrap()
        };
        let one = get(&[3], 9);
        assert_eq!(one, get(&[1, 3], 9)[8..]);
        assert_ne!(one, get(&[3], 10));
        assert_ne!(one, get(&[1], 9));
        assert_eq!(one[..4], one[4..], "channels are altered alike");
    }

    #[test]
    fn a_transform_that_copies_gives_the_images_themselves() {
        let device = Device::flex();
        let names = vec!["x".to_string()];
        let pixels: Vec<u8> = (0..60).collect();
        let images = Images::new([1, 4, 5], pixels, vec![0; 3], names).unwrap();
        let copy: Transform = Arc::new(|bytes, out, _, _, _| {
            for (out, byte) in out.iter_mut().zip(bytes) {
                *out = f32::from(*byte) / 255.0;
            }
        });
        let values = |batch: Batch<Tensor<4>, _>| {
            let dims = batch.inputs.dims();
            (dims, batch.inputs.into_data().try_to_vec::<f32>().unwrap())
        };
        let indices = [2, 0];
        let augmented = Augmented::new(images.clone(), copy).batch(&indices, 5, &device);
        assert_eq!(
            values(augmented),
            values(Batches::batch(&images, &indices, 5, &device))
        );
    }

    #[test]
    fn a_loader_gives_another_alteration_each_epoch_and_the_same_for_the_same_seed() {
        use burn::data::dataloader::DataLoader;
        use std::sync::atomic::Ordering;
        let names = vec!["x".to_string()];
        let images = Images::new([1, 2, 2], vec![0; 4 * 6], vec![0; 6], names).unwrap();
        let noise: Transform = Arc::new(|_, out, _, _, rng| {
            out.iter_mut().for_each(|value| *value = rng.random());
        });
        let data = Arc::new(Augmented::new(images, noise));
        // All values of an epoch, without regard to the order.
        let epoch = |seed, batch_size, epoch: usize| {
            let loader =
                super::super::Loader::new(data.clone(), batch_size, Some(seed), &Device::flex());
            loader.epoch_handle().store(epoch, Ordering::SeqCst);
            let batches = loader.iter().map(|batch| batch.unwrap().inputs.into_data());
            let mut values: Vec<f32> = batches
                .flat_map(|data| data.try_to_vec::<f32>().unwrap())
                .collect();
            values.sort_by(f32::total_cmp);
            values
        };
        assert_eq!(epoch(1, 2, 3), epoch(1, 4, 3));
        assert_ne!(epoch(1, 2, 3), epoch(1, 2, 4));
        assert_ne!(epoch(1, 2, 3), epoch(2, 2, 3));
    }
}
