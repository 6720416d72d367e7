//! Fast CPU operations for Burn's Flex backend, with their own backward passes.
//!
//! Each function takes and returns ordinary tensors and computes what Burn's operation of the same name computes.
//! `f32` tensors on a Flex device, with or without automatic differentiation, take the kernels of this module,
//! which Burn calls through its backend extension mechanism; everything else, and what the kernels do not cover,
//! takes Burn's own operation.
//!
//! The same inputs give the same numbers in every run with the same number of threads.

#[cfg(feature = "flex")]
mod conv;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod parallel;
#[cfg(feature = "flex")]
mod simd;

use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

/// 2-D convolution.
///
/// # Shapes
/// - `x`: `[batch, channels_in, height_in, width_in]`
/// - `weight`: `[channels_out, channels_in / groups, kernel_rows, kernel_cols]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, height_out, width_out]`
///
/// # Panics
/// As [`burn::tensor::module::conv2d`] does: if the channels of `x` and `weight` differ or the window is larger
/// than the padded input.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: impl Into<ConvOptions<2>>,
) -> Tensor<4> {
    let options = options.into();
    #[cfg(feature = "flex")]
    if flex::takes_conv2d(&x, &weight, bias.as_ref(), &options) {
        return flex::conv2d(x, weight, bias, options);
    }
    burn::tensor::module::conv2d(x, weight, bias, options)
}
