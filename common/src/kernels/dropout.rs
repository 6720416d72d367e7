//! Dropout.

#[cfg(feature = "flex")]
pub(super) mod random;

use burn::tensor::{Distribution, Tensor};

#[cfg(feature = "flex")]
use super::flex;

/// Sets each value to zero with the probability `rate` and multiplies the others by `1 / (1 - rate)`, whose mean is so the input.
/// Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.
///
/// Which values become zero is drawn from the device's generator. On Flex only a seed is drawn from it, and the backward pass finds the zeros by
/// that seed again instead of keeping them.
///
/// # Panics
/// If `rate` is not in `[0, 1)`.
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f64) -> Tensor<D> {
    assert!((0.0..1.0).contains(&rate), "a dropout of {rate}");
    #[cfg(feature = "flex")]
    if flex::is_fast(&x) {
        let dropout = random::Dropout::drawn(rate, &x.device());
        return flex::dropout(x, dropout);
    }
    let kept = x.random_like(Distribution::Bernoulli(1.0 - rate));
    x * kept / (1.0 - rate)
}
