//! The test of one pixel (section 3.5): a digit moved by one pixel is the same digit. Does the network think so?

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use common::data::Images;
use common::train::Network;
use common::{Error, Result};

/// The three positions: as it is, one pixel to the lower right, one to the upper left.
pub const SHIFTS: [(&str, isize); 3] = [("original", 0), ("lower right", 1), ("upper left", -1)];

/// Images [B, C, H, W] moved by `by` pixels down and to the right; what leaves on one side comes back on the other.
pub fn roll(images: Tensor<4>, by: isize) -> Tensor<4> {
    images.roll(&[by as i64, by as i64], &[2, 3]) // [B, C, H, W]
}

/// The probability softmax(f(x))_y that `network` gives to the true class of each of `images`, for each of [`SHIFTS`].
///
/// # Errors
/// [`Error::Training`] when the probabilities can't be read from the device.
pub fn true_class<N>(network: &N, images: &Images, device: &Device) -> Result<[Vec<f32>; 3]>
where
    N: Network<Input = Tensor<4>>,
{
    let mut found = [const { Vec::new() }; 3];
    let every: Vec<usize> = (0..images.len()).collect();
    for batch in every.chunks(100) {
        let x = images.tensor(batch, device);
        for (found, (_, by)) in found.iter_mut().zip(SHIFTS) {
            let p = softmax(network.forward(roll(x.clone(), by)), 1); // [B, 10]
            let p = p
                .into_data()
                .try_to_vec::<f32>()
                .map_err(|error| Error::Training(format!("reading probabilities: {error:?}")))?;
            let rows = p.chunks(images.classes()).zip(batch);
            found.extend(rows.map(|(row, i)| row[usize::from(images.label(*i))]));
        }
    }
    Ok(found)
}

/// Mean over images and the two moves of how much the probability of the true class changes.
pub fn sensitivity(probabilities: &[Vec<f32>; 3]) -> f64 {
    let [original, moved @ ..] = probabilities;
    let changes = moved.iter().flat_map(|moved| {
        let pairs = moved.iter().zip(original);
        pairs.map(|(moved, original)| f64::from((moved - original).abs()))
    });
    changes.sum::<f64>() / (2 * original.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn what_leaves_on_one_side_comes_back_on_the_other() {
        let device = Device::flex();
        let values: Vec<f32> = (0..9).map(|i| i as f32).collect();
        let image = Tensor::<4>::from_data(TensorData::new(values, [1, 1, 3, 3]), &device);
        let moved = roll(image.clone(), 1)
            .into_data()
            .try_to_vec::<f32>()
            .unwrap();
        assert_eq!(moved, [8.0, 6.0, 7.0, 2.0, 0.0, 1.0, 5.0, 3.0, 4.0]);
        let back = roll(roll(image.clone(), 1), -1).into_data();
        assert_eq!(back, image.into_data());
    }

    #[test]
    fn sensitivity_is_the_mean_change() {
        let p = [vec![0.5, 1.0], vec![0.25, 1.0], vec![0.75, 0.5]];
        assert!((sensitivity(&p) - 0.25).abs() < 1e-9);
    }
}
