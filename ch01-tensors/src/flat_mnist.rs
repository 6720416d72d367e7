//! MNIST as a table (section 1.5): a row of 784 numbers and a label for each digit, and a random split of the rows.

use burn::data::dataset::transform::SelectionDataset;
use burn::data::dataset::{Dataset, DatasetError};
use common::data::Images;

/// A digit: its grey levels from 0 (paper) to 1 (ink), row by row, and which digit it is.
pub type FlatDigit = (Vec<f32>, u8);

/// Images as rows of numbers. The bytes stay as they are; a row is made when it is asked for.
#[derive(Clone, Debug)]
pub struct FlatMnist {
    images: Images,
}

impl FlatMnist {
    /// The images as a table.
    pub fn new(images: Images) -> Self {
        Self { images }
    }

    /// Numbers in a row: 28 * 28 = 784.
    pub fn features(&self) -> usize {
        self.images.image_size()
    }

    /// Rows and columns of the picture that a row is.
    pub fn picture_size(&self) -> [usize; 2] {
        [self.images.height, self.images.width]
    }
}

impl Dataset<FlatDigit> for FlatMnist {
    /// Row `index`.
    ///
    /// # Panics
    /// If there is no such row, as Burn's trait demands.
    fn get(&self, index: usize) -> Result<FlatDigit, DatasetError> {
        let rows = self.len();
        assert!(
            index < rows,
            "there is no digit {index}: the {rows} digits are numbered from 0"
        );
        let pixels = self.images.image(index).iter();
        let row = pixels.map(|&byte| f32::from(byte) / 255.0).collect();
        Ok((row, self.images.label(index)))
    }

    fn len(&self) -> usize {
        self.images.len()
    }
}

/// Some of the rows of a [`FlatMnist`], without a copy of them; `indices` says which.
pub type Part = SelectionDataset<FlatMnist, FlatDigit>;

/// Splits the rows at random: `fraction` of them (rounded; a fraction outside \[0, 1\] counts as the nearer end) and the
/// rest. The same seed gives the same split.
pub fn random_split(data: FlatMnist, fraction: f64, seed: u64) -> (Part, Part) {
    let rows = data.len();
    let first = (rows as f64 * fraction.clamp(0.0, 1.0)).round() as usize;
    let shuffled = Part::new_shuffled(data, seed);
    (shuffled.slice(0, first), shuffled.slice(first, rows))
}
