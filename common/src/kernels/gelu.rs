//! The Gaussian error linear unit.

#[cfg(feature = "flex")]
pub(super) mod pass;

use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use super::flex;

/// `x Φ(x)` for each value, Φ the distribution function of the normal distribution: a rectifier without a corner. Hendrycks and Gimpel, Gaussian
/// Error Linear Units, 2016.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if flex::is_fast(&x) {
        return flex::gelu(x);
    }
    // Burn's own differentiates an approximation by tanh on some devices.
    let erf = (x.clone() / std::f64::consts::SQRT_2).erf();
    x * (erf + 1.0) / 2.0
}
