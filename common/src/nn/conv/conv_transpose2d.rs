//! The transposed convolution.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::nn::conv as slow;
use burn::tensor::ops::ConvTransposeOptions;
use burn::tensor::{Device, Tensor};

use crate::kernels::conv_transpose2d;

/// Configuration of a [`ConvTranspose2d`] layer; the fields are those of [`burn::nn::conv::ConvTranspose2dConfig`].
///
/// Burn's default initializer is PyTorch's: weight and bias from U(-k, k) with
/// k = 1 / sqrt(channels_out / groups * kernel_rows * kernel_cols), which is Kaiming uniform with a = sqrt(5). The
/// channels that count are those of the output, because PyTorch takes the second axis of the weight.
#[derive(Config, Debug)]
pub struct ConvTranspose2dConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Distance of two windows in the output.
    #[config(default = "[1, 1]")]
    pub stride: [usize; 2],
    /// Distance of two taps of the kernel.
    #[config(default = "[1, 1]")]
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately.
    #[config(default = "1")]
    pub groups: usize,
    /// Rows and columns that are cut off at each edge of the output.
    #[config(default = "[0, 0]")]
    pub padding: [usize; 2],
    /// Rows and columns that are added at the bottom and at the right of the output.
    #[config(default = "[0, 0]")]
    pub padding_out: [usize; 2],
    /// Whether each output channel has a bias.
    #[config(default = true)]
    pub bias: bool,
    /// Where the initial weights come from.
    #[config(default = "Initializer::KaimingUniform{gain:1.0/3.0f64.sqrt(),fan_out_only:false}")]
    pub initializer: Initializer,
}

impl ConvTranspose2dConfig {
    /// A layer whose weights are drawn when they are first used.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    pub fn init(&self, device: &Device) -> ConvTranspose2d {
        slow::ConvTranspose2dConfig::new(self.channels, self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
            .with_padding(self.padding)
            .with_padding_out(self.padding_out)
            .with_bias(self.bias)
            .with_initializer(self.initializer.clone())
            .init(device)
            .into()
    }
}

/// 2-D transposed convolution, see [`conv_transpose2d`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvTranspose2d {
    /// `[channels_in, channels_out / groups, kernel_rows, kernel_cols]`
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Distance of two windows in the output.
    pub stride: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Distance of two taps of the kernel.
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately.
    pub groups: usize,
    /// Rows and columns that are cut off at each edge of the output.
    pub padding: [usize; 2],
    /// Rows and columns that are added at the bottom and at the right of the output.
    pub padding_out: [usize; 2],
    /// Channels in and out.
    pub channels: [usize; 2],
}

impl From<slow::ConvTranspose2d> for ConvTranspose2d {
    fn from(layer: slow::ConvTranspose2d) -> Self {
        let slow::ConvTranspose2d {
            weight,
            bias,
            stride,
            kernel_size,
            dilation,
            groups,
            padding,
            padding_out,
            channels,
        } = layer;
        Self {
            weight,
            bias,
            stride,
            kernel_size,
            dilation,
            groups,
            padding,
            padding_out,
            channels,
        }
    }
}

impl ModuleDisplay for ConvTranspose2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("channels", &format!("{:?}", self.channels))
            .add("stride", &format!("{:?}", self.stride))
            .add("kernel_size", &format!("{:?}", self.kernel_size))
            .add("dilation", &format!("{:?}", self.dilation))
            .add("groups", &self.groups)
            .add("padding", &format!("{:?}", self.padding))
            .add("padding_out", &format!("{:?}", self.padding_out))
            .optional()
    }
}

impl ConvTranspose2d {
    /// Enlarges images.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels_in, height_in, width_in]`
    /// - output: `[batch, channels_out, height_out, width_out]`, see [`conv_transpose2d`]
    ///
    /// # Panics
    /// As Burn's layer: if the channels of the input are not the layer's.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        conv_transpose2d(
            input,
            self.weight.val(),
            self.bias.as_ref().map(|b| b.val()),
            ConvTransposeOptions::new(
                self.stride,
                self.padding,
                self.padding_out,
                self.dilation,
                self.groups,
            ),
        )
    }
}
