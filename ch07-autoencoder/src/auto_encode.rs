//! What an autoencoder is (section 7.1), and the data it is trained on.

use burn::tensor::{Device, Tensor};
use common::data::{Batch, Batches, Images, Split};
use common::train::Network;

/// Rows and columns of a digit.
pub const SIDE: usize = 28;
/// Pixels of a digit.
pub const PIXELS: usize = SIDE * SIDE;

/// A network f(x) = dec(enc(x)) that is trained to give back x.
///
/// Its output is the image as [B, 784], without an activation.
pub trait Autoencoder: Network<Input = Tensor<4>> {
    /// The code of each image.
    ///
    /// # Shapes
    /// - `images`: [B, 1, 28, 28]
    /// - output: [B, D]
    fn encode(&self, images: Tensor<4>) -> Tensor<2>;

    /// The image of each code.
    ///
    /// # Shapes
    /// - `codes`: [B, D]
    /// - output: [B, 784]
    fn decode(&self, codes: Tensor<2>) -> Tensor<2>;
}

/// Images that are their own targets: the book's `AutoEncodeDataset`, which turns (x, y) into (x, x).
#[derive(Clone, Debug)]
pub struct AutoEncodeDataset {
    /// The images; their labels are not used for training.
    pub images: Images,
}

impl AutoEncodeDataset {
    /// Both halves of a data set.
    pub fn split(data: &Split<Images>) -> Split<Self> {
        let images = |images: &Images| Self {
            images: images.clone(),
        };
        Split {
            train: images(&data.train),
            test: images(&data.test),
            source: data.source.clone(),
        }
    }
}

impl Batches for AutoEncodeDataset {
    /// [B, 1, 28, 28], and the same as [B, 784]
    type Batch = Batch<Tensor<4>, Tensor<2>>;

    fn len(&self) -> usize {
        self.images.len()
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        let inputs = self.images.tensor(indices, device);
        Batch {
            targets: inputs.clone().flatten(1, 3),
            inputs,
        }
    }
}
