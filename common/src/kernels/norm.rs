//! Batch and layer normalisation.

#[cfg(feature = "flex")]
pub(super) mod batch;
#[cfg(feature = "flex")]
pub(super) mod channels;
#[cfg(feature = "flex")]
mod columns;
#[cfg(feature = "flex")]
pub(super) mod layer;
#[cfg(feature = "flex")]
pub(super) mod tangent;

use burn::tensor::Tensor;
use burn::tensor::module::{self, BatchNormTrainOutput};

#[cfg(feature = "flex")]
use super::flex;

/// Batch normalisation with the statistics of the batch: `gamma (x - mean) / sqrt(variance + epsilon) + beta`, for
/// each channel over the batch and all further axes (book, section 6.2; Ioffe and Szegedy 2015).
///
/// The result holds mean and biased variance too (both without a gradient), 0 if the batch is empty.
///
/// # Shapes
/// - `x`: `[batch, channels, ...]`
/// - `gamma`, `beta`: `[channels]`
/// - output: as `x`; mean and variance: `[channels]`
///
/// # Panics
/// As [`burn::tensor::module::batch_norm_train`] does: if x has fewer than two axes or another number of channels.
pub fn batch_norm_train<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> BatchNormTrainOutput<D> {
    train(x, gamma, beta, epsilon, None)
}

/// [`batch_norm_train`] and then [`leaky_relu`](super::leaky_relu), in one pass over memory forward and one backward.
///
/// # Panics
/// As [`batch_norm_train`].
pub fn batch_norm_train_leaky_relu<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    negative_slope: f64,
) -> BatchNormTrainOutput<D> {
    train(x, gamma, beta, epsilon, Some(negative_slope))
}

fn train<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    slope: Option<f64>,
) -> BatchNormTrainOutput<D> {
    #[cfg(feature = "flex")]
    if flex::takes_batch_norm(&x, &[&gamma, &beta]) {
        return flex::batch_norm_train(x, gamma, beta, settings(epsilon, slope));
    }
    let mut result = module::batch_norm_train(x, gamma, beta, epsilon);
    if let Some(slope) = slope {
        result.output = super::leaky_relu(result.output, slope);
    }
    result
}

#[cfg(feature = "flex")]
fn settings(epsilon: f64, slope: Option<f64>) -> batch::Settings {
    batch::Settings {
        epsilon,
        slope: slope.map(|s| s as f32),
    }
}

/// Batch normalisation with given statistics, as after training. Mean and variance are constants: no gradient flows
/// into them.
///
/// # Shapes
/// - `x`: `[batch, channels, ...]`
/// - `gamma`, `beta`, `mean`, `variance`: `[channels]`
/// - output: as `x`
///
/// # Panics
/// As [`burn::tensor::module::batch_norm`] does: if x has fewer than two axes or another number of channels.
pub fn batch_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    evaluate(x, [gamma, beta, mean, variance], epsilon, None)
}

/// [`batch_norm`] and then [`leaky_relu`](super::leaky_relu), in one pass over memory.
///
/// # Panics
/// As [`batch_norm`].
pub fn batch_norm_leaky_relu<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    epsilon: f64,
    negative_slope: f64,
) -> Tensor<D> {
    evaluate(
        x,
        [gamma, beta, mean, variance],
        epsilon,
        Some(negative_slope),
    )
}

fn evaluate<const D: usize>(
    x: Tensor<D>,
    [gamma, beta, mean, variance]: [Tensor<1>; 4],
    epsilon: f64,
    slope: Option<f64>,
) -> Tensor<D> {
    let (mean, variance) = (mean.detach(), variance.detach());
    #[cfg(feature = "flex")]
    if flex::takes_batch_norm(&x, &[&gamma, &beta, &mean, &variance]) {
        let settings = settings(epsilon, slope);
        return flex::batch_norm(x, [gamma, beta, mean, variance], settings);
    }
    let y = module::batch_norm(x, gamma, beta, mean, variance, epsilon);
    match slope {
        Some(slope) => super::leaky_relu(y, slope),
        None => y,
    }
}

/// Layer normalisation: `gamma (x - mean) / sqrt(variance + epsilon) + beta`, where mean and (biased) variance are
/// those of the last `N` axes, for each of the others (book, section 6.2; Ba, Kiros and Hinton 2016).
///
/// # Shapes
/// - `x`: `[..., n1, ..., nN]`
/// - `gamma`, `beta`: `[n1, ..., nN]`, a scale and a shift for each value
/// - output: as `x`
///
/// # Panics
/// If the last axes of x are not those of `gamma`.
pub fn layer_norm<const D: usize, const N: usize>(
    x: Tensor<D>,
    gamma: Tensor<N>,
    beta: Option<Tensor<N>>,
    epsilon: f64,
) -> Tensor<D> {
    let (shape, normalised) = (x.dims(), gamma.dims());
    assert!(
        shape.ends_with(&normalised),
        "layer norm over {normalised:?} does not fit a tensor of shape {shape:?}"
    );
    #[cfg(feature = "flex")]
    if flex::takes_layer_norm(&x, &gamma, beta.as_ref()) {
        return flex::layer_norm(x, gamma, beta, epsilon);
    }
    let width: usize = normalised.iter().product();
    let rows = shape[..D - N].iter().product::<usize>();
    let flat = |t: Tensor<N>| t.reshape([width]);
    let x = x.reshape([rows, width]); // [rows, width]
    module::layer_norm(x, flat(gamma), beta.map(flat), epsilon).reshape(shape)
}
