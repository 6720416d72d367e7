//! Derivatives of layers along a direction, as operations that are themselves differentiated.
//!
//! Burn differentiates once. What needs the gradient of a derivative (the gradient penalty of chapter 9) carries the derivative
//! along a direction, the tangent, forward through the layers beside the values, with these functions where a layer is not linear.

use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use super::{activation::Activation, flex};

/// The derivative of [`leaky_relu`](super::leaky_relu) along `tangent`: `tangent` where x is above zero, `negative_slope * tangent`
/// elsewhere.
///
/// `value` is the function's value, whose sign is that of x if the slope is positive. The derivative is constant on both sides of
/// zero, so no gradient flows to x.
///
/// # Shapes
/// - `value`, `tangent` and output: the same
///
/// # Panics
/// If the two shapes differ.
pub fn leaky_relu_tangent<const D: usize>(
    value: Tensor<D>,
    tangent: Tensor<D>,
    negative_slope: f64,
) -> Tensor<D> {
    assert_eq!(value.dims(), tangent.dims(), "a tangent of another shape");
    #[cfg(feature = "flex")]
    if negative_slope as f32 > 0.0 && flex::is_fast(&value) && flex::is_fast(&tangent) {
        let f = Activation::LeakyRelu(negative_slope as f32);
        return flex::rectifier_tangent(value, tangent, f);
    }
    let above = value.detach().greater_elem(0.0).float();
    tangent * (above * (1.0 - negative_slope) + negative_slope)
}

/// The derivative of [`layer_norm`](super::layer_norm) at x along `tangent`, u:
/// `gamma (u - mean of u - x^ mean of (x^ u)) / sqrt(variance + epsilon)` with `x^ = (x - mean) / sqrt(variance + epsilon)` and all
/// means over the last `N` axes.
///
/// # Shapes
/// - `x`, `tangent` and output: `[..., n1, ..., nN]`
/// - `gamma`: `[n1, ..., nN]`
///
/// # Panics
/// If the two shapes differ or the last axes of x are not those of `gamma`.
pub fn layer_norm_tangent<const D: usize, const N: usize>(
    x: Tensor<D>,
    tangent: Tensor<D>,
    gamma: Tensor<N>,
    epsilon: f64,
) -> Tensor<D> {
    let (shape, normalised) = (x.dims(), gamma.dims());
    assert_eq!(shape, tangent.dims(), "a tangent of another shape");
    assert!(
        shape.ends_with(&normalised),
        "layer norm over {normalised:?} does not fit a tensor of shape {shape:?}"
    );
    #[cfg(feature = "flex")]
    if flex::takes_layer_norm(&x, &gamma, None) && flex::is_fast(&tangent) {
        return flex::layer_norm_tangent(x, tangent, gamma, epsilon);
    }
    let width: usize = normalised.iter().product();
    let rows = shape[..D - N].iter().product::<usize>();
    let centred = |t: Tensor<D>| {
        let t = t.reshape([rows, width]);
        t.clone() - t.mean_dim(1)
    };
    let (x, u) = (centred(x), centred(tangent)); // [rows, width]
    let deviation = (x.clone().square().mean_dim(1) + epsilon).sqrt(); // [rows, 1]
    let x = x / deviation.clone();
    let along = (x.clone() * u.clone()).mean_dim(1); // [rows, 1]
    let gamma = gamma.reshape([1, width]);
    ((u - x * along) / deviation * gamma).reshape(shape)
}
