//! The logarithm of softmax over the last axis.

#[cfg(feature = "flex")]
mod rows;

#[cfg(feature = "flex")]
pub(super) use rows::{backward, forward, multiply, peak_and_sum};

use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use super::flex;

/// x_i - log(sum_j e^x_j) over the last axis, for any shape.
pub fn log_softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if flex::takes_log_softmax(&x) {
        return flex::log_softmax(x);
    }
    burn::tensor::activation::log_softmax(x, D - 1)
}
