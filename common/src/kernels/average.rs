//! Average pooling.

#[cfg(feature = "flex")]
pub(super) mod windows;

use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Tensor, module};

#[cfg(feature = "flex")]
use super::flex;

/// 2-D average pooling: the mean of each window.
///
/// # Shapes
/// - `x`: `[batch, channels, height_in, width_in]`
/// - output: `[batch, channels, height_out, width_out]`
pub fn avg_pool2d(x: Tensor<4>, options: AvgPoolOptions<2>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(pool) = flex::avg_pool(&x, &options) {
        return flex::average(x, pool);
    }
    module::avg_pool2d(x, options)
}

/// 1-D average pooling: the mean of each window.
///
/// # Shapes
/// - `x`: `[batch, channels, length_in]`
/// - output: `[batch, channels, length_out]`
pub fn avg_pool1d(x: Tensor<3>, options: AvgPoolOptions<1>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    {
        let [batch, channels, length] = x.dims();
        let ([kernel], [stride], [padding]) =
            (options.kernel_size, options.stride, options.padding);
        let both = AvgPoolOptions::new([1, kernel])
            .with_stride([1, stride])
            .with_padding_pairs([(0, 0), padding])
            .with_count_include_pad(options.count_include_pad)
            .with_ceil_mode(options.ceil_mode);
        let rows = x.clone().reshape([batch, channels, 1, length]);
        if let Some(pool) = flex::avg_pool(&rows, &both) {
            return flex::average(rows, pool).squeeze_dim(2);
        }
    }
    module::avg_pool1d(x, options)
}

/// 2-D average pooling to a given size: output row i of r is the mean of the input rows from `floor(i height / r)` to
/// `ceil((i + 1) height / r)`, and likewise the columns.
///
/// # Shapes
/// - `x`: `[batch, channels, height_in, width_in]`
/// - output: `[batch, channels, size[0], size[1]]`
pub fn adaptive_avg_pool2d(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(pool) = flex::adaptive_avg_pool(&x, size) {
        return flex::average(x, pool);
    }
    module::adaptive_avg_pool2d(x, size)
}

/// 1-D average pooling to a given length, see [`adaptive_avg_pool2d`].
///
/// # Shapes
/// - `x`: `[batch, channels, length_in]`
/// - output: `[batch, channels, length]`
pub fn adaptive_avg_pool1d(x: Tensor<3>, length: usize) -> Tensor<3> {
    #[cfg(feature = "flex")]
    {
        let [batch, channels, before] = x.dims();
        let rows = x.clone().reshape([batch, channels, 1, before]);
        if let Some(pool) = flex::adaptive_avg_pool(&rows, [1, length]) {
            return flex::average(rows, pool).squeeze_dim(2);
        }
    }
    module::adaptive_avg_pool1d(x, length)
}

/// Global average pooling: the mean of each channel over all further axes.
///
/// # Shapes
/// - `x`: `[batch, channels, ...]`
/// - output: `[batch, channels]`
///
/// # Panics
/// If x has fewer than two axes.
pub fn global_avg_pool<const D: usize>(x: Tensor<D>) -> Tensor<2> {
    let shape = x.dims();
    assert!(
        D >= 2,
        "global average pooling needs a channel axis, not the shape {shape:?}"
    );
    let (batch, channels) = (shape[0], shape[1]);
    let inner = shape[2..].iter().product::<usize>();
    let rows = x.reshape([batch, channels, inner]); // [batch, channels, inner]
    adaptive_avg_pool1d(rows, 1).reshape([batch, channels]) // [batch, channels]
}
