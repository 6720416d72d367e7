//! Average pooling layers.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::ops::AvgPoolOptions;

use super::{padding_pairs, same_padding};
use crate::kernels;

/// Configuration of an [`AvgPool2d`] layer; the fields are those of [`burn::nn::pool::AvgPool2dConfig`].
#[derive(Config, Debug)]
pub struct AvgPool2dConfig {
    /// Rows and columns of a window.
    pub kernel_size: [usize; 2],
    /// Distance of two windows.
    #[config(default = "kernel_size")]
    pub strides: [usize; 2],
    /// Zeros around the image.
    #[config(default = "PaddingConfig2d::Valid")]
    pub padding: PaddingConfig2d,
    /// Whether these zeros count in the mean.
    #[config(default = "true")]
    pub count_include_pad: bool,
    /// Whether a last window may reach beyond the image.
    #[config(default = "false")]
    pub ceil_mode: bool,
}

impl AvgPool2dConfig {
    /// The layer.
    pub fn init(&self) -> AvgPool2d {
        AvgPool2d {
            stride: self.strides,
            kernel_size: self.kernel_size,
            padding: self.padding.clone(),
            count_include_pad: self.count_include_pad,
            ceil_mode: self.ceil_mode,
        }
    }
}

/// 2-D average pooling, see [`kernels::avg_pool2d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct AvgPool2d {
    /// Distance of two windows.
    pub stride: [usize; 2],
    /// Rows and columns of a window.
    pub kernel_size: [usize; 2],
    /// Zeros around the image.
    #[module(skip)]
    pub padding: PaddingConfig2d,
    /// Whether these zeros count in the mean.
    pub count_include_pad: bool,
    /// Whether a last window may reach beyond the image.
    pub ceil_mode: bool,
}

impl AvgPool2d {
    /// Takes the mean of each window.
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
        kernels::avg_pool2d(
            input,
            AvgPoolOptions::new(self.kernel_size)
                .with_stride(self.stride)
                .with_padding_pairs(padding)
                .with_count_include_pad(self.count_include_pad)
                .with_ceil_mode(self.ceil_mode),
        )
    }
}

/// Configuration of an [`AvgPool1d`] layer; the fields are those of [`burn::nn::pool::AvgPool1dConfig`].
#[derive(Config, Debug)]
pub struct AvgPool1dConfig {
    /// Length of a window.
    pub kernel_size: usize,
    /// Distance of two windows.
    #[config(default = "kernel_size")]
    pub stride: usize,
    /// Zeros at both ends.
    #[config(default = "PaddingConfig1d::Valid")]
    pub padding: PaddingConfig1d,
    /// Whether these zeros count in the mean.
    #[config(default = "true")]
    pub count_include_pad: bool,
    /// Whether a last window may reach beyond the end.
    #[config(default = "false")]
    pub ceil_mode: bool,
}

impl AvgPool1dConfig {
    /// The layer.
    pub fn init(&self) -> AvgPool1d {
        AvgPool1d {
            stride: self.stride,
            kernel_size: self.kernel_size,
            padding: self.padding.clone(),
            count_include_pad: self.count_include_pad,
            ceil_mode: self.ceil_mode,
        }
    }
}

/// 1-D average pooling, see [`kernels::avg_pool1d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct AvgPool1d {
    /// Distance of two windows.
    pub stride: usize,
    /// Length of a window.
    pub kernel_size: usize,
    /// Zeros at both ends.
    #[module(skip)]
    pub padding: PaddingConfig1d,
    /// Whether these zeros count in the mean.
    pub count_include_pad: bool,
    /// Whether a last window may reach beyond the end.
    pub ceil_mode: bool,
}

impl AvgPool1d {
    /// Takes the mean of each window.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, length_in]`
    /// - output: `[batch, channels, length_out]`
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, _, length] = input.dims();
        let padding = match self.padding {
            PaddingConfig1d::Valid => (0, 0),
            PaddingConfig1d::Same => same_padding(length, self.kernel_size, self.stride),
            PaddingConfig1d::Explicit(left, right) => (left, right),
        };
        kernels::avg_pool1d(
            input,
            AvgPoolOptions::new([self.kernel_size])
                .with_stride([self.stride])
                .with_padding_pairs([padding])
                .with_count_include_pad(self.count_include_pad)
                .with_ceil_mode(self.ceil_mode),
        )
    }
}

/// Configuration of an [`AdaptiveAvgPool2d`] layer.
#[derive(Config, Debug)]
pub struct AdaptiveAvgPool2dConfig {
    /// Height and width of the output.
    pub output_size: [usize; 2],
}

impl AdaptiveAvgPool2dConfig {
    /// The layer.
    pub fn init(&self) -> AdaptiveAvgPool2d {
        AdaptiveAvgPool2d {
            output_size: self.output_size,
        }
    }
}

/// 2-D average pooling to a given size, see [`kernels::adaptive_avg_pool2d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct AdaptiveAvgPool2d {
    /// Height and width of the output.
    pub output_size: [usize; 2],
}

impl AdaptiveAvgPool2d {
    /// Takes the mean of each window.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, height_in, width_in]`
    /// - output: `[batch, channels, height_out, width_out]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        kernels::adaptive_avg_pool2d(input, self.output_size)
    }
}

/// Configuration of an [`AdaptiveAvgPool1d`] layer.
#[derive(Config, Debug)]
pub struct AdaptiveAvgPool1dConfig {
    /// Length of the output.
    pub output_size: usize,
}

impl AdaptiveAvgPool1dConfig {
    /// The layer.
    pub fn init(&self) -> AdaptiveAvgPool1d {
        AdaptiveAvgPool1d {
            output_size: self.output_size,
        }
    }
}

/// 1-D average pooling to a given length, see [`kernels::adaptive_avg_pool1d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct AdaptiveAvgPool1d {
    /// Length of the output.
    pub output_size: usize,
}

impl AdaptiveAvgPool1d {
    /// Takes the mean of each window.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, length_in]`
    /// - output: `[batch, channels, length_out]`
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        kernels::adaptive_avg_pool1d(input, self.output_size)
    }
}

/// Lays the layers out as Burn does: all of a layer on one line.
macro_rules! display {
    ($layer:ident, |$self:ident, $content:ident| $fields:expr) => {
        impl ModuleDisplay for $layer {
            fn custom_settings(&self) -> Option<DisplaySettings> {
                DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(&self, $content: Content) -> Option<Content> {
                let $self = self;
                $fields.optional()
            }
        }
    };
}

display!(AvgPool2d, |layer, content| content
    .add("kernel_size", &format!("{:?}", layer.kernel_size))
    .add("stride", &format!("{:?}", layer.stride))
    .add_debug_attribute("padding", &layer.padding)
    .add("count_include_pad", &layer.count_include_pad)
    .add("ceil_mode", &layer.ceil_mode));
display!(AvgPool1d, |layer, content| content
    .add("kernel_size", &layer.kernel_size)
    .add("stride", &layer.stride)
    .add_debug_attribute("padding", &layer.padding)
    .add("count_include_pad", &layer.count_include_pad)
    .add("ceil_mode", &layer.ceil_mode));
display!(AdaptiveAvgPool2d, |layer, content| content
    .add("output_size", &format!("{:?}", layer.output_size)));
display!(AdaptiveAvgPool1d, |layer, content| content
    .add("output_size", &layer.output_size));
