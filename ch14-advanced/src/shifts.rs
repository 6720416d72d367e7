//! How much a network's answer depends on where a thing lies in the picture (section 14.1).

use burn::tensor::{Device, Tensor};
use common::data::{Batches, Crops};
use common::kernels::softmax;
use common::train::Network;
use common::{Error, Result};

/// Rows and columns by which the window moves.
pub const STEPS: usize = 8;
/// Places of the window.
pub const PLACES: usize = STEPS * STEPS;
/// Pictures that go through the network together.
const TOGETHER: usize = 8;

/// Row and column of the window at each of the places, row by row.
pub fn places() -> impl Iterator<Item = [usize; 2]> {
    (0..PLACES).map(|place| [place / STEPS, place % STEPS])
}

/// The probability of the true class of one image, seen through a window at each of [`places`].
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Of each place, from 0 to 1.
    pub probabilities: Vec<f64>,
    /// Whether the true class is the likeliest at each place.
    pub right: Vec<bool>,
}

impl Study {
    /// The lowest and the highest probability.
    pub fn range(&self) -> [f64; 2] {
        let values = self.probabilities.iter().copied();
        [
            values.clone().fold(f64::INFINITY, f64::min),
            values.fold(f64::NEG_INFINITY, f64::max),
        ]
    }

    /// The standard deviation over the places (of all of them, so divided by their number).
    pub fn deviation(&self) -> f64 {
        let n = self.probabilities.len() as f64;
        let mean = self.probabilities.iter().sum::<f64>() / n;
        let squares = self.probabilities.iter().map(|p| (p - mean).powi(2));
        (squares.sum::<f64>() / n).sqrt()
    }

    /// The number of places at which the true class is the likeliest.
    pub fn hits(&self) -> usize {
        self.right.iter().filter(|right| **right).count()
    }
}

/// Studies the first `n` images, or all of them if there are fewer.
///
/// # Errors
/// [`Error::Data`] for images that are too small for the window to move; [`Error::Training`] when the device fails.
pub fn study<N>(network: &N, data: &Crops, n: usize, device: &Device) -> Result<Vec<Study>>
where
    N: Network<Input = Tensor<4>>,
{
    let all: Vec<usize> = (0..n.min(data.len())).collect();
    study_some(network, data, &all, device)
}

/// Studies the images with these numbers.
///
/// # Errors
/// As [`study`].
///
/// # Panics
/// If there is no image of one of these numbers.
pub fn study_some<N>(
    network: &N,
    data: &Crops,
    indices: &[usize],
    device: &Device,
) -> Result<Vec<Study>>
where
    N: Network<Input = Tensor<4>>,
{
    let images = data.images();
    let needed = data.side() + STEPS - 1;
    if images.height < needed || images.width < needed {
        return Err(Error::Data(format!(
            "a window of {} pixels that moves by {STEPS} needs images of {needed} pixels a side",
            data.side()
        )));
    }
    let mut studies = Vec::with_capacity(indices.len());
    for some in indices.chunks(TOGETHER) {
        let windows = some.iter().flat_map(|&i| places().map(move |at| (i, at)));
        let values = windows.flat_map(|(i, at)| data.square(i, at)).collect();
        let logits = network.forward(data.tensor(values, device)); // [images * 64, classes]
        let classes = logits.dims()[1];
        let probabilities = softmax(logits).into_data().try_to_vec::<f32>();
        let failed = |error| Error::Training(format!("reading probabilities: {error:?}"));
        let probabilities = probabilities.map_err(failed)?;
        for (&i, of_image) in some.iter().zip(probabilities.chunks(PLACES * classes)) {
            let class = usize::from(images.label(i));
            let of_places = of_image.chunks(classes);
            let right = |row: &[f32]| row.iter().all(|p| *p <= row[class]);
            studies.push(Study {
                right: of_places.clone().map(right).collect(),
                probabilities: of_places.map(|row| f64::from(row[class])).collect(),
            });
        }
    }
    Ok(studies)
}

/// The median of the images' standard deviations (the exercise of section 14.1); NaN for no image.
pub fn median_deviation(studies: &[Study]) -> f64 {
    let mut all: Vec<f64> = studies.iter().map(Study::deviation).collect();
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => f64::NAN,
        n => (all[(n - 1) / 2] + all[n / 2]) / 2.0,
    }
}
