//! Squares cut out of images: at random for training, in the middle for testing (chapter 14).

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Batch, Batches, Images};
use crate::seed::mix;

/// Images of which a batch shows squares.
#[derive(Clone, Debug)]
pub struct Crops {
    images: Images,
    side: usize,
    random: bool,
}

impl Crops {
    /// Squares of `side` pixels at random places, others in each epoch (torchvision's `RandomCrop` without padding). A side is at most
    /// that of the images.
    pub fn random(images: Images, side: usize) -> Self {
        let side = side.min(images.height).min(images.width);
        Self {
            images,
            side,
            random: true,
        }
    }

    /// Squares of `side` pixels from the middle (`CenterCrop`).
    pub fn center(images: Images, side: usize) -> Self {
        Self {
            random: false,
            ..Self::random(images, side)
        }
    }

    /// The images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// Rows and columns of a square.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Rows above and columns before the square that is shown of image `i`.
    fn corner(&self, i: usize, epoch_seed: u64) -> [usize; 2] {
        let most = [self.images.height, self.images.width].map(|length| length - self.side);
        match self.random {
            true => {
                let mut rng = ChaCha8Rng::seed_from_u64(mix(epoch_seed, i as u64));
                most.map(|most| rng.random_range(0..=most))
            }
            // As torchvision, which rounds.
            false => most.map(|most| (most as f64 / 2.0).round_ties_even() as usize),
        }
    }

    /// The square of image `i` below `top` rows and behind `left` columns, scaled to \[0, 1\]: [channels, side, side].
    ///
    /// # Panics
    /// If there is no such image or the square reaches beyond it.
    pub fn square(&self, i: usize, [top, left]: [usize; 2]) -> Vec<f32> {
        let (width, side) = (self.images.width, self.side);
        let planes = self
            .images
            .image(i)
            .chunks_exact(self.images.height * width);
        let mut values = Vec::with_capacity(self.images.channels * side * side);
        for plane in planes {
            for row in top..top + side {
                let bytes = &plane[row * width + left..][..side];
                values.extend(bytes.iter().map(|byte| f32::from(*byte) / 255.0));
            }
        }
        values
    }

    /// As many squares as there are in `values`, as a tensor [squares, channels, side, side].
    ///
    /// # Panics
    /// If `values` has no whole number of squares.
    pub fn tensor(&self, values: Vec<f32>, device: &Device) -> Tensor<4> {
        let [channels, side] = [self.images.channels, self.side];
        let size = channels * side * side;
        let shape = [values.len() / size.max(1), channels, side, side];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

impl Batches for Crops {
    /// [batch, channels, side, side] in \[0, 1\], \[batch\]
    type Batch = Batch<Tensor<4>, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.images.len()
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch {
        let square = |&i: &usize| self.square(i, self.corner(i, epoch_seed));
        let values = indices.iter().flat_map(square).collect();
        Batch {
            inputs: self.tensor(values, device),
            targets: self.images.labels_tensor(indices, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Two images of 5x4 in two channels; a byte is its own place.
    fn images() -> Images {
        let pixels: Vec<u8> = (0..80).collect();
        Images::new([2, 5, 4], pixels, vec![0, 0], vec!["x".into()]).unwrap()
    }

    fn bytes(batch: Batch<Tensor<4>, Tensor<1, Int>>) -> Vec<u8> {
        let values = batch.inputs.into_data().try_to_vec::<f32>().unwrap();
        values.iter().map(|v| (v * 255.0).round() as u8).collect()
    }

    #[test]
    fn the_middle_is_torchvision_s() {
        let batch = Crops::center(images(), 2).batch(&[1], 3, &Device::flex());
        assert_eq!(batch.inputs.dims(), [1, 2, 2, 2]);
        // (5 - 2) / 2 rounds to 2 rows, (4 - 2) / 2 is 1 column.
        assert_eq!(bytes(batch), [49, 50, 53, 54, 69, 70, 73, 74]);
    }

    #[test]
    fn random_squares_lie_inside_and_depend_on_the_epoch_alone() {
        let crops = Crops::random(images(), 3);
        let device = Device::flex();
        let mut corners = HashSet::new();
        for epoch in 0..200 {
            let of_one = bytes(crops.batch(&[1], epoch, &device));
            assert_eq!(of_one, bytes(crops.batch(&[0, 1], epoch, &device))[18..]);
            let first = of_one[0];
            let rows: Vec<u8> = [0, 1, 2, 4, 5, 6, 8, 9, 10].map(|at| first + at).into();
            assert_eq!(of_one[..9], rows);
            assert_eq!(of_one[9], first + 20, "the same place in each channel");
            corners.insert(first - 40);
        }
        let expected = HashSet::from([0, 1, 4, 5, 8, 9]);
        assert_eq!(corners, expected);
    }

    #[test]
    fn a_square_is_no_larger_than_the_image() {
        assert_eq!(Crops::random(images(), 9).side(), 4);
    }
}
