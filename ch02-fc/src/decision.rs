//! What a classifier of points in the plane has learned: the probability of class 0 all over the plane
//! (`visualize2DSoftmax` of the book's helper library).

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use common::data::Points;
use common::plot::{self, Figure};
use common::train::Network;
use common::{Error, Result};

/// Points per axis. The book takes 20; finer shows the same surface without stairs.
const GRID: usize = 80;

/// Draws softmax(f(x))_0 for x on a grid that covers the range of `points` and 0.5 more on each side, with the points on top.
///
/// # Errors
/// [`Error::Training`] when the probabilities can't be read from the device.
pub fn visualize_2d_softmax<N>(
    title: &str,
    network: &N,
    points: &Points,
    device: &Device,
) -> Result<Figure>
where
    N: Network<Input = Tensor<2>>,
{
    let axis = |dimension: usize| -> Vec<f32> {
        let values = points.features.iter().skip(dimension).step_by(points.dim);
        let low = values.clone().copied().fold(f32::INFINITY, f32::min) - 0.5;
        let high = values.copied().fold(f32::NEG_INFINITY, f32::max) + 0.5;
        let step = (high - low) / (GRID - 1) as f32;
        (0..GRID).map(|i| low + step * i as f32).collect()
    };
    let (xs, ys) = (axis(0), axis(1));
    let grid: Vec<f32> = ys
        .iter()
        .flat_map(|y| xs.iter().flat_map(move |x| [*x, *y]))
        .collect();
    let grid = Tensor::<2>::from_data(TensorData::new(grid, [GRID * GRID, 2]), device);
    let probabilities = softmax(network.forward(grid), 1); // [GRID * GRID, 2]
    let of_class_0 = probabilities.narrow(1, 0, 1).into_data();
    let of_class_0 = of_class_0
        .try_to_vec::<f32>()
        .map_err(|error| Error::Training(format!("reading the surface: {error:?}")))?;
    Ok(plot::decision_surface(title, &xs, &ys, &of_class_0, points))
}
