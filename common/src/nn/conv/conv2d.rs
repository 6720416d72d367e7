//! The 2-D convolution.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::conv as slow;
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use crate::kernels::conv2d;
use crate::nn::padding_pairs;

/// Configuration of a [`Conv2d`] layer; the fields are those of [`burn::nn::conv::Conv2dConfig`].
///
/// Burn's default initializer is PyTorch's: weight and bias from U(-k, k) with
/// k = 1 / sqrt(channels_in / groups * kernel_rows * kernel_cols), which is Kaiming uniform with a = sqrt(5).
#[derive(Config, Debug)]
pub struct Conv2dConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Distance of two windows.
    #[config(default = "[1, 1]")]
    pub stride: [usize; 2],
    /// Distance of two taps of the kernel.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately.
    #[config(default = "1")]
    pub groups: usize,
    /// Zeros around the image.
    #[config(default = "PaddingConfig2d::Valid")]
    pub padding: PaddingConfig2d,
    /// Whether each output channel has a bias.
    #[config(default = true)]
    pub bias: bool,
    /// Where the initial weights come from.
    #[config(default = "Initializer::KaimingUniform{gain:1.0/3.0f64.sqrt(),fan_out_only:false}")]
    pub initializer: Initializer,
}

impl Conv2dConfig {
    /// A layer whose weights are drawn when they are first used.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    pub fn init(&self, device: &Device) -> Conv2d {
        slow::Conv2dConfig::new(self.channels, self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_padding(self.padding.clone())
            .with_bias(self.bias)
            .with_initializer(self.initializer.clone())
            .init(device)
            .into()
    }
}

/// 2-D convolution, see [`conv2d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Conv2d {
    /// `[channels_out, channels_in / groups, kernel_rows, kernel_cols]`
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Distance of two windows.
    pub stride: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Distance of two taps of the kernel.
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately.
    pub groups: usize,
    /// Zeros around the image.
    #[module(skip)]
    pub padding: PaddingConfig2d,
}

impl From<slow::Conv2d> for Conv2d {
    fn from(layer: slow::Conv2d) -> Self {
        let slow::Conv2d {
            weight,
            bias,
            stride,
            kernel_size,
            dilation,
            groups,
            padding,
        } = layer;
        Self {
            weight,
            bias,
            stride,
            kernel_size,
            dilation,
            groups,
            padding,
        }
    }
}

impl ModuleDisplay for Conv2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [channels_out, channels_in, _, _] = self.weight.dims();
        content
            .add("ch_in", &format!("{:?}", channels_in * self.groups))
            .add("ch_out", &format!("{channels_out:?}"))
            .add("stride", &format!("{:?}", self.stride))
            .add("kernel_size", &format!("{:?}", self.kernel_size))
            .add("dilation", &format!("{:?}", self.dilation))
            .add("groups", &self.groups)
            .add_debug_attribute("padding", &self.padding)
            .optional()
    }
}

impl Conv2d {
    /// Convolves images.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels_in, height_in, width_in]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    ///
    /// # Panics
    /// As Burn's layer: if the channels of the input are not the layer's, or the window is larger than the
    /// padded input.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = input.dims();
        let padding = padding_pairs(
            &self.padding,
            [height, width],
            self.kernel_size,
            self.stride,
        );
        let options =
            ConvOptions::new_with_padding(self.stride, padding, self.dilation, self.groups);
        conv2d(
            input,
            self.weight.val(),
            self.bias.as_ref().map(|b| b.val()),
            options,
        )
    }
}
