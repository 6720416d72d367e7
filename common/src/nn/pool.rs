//! Pooling layers.

pub use super::average::{
    AdaptiveAvgPool1d, AdaptiveAvgPool1dConfig, AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig,
    AvgPool1d, AvgPool1dConfig, AvgPool2d, AvgPool2dConfig,
};

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::nn::PaddingConfig2d;
use burn::tensor::Tensor;
use burn::tensor::ops::MaxPoolOptions;

use super::padding_pairs;
use crate::kernels::max_pool2d;

/// Configuration of a [`MaxPool2d`] layer; the fields are those of [`burn::nn::pool::MaxPool2dConfig`].
#[derive(Config, Debug)]
pub struct MaxPool2dConfig {
    /// Rows and columns of a window.
    pub kernel_size: [usize; 2],
    /// Distance of two windows.
    #[config(default = "kernel_size")]
    pub strides: [usize; 2],
    /// Cells around the image, which are never the largest.
    #[config(default = "PaddingConfig2d::Valid")]
    pub padding: PaddingConfig2d,
    /// Distance of two cells of a window.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Whether a last window may reach beyond the image.
    #[config(default = "false")]
    pub ceil_mode: bool,
}

impl MaxPool2dConfig {
    /// The layer.
    pub fn init(&self) -> MaxPool2d {
        MaxPool2d {
            stride: self.strides,
            kernel_size: self.kernel_size,
            padding: self.padding.clone(),
            dilation: self.dilation,
            ceil_mode: self.ceil_mode,
        }
    }
}

/// 2-D max pooling, see [`max_pool2d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct MaxPool2d {
    /// Distance of two windows.
    pub stride: [usize; 2],
    /// Rows and columns of a window.
    pub kernel_size: [usize; 2],
    /// Cells around the image, which are never the largest.
    #[module(skip)]
    pub padding: PaddingConfig2d,
    /// Distance of two cells of a window.
    pub dilation: [usize; 2],
    /// Whether a last window may reach beyond the image.
    pub ceil_mode: bool,
}

impl ModuleDisplay for MaxPool2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("kernel_size", &format!("{:?}", self.kernel_size))
            .add("stride", &format!("{:?}", self.stride))
            .add_debug_attribute("padding", &self.padding)
            .add("dilation", &format!("{:?}", self.dilation))
            .add("ceil_mode", &self.ceil_mode)
            .optional()
    }
}

impl MaxPool2d {
    /// Takes the largest value of each window.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, height_in, width_in]`
    /// - output: `[batch, channels, height_out, width_out]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = input.dims();
        let padding = padding_pairs(
            &self.padding,
            [height, width],
            self.kernel_size,
            self.stride,
        );
        max_pool2d(
            input,
            MaxPoolOptions::new(self.kernel_size)
                .with_stride(self.stride)
                .with_padding_pairs(padding)
                .with_dilation(self.dilation)
                .with_ceil_mode(self.ceil_mode),
        )
    }
}
