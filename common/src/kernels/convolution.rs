//! Convolutions of tensors.

use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

#[cfg(feature = "flex")]
use super::flex;

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
    if let Some(conv) = flex::takes_conv2d(&x, &weight, bias.as_ref(), &options) {
        return flex::convolve(x, weight, bias, conv);
    }
    module::conv2d(x, weight, bias, options)
}

/// 2-D transposed convolution: each input value, times the kernel, is added to the output at `stride` times its
/// place.
///
/// # Shapes
/// - `x`: `[batch, channels_in, height_in, width_in]`
/// - `weight`: `[channels_in, channels_out / groups, kernel_rows, kernel_cols]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, height_out, width_out]`, where a side is
///   `(side_in - 1) * stride - 2 * padding + dilation * (kernel - 1) + padding_out + 1`
///
/// # Panics
/// As [`burn::tensor::module::conv_transpose2d`] does: if the channels of `x` and `weight` differ.
pub fn conv_transpose2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvTransposeOptions<2>,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(conv) = flex::takes_conv_transpose2d(&x, &weight, bias.as_ref(), &options) {
        return flex::convolve(x, weight, bias, conv);
    }
    module::conv_transpose2d(x, weight, bias, options)
}

/// 1-D convolution.
///
/// # Shapes
/// - `x`: `[batch, channels_in, length_in]`
/// - `weight`: `[channels_out, channels_in / groups, kernel]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, length_out]`
///
/// # Panics
/// As [`burn::tensor::module::conv1d`] does: if the channels of `x` and `weight` differ or the window is larger
/// than the padded input.
pub fn conv1d(
    x: Tensor<3>,
    weight: Tensor<3>,
    bias: Option<Tensor<1>>,
    options: impl Into<ConvOptions<1>>,
) -> Tensor<3> {
    let options = options.into();
    #[cfg(feature = "flex")]
    if flex::is_fast(&x) {
        // An image of one row.
        let ([batch, channels, length], [filters, depth, kernel]) = (x.dims(), weight.dims());
        let flat = ConvOptions::new_with_padding(
            [1, options.stride[0]],
            [(0, 0), options.padding[0]],
            [1, options.dilation[0]],
            options.groups,
        );
        let image = x.clone().reshape([batch, channels, 1, length]);
        let kernels = weight.clone().reshape([filters, depth, 1, kernel]);
        if let Some(conv) = flex::takes_conv2d(&image, &kernels, bias.as_ref(), &flat) {
            let out = flex::convolve(image, kernels, bias, conv);
            return out.squeeze_dim::<3>(2); // [batch, filters, length_out]
        }
    }
    module::conv1d(x, weight, bias, options)
}
