//! Fast CPU operations for Burn's Flex backend, with their own backward passes.
//!
//! Each function takes and returns ordinary tensors and computes what Burn's operation of the same name computes.
//! `f32` tensors on a Flex device, with or without automatic differentiation, take the kernels of this module,
//! which Burn calls through its backend extension mechanism; everything else, and what the kernels do not cover,
//! takes Burn's own operation.
//!
//! The same inputs give the same numbers in every run with the same number of threads.

// Tiles of registers are arrays indexed by constants, several in one loop: an index says it more plainly than zipped iterators.
#![allow(clippy::needless_range_loop)]

#[cfg(feature = "flex")]
mod activation;
mod attend;
#[cfg(feature = "flex")]
mod attention;
mod average;
#[cfg(feature = "flex")]
mod conv;
mod convolution;
mod dropout;
mod embedding;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod functions;
mod gelu;
mod log_softmax;
mod loss;
#[cfg(feature = "flex")]
mod matmul;
mod norm;
pub(crate) mod optimizer;
#[cfg(feature = "flex")]
mod packed;
#[cfg(feature = "flex")]
mod parallel;
#[cfg(feature = "flex")]
mod pool;
#[cfg(feature = "flex")]
mod recurrent;
mod rnn;
mod roi_align;
#[cfg(feature = "flex")]
mod scratch;
#[cfg(feature = "flex")]
mod simd;
#[cfg(feature = "flex")]
mod softmax;
#[cfg(feature = "flex")]
mod sums;
#[cfg(feature = "flex")]
mod tail;
mod tangent;

pub use attend::{
    AttentionMask, attention, attention_with_weights, masked_softmax, matmul, self_attention,
    softmax,
};
pub use average::{
    adaptive_avg_pool1d, adaptive_avg_pool2d, avg_pool1d, avg_pool2d, global_avg_pool,
};
pub use convolution::{conv_transpose2d, conv1d, conv2d};
pub use dropout::dropout;
pub use embedding::embedding;
pub use gelu::gelu;
pub use log_softmax::log_softmax;
pub use loss::{
    binary_cross_entropy_with_logits, cross_entropy, cross_entropy_ignoring, mean_squared_error,
    weighted_cross_entropy,
};
pub use norm::{
    batch_norm, batch_norm_leaky_relu, batch_norm_train, batch_norm_train_leaky_relu, layer_norm,
};
pub use rnn::{Recurrence, Recurrent, RecurrentWeights, recurrent, recurrent_step};
pub use roi_align::{Region, RoiAlign, roi_align};
pub use tangent::{layer_norm_tangent, leaky_relu_tangent};

use burn::tensor::Tensor;
use burn::tensor::ops::MaxPoolOptions;

/// A linear map with a bias: `x * weight + bias` over the last axis.
///
/// # Shapes
/// - `x`: `[..., inputs]`
/// - `weight`: `[inputs, outputs]`
/// - `bias`: `[outputs]`
/// - output: `[..., outputs]`
///
/// # Panics
/// As [`burn::tensor::module::linear`] does: if the last axis of `x` is not the first of `weight`.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if flex::takes_linear(&x, &weight, bias.as_ref()) {
        return flex::linear(x, weight, bias);
    }
    burn::tensor::module::linear(x, weight, bias)
}

/// 2-D max pooling: the largest value of each window.
///
/// # Shapes
/// - `x`: `[batch, channels, height_in, width_in]`
/// - output: `[batch, channels, height_out, width_out]`
pub fn max_pool2d(x: Tensor<4>, options: MaxPoolOptions<2>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(pool) = flex::max_pool(&x, &options) {
        return flex::max_pool2d(x, pool);
    }
    burn::tensor::module::max_pool2d(x, options)
}

/// An activation function on Flex.
#[cfg(feature = "flex")]
macro_rules! fast {
    ($x:ident, $f:expr) => {
        if flex::is_fast(&$x) {
            return flex::activate($x, $f);
        }
    };
}

/// The hyperbolic tangent of each value, to about 1e-7.
pub fn tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    fast!(x, activation::Activation::Tanh);
    burn::tensor::activation::tanh(x)
}

/// `1 / (1 + e^-x)` for each value.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    fast!(x, activation::Activation::Sigmoid);
    burn::tensor::activation::sigmoid(x)
}

/// The larger of 0 and x for each value.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    fast!(x, activation::Activation::Relu);
    burn::tensor::activation::relu(x)
}

/// x above zero and `negative_slope * x` below, for each value.
pub fn leaky_relu<const D: usize>(x: Tensor<D>, negative_slope: f64) -> Tensor<D> {
    // The kernel's backward pass tells the sign of x by that of the value.
    #[cfg(feature = "flex")]
    if negative_slope as f32 > 0.0 {
        fast!(x, activation::Activation::LeakyRelu(negative_slope as f32));
    }
    burn::tensor::activation::leaky_relu(x, negative_slope)
}
