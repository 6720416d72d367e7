//! Layers on the fast kernels, with the names, fields and shapes of [`burn::nn`].
//!
//! A chapter takes a layer from here instead of from `burn::nn` and changes nothing else: saved weights have the
//! same names, and the initial weights are the same numbers for the same seed.

mod activation;
mod attention;
mod average;
pub mod conv;
mod dropout;
mod embedding;
mod linear;
mod norm;
pub mod pool;
pub mod rnn;

pub use activation::{Relu, Sigmoid, Tanh};
pub use attention::{MultiHeadAttention, MultiHeadAttentionConfig};
pub use dropout::{Dropout, DropoutConfig};
pub use embedding::{Embedding, EmbeddingConfig};
pub use linear::{Linear, LinearConfig};
pub use norm::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig};

use burn::nn::PaddingConfig2d;

/// The padding before and after each axis of an image of this size.
fn padding_pairs(
    padding: &PaddingConfig2d,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
) -> [(usize, usize); 2] {
    match *padding {
        PaddingConfig2d::Valid => [(0, 0), (0, 0)],
        PaddingConfig2d::Same => {
            std::array::from_fn(|i| same_padding(size[i], kernel[i], stride[i]))
        }
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
    }
}

/// Zeros before and after an axis so that the output has `length / stride` positions, rounded up.
fn same_padding(length: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let positions = length.div_ceil(stride);
    let total = (positions.saturating_sub(1) * stride + kernel).saturating_sub(length);
    (total / 2, total - total / 2)
}
