//! Toy data for detection: a canvas with one to three digits at random places (section 8.4).

use burn::tensor::{Device, Tensor, TensorData};
use common::data::{Batches, Images};
use common::seed::mix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::roi_heads::Object;

/// Rows and columns of a canvas.
pub const SIDE: usize = 100;
/// The most digits on a canvas.
pub const MOST: usize = 3;

/// Canvases of digits.
///
/// As in the book each access places other digits elsewhere, but what it places is drawn from (seed, number of the canvas): with `fresh`
/// from the epoch too.
#[derive(Clone, Debug)]
pub struct Canvases {
    digits: Images,
    count: usize,
    seed: u64,
    fresh: bool,
    first_label: usize,
}

/// A canvas: its picture [100, 100], digits added where they overlap, and the digits with the boxes of their 28x28 pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Canvas {
    /// Row by row.
    pub pixels: Vec<f32>,
    /// Where digits are; digit d is labelled 1 + d.
    pub objects: Vec<Object>,
}

/// Canvases to train on.
#[derive(Clone, Debug)]
pub struct CanvasBatch {
    /// [batch, 1, 100, 100]
    pub pictures: Tensor<4>,
    /// The digits of each.
    pub objects: Vec<Vec<Object>>,
    /// Draws what is trained on.
    pub seed: u64,
}

impl Canvases {
    /// `count` canvases with digits of these images, which must not be larger than a canvas. With `fresh` they are others in each epoch.
    pub fn new(digits: Images, count: usize, seed: u64, fresh: bool) -> Self {
        Self {
            digits,
            count,
            seed,
            fresh,
            first_label: 1,
        }
    }

    /// The book's labels: digit d is labelled d, so that a 0 is background.
    pub fn labelled_from_zero(mut self) -> Self {
        self.first_label = 0;
        self
    }

    /// Number of canvases.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Canvas `i` as `epoch_seed` has it.
    pub fn canvas(&self, i: usize, epoch_seed: u64) -> Canvas {
        let epoch = if self.fresh { epoch_seed } else { 0 };
        let mut rng = ChaCha8Rng::seed_from_u64(mix(mix(self.seed, epoch), i as u64));
        let mut canvas = Canvas {
            pixels: vec![0.0; SIDE * SIDE],
            objects: Vec::new(),
        };
        if self.digits.is_empty() {
            return canvas;
        }
        let [height, width] = [self.digits.height, self.digits.width].map(|n| n.min(SIDE));
        for _ in 0..rng.random_range(1..=MOST) {
            let digit = rng.random_range(0..self.digits.len());
            let [top, left] = [height, width].map(|n| rng.random_range(0..=(SIDE - n).max(1) - 1));
            let rows = self.digits.image(digit).chunks_exact(self.digits.width);
            for (row, bytes) in rows.take(height).enumerate() {
                let out = &mut canvas.pixels[(top + row) * SIDE + left..][..width];
                for (out, byte) in out.iter_mut().zip(bytes) {
                    *out += f32::from(*byte) / 255.0;
                }
            }
            let corners = [left, top, left + width, top + height].map(|v| v as f32);
            let label = self.first_label + usize::from(self.digits.label(digit));
            canvas.objects.push(Object { corners, label });
        }
        canvas
    }
}

impl Batches for Canvases {
    type Batch = CanvasBatch;

    fn len(&self) -> usize {
        Canvases::len(self)
    }

    /// Many regions of each are kept.
    fn evaluation_batch(&self) -> usize {
        16
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> CanvasBatch {
        let mut pixels = Vec::with_capacity(indices.len() * SIDE * SIDE);
        let mut objects = Vec::with_capacity(indices.len());
        for i in indices {
            let canvas = self.canvas(*i, epoch_seed);
            pixels.extend(canvas.pixels);
            objects.push(canvas.objects);
        }
        let shape = [indices.len(), 1, SIDE, SIDE];
        let first = indices.first().copied().unwrap_or(0);
        CanvasBatch {
            pictures: Tensor::from_data(TensorData::new(pixels, shape), device),
            objects,
            seed: mix(epoch_seed, first as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits() -> Images {
        let pixels: Vec<u8> = (0..5u8).flat_map(|d| vec![50 * (d + 1); 28 * 28]).collect();
        let names = (0..10).map(|d| d.to_string()).collect();
        Images::new([1, 28, 28], pixels, vec![0, 1, 2, 3, 4], names).unwrap()
    }

    #[test]
    fn boxes_are_where_the_digits_are_and_their_values_add_up() {
        let canvases = Canvases::new(digits(), 200, 7, false);
        let (mut counts, mut labels) = ([0; 4], [0; 6]);
        let mut ends = [f32::MAX, f32::MIN];
        for i in 0..200 {
            let canvas = canvases.canvas(i, 1);
            counts[canvas.objects.len()] += 1;
            let mut want = vec![0.0f32; SIDE * SIDE];
            for object in &canvas.objects {
                labels[object.label] += 1;
                let [x1, y1, x2, y2] = object.corners;
                assert_eq!([x2 - x1, y2 - y1], [28.0; 2]);
                ends = [ends[0].min(x1).min(y1), ends[1].max(x1).max(y1)];
                for y in y1 as usize..y2 as usize {
                    for x in x1 as usize..x2 as usize {
                        want[y * SIDE + x] += (50 * object.label) as f32 / 255.0;
                    }
                }
            }
            let same = want.iter().zip(&canvas.pixels);
            assert!(same.into_iter().all(|(a, b)| (a - b).abs() < 1e-6));
        }
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|n| *n > 40) && labels[1..].iter().all(|n| *n > 40));
        assert_eq!(ends, [0.0, 71.0]);
    }

    #[test]
    fn fresh_canvases_change_with_the_epoch_and_fixed_ones_do_not() {
        let fresh = Canvases::new(digits(), 5, 7, true);
        assert_eq!(fresh.canvas(2, 1), fresh.canvas(2, 1));
        assert_ne!(fresh.canvas(2, 1), fresh.canvas(2, 2));
        let fixed = Canvases::new(digits(), 5, 7, false);
        assert_eq!(fixed.canvas(2, 1), fixed.canvas(2, 2));
        assert_ne!(fixed.canvas(2, 1), fixed.canvas(3, 1));
        let zero = fixed.clone().labelled_from_zero().canvas(2, 1);
        for (a, b) in zero.objects.iter().zip(fixed.canvas(2, 1).objects) {
            assert_eq!(a.label + 1, b.label);
        }
    }
}
