//! The linear layer.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::{self as slow, Initializer, LinearLayout};
use burn::tensor::{Device, Tensor};

use crate::kernels::linear;

/// Configuration of a [`Linear`] layer; the fields are those of [`burn::nn::LinearConfig`].
///
/// Burn's default initializer is PyTorch's: weight and bias from U(-k, k), k = 1 / sqrt(d_input).
#[derive(Config, Debug)]
pub struct LinearConfig {
    /// Inputs.
    pub d_input: usize,
    /// Outputs.
    pub d_output: usize,
    /// Whether each output has a bias.
    #[config(default = true)]
    pub bias: bool,
    /// Where the initial weights come from.
    #[config(default = "Initializer::KaimingUniform{gain:1.0/3.0f64.sqrt(),fan_out_only:false}")]
    pub initializer: Initializer,
    /// The order of the weights in memory.
    #[config(default = "LinearLayout::Row")]
    pub layout: LinearLayout,
}

impl LinearConfig {
    /// A layer whose weights are drawn when they are first used.
    pub fn init(&self, device: &Device) -> Linear {
        slow::LinearConfig::new(self.d_input, self.d_output)
            .with_bias(self.bias)
            .with_initializer(self.initializer.clone())
            .with_layout(self.layout)
            .init(device)
            .into()
    }
}

/// A linear map with a bias, see [`linear`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Linear {
    /// `[d_input, d_output]`
    pub weight: Param<Tensor<2>>,
    /// `[d_output]`
    pub bias: Option<Param<Tensor<1>>>,
}

impl From<slow::Linear> for Linear {
    fn from(slow::Linear { weight, bias }: slow::Linear) -> Self {
        Self { weight, bias }
    }
}

impl ModuleDisplay for Linear {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [d_input, d_output] = self.weight.shape().dims();
        content
            .add("d_input", &d_input)
            .add("d_output", &d_output)
            .add("bias", &self.bias.is_some())
            .optional()
    }
}

impl Linear {
    /// `input * weight + bias` over the last axis.
    ///
    /// # Shapes
    /// - `input`: `[..., d_input]`
    /// - output: `[..., d_output]`
    ///
    /// # Panics
    /// As Burn's layer: if the last axis is not `d_input` long.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        linear(
            input,
            self.weight.val(),
            self.bias.as_ref().map(|b| b.val()),
        )
    }
}
