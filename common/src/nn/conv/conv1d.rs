//! The 1-D convolution.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::conv as slow;
use burn::nn::{Initializer, PaddingConfig1d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use crate::kernels::conv1d;
use crate::nn::same_padding;

/// Configuration of a [`Conv1d`] layer; the fields are those of [`burn::nn::conv::Conv1dConfig`].
///
/// Burn's default initializer is PyTorch's: weight and bias from U(-k, k) with
/// k = 1 / sqrt(channels_in / groups * kernel_size), which is Kaiming uniform with a = sqrt(5).
#[derive(Config, Debug)]
pub struct Conv1dConfig {
    /// Channels in.
    pub channels_in: usize,
    /// Channels out.
    pub channels_out: usize,
    /// Taps of the kernel.
    pub kernel_size: usize,
    /// Distance of two windows.
    #[config(default = "1")]
    pub stride: usize,
    /// Distance of two taps of the kernel.
    #[config(default = "1")]
    pub dilation: usize,
    /// Groups of channels that are convolved separately.
    #[config(default = "1")]
    pub groups: usize,
    /// Zeros around the sequence.
    #[config(default = "PaddingConfig1d::Valid")]
    pub padding: PaddingConfig1d,
    /// Whether each output channel has a bias.
    #[config(default = true)]
    pub bias: bool,
    /// Where the initial weights come from.
    #[config(default = "Initializer::KaimingUniform{gain:1.0/3.0f64.sqrt(),fan_out_only:false}")]
    pub initializer: Initializer,
}

impl Conv1dConfig {
    /// A layer whose weights are drawn when they are first used.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    pub fn init(&self, device: &Device) -> Conv1d {
        slow::Conv1dConfig::new(self.channels_in, self.channels_out, self.kernel_size)
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

/// 1-D convolution, see [`conv1d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Conv1d {
    /// `[channels_out, channels_in / groups, kernel_size]`
    pub weight: Param<Tensor<3>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Distance of two windows.
    pub stride: usize,
    /// Taps of the kernel.
    pub kernel_size: usize,
    /// Distance of two taps of the kernel.
    pub dilation: usize,
    /// Groups of channels that are convolved separately.
    pub groups: usize,
    /// Zeros around the sequence.
    #[module(skip)]
    pub padding: PaddingConfig1d,
}

impl From<slow::Conv1d> for Conv1d {
    fn from(layer: slow::Conv1d) -> Self {
        let slow::Conv1d {
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

impl ModuleDisplay for Conv1d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [channels_out, channels_in, _] = self.weight.dims();
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

impl Conv1d {
    /// Convolves sequences.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels_in, length_in]`
    /// - output: `[batch, channels_out, length_out]`
    ///
    /// # Panics
    /// As Burn's layer: if the channels of the input are not the layer's, or the window is longer than the
    /// padded input.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, _, length] = input.dims();
        let padding = match self.padding {
            PaddingConfig1d::Valid => (0, 0),
            PaddingConfig1d::Same => same_padding(length, self.kernel_size, self.stride),
            PaddingConfig1d::Explicit(left, right) => (left, right),
        };
        let options =
            ConvOptions::new_with_padding([self.stride], [padding], [self.dilation], self.groups);
        conv1d(
            input,
            self.weight.val(),
            self.bias.as_ref().map(|b| b.val()),
            options,
        )
    }
}
