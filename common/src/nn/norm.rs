//! Normalisation layers.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Flag, Module, ModuleDisplay, Param, RunningState};
use burn::nn::{self as slow, Initializer};
use burn::tensor::{Device, Tensor, assert_shape};

use crate::kernels::{
    batch_norm, batch_norm_leaky_relu, batch_norm_train, batch_norm_train_leaky_relu, layer_norm,
};

/// Configuration of a [`BatchNorm`] layer; the fields are those of [`burn::nn::BatchNormConfig`], the defaults
/// PyTorch's.
#[derive(Config, Debug)]
pub struct BatchNormConfig {
    /// Channels.
    pub num_features: usize,
    /// Added to the variance.
    #[config(default = 1e-5)]
    pub epsilon: f64,
    /// Part of a batch in the running statistics, 0 to 1.
    #[config(default = 0.1)]
    pub momentum: f64,
}

impl BatchNormConfig {
    /// A layer that starts with scale 1, shift 0, running mean 0 and running variance 1.
    ///
    /// # Panics
    /// As Burn's: without channels, with an epsilon that is not positive or a momentum outside of 0 to 1.
    pub fn init(&self, device: &Device) -> BatchNorm {
        slow::BatchNormConfig::new(self.num_features)
            .with_epsilon(self.epsilon)
            .with_momentum(self.momentum)
            .init(device)
            .into()
    }
}

/// Batch normalisation, see [`batch_norm_train`]: in training with the statistics of the batch, in evaluation
/// ([`batch_norm`]) with the running ones.
///
/// The running statistics are PyTorch's: `running = (1 - momentum) running + momentum batch`, and the variance is the
/// unbiased one, with n - 1 in the denominator (Burn's layer keeps the biased one).
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct BatchNorm {
    /// Scale, `[channels]`
    pub gamma: Param<Tensor<1>>,
    /// Shift, `[channels]`
    pub beta: Param<Tensor<1>>,
    /// Whether the layer takes part in training.
    pub training: Param<Flag>,
    /// `[channels]`
    pub running_mean: RunningState<Tensor<1>>,
    /// `[channels]`
    pub running_var: RunningState<Tensor<1>>,
    /// Part of a batch in the running statistics.
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
}

impl From<slow::BatchNorm> for BatchNorm {
    fn from(layer: slow::BatchNorm) -> Self {
        let slow::BatchNorm {
            gamma,
            beta,
            training,
            running_mean,
            running_var,
            momentum,
            epsilon,
        } = layer;
        Self {
            gamma,
            beta,
            training,
            running_mean,
            running_var,
            momentum,
            epsilon,
        }
    }
}

impl BatchNorm {
    /// Normalises each channel.
    ///
    /// As with Burn's layer it is training on a device with automatic differentiation, unless the layer is frozen. A
    /// batch with fewer than two values in a channel has no variance and leaves the running statistics as they are.
    ///
    /// # Shapes
    /// - `input` and output: `[batch, channels, ...]`
    ///
    /// # Panics
    /// As Burn's layer: if the input has fewer than two axes or another number of channels.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.normalise(input, None)
    }

    /// [`Self::forward`] and then a leaky ReLU with this slope below zero, or with slope 0 a ReLU.
    ///
    /// Both at once read and write main memory half as often as one after the other.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn forward_leaky_relu<const D: usize>(
        &self,
        input: Tensor<D>,
        negative_slope: f64,
    ) -> Tensor<D> {
        self.normalise(input, Some(negative_slope))
    }

    fn normalise<const D: usize>(&self, input: Tensor<D>, slope: Option<f64>) -> Tensor<D> {
        let [num_features] = self.gamma.shape().dims();
        assert_shape!(input, [_, num_features, ..]);
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        let (device, epsilon) = (input.device(), self.epsilon);
        if !(device.is_autodiff() && self.training.is_enabled()) {
            let mean = self.running_mean.value().to_device(&device);
            let variance = self.running_var.value().to_device(&device);
            return match slope {
                Some(slope) => {
                    batch_norm_leaky_relu(input, gamma, beta, mean, variance, epsilon, slope)
                }
                None => batch_norm(input, gamma, beta, mean, variance, epsilon),
            };
        }
        let count = input.shape().num_elements() / num_features;
        let result = match slope {
            Some(slope) => batch_norm_train_leaky_relu(input, gamma, beta, epsilon, slope),
            None => batch_norm_train(input, gamma, beta, epsilon),
        };
        if count > 1 {
            let unbiased = count as f64 / (count - 1) as f64;
            self.update(&self.running_mean, result.mean, 1.0);
            self.update(&self.running_var, result.variance, unbiased);
        }
        result.output
    }

    /// `running = (1 - momentum) running + momentum factor batch`
    fn update(&self, running: &RunningState<Tensor<1>>, batch: Tensor<1>, factor: f64) {
        let value = running.value_sync().to_device(&batch.device());
        let value = value * (1.0 - self.momentum) + batch * (self.momentum * factor);
        running.update(value.detach());
    }
}

impl ModuleDisplay for BatchNorm {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [num_features] = self.beta.shape().dims();
        let content = content
            .add("num_features", &num_features)
            .add("momentum", &self.momentum)
            .add("epsilon", &self.epsilon);
        match self.training.is_enabled() {
            true => content.optional(),
            false => content.add("training", &self.training).optional(),
        }
    }
}

/// Configuration of a [`LayerNorm`] layer over the last `N` axes.
///
/// `LayerNormConfig::new(256)` is Burn's, over the last axis; `LayerNormConfig::over([32, 28, 28])` normalises whole
/// blocks of (channels, height, width).
#[derive(Clone, Debug)]
pub struct LayerNormConfig<const N: usize = 1> {
    /// Lengths of the axes.
    pub shape: [usize; N],
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether each value has a shift.
    pub bias: bool,
}

impl LayerNormConfig {
    /// Over the last axis, with epsilon 1e-5 and a shift.
    pub fn new(d_model: usize) -> Self {
        Self::over([d_model])
    }
}

impl<const N: usize> LayerNormConfig<N> {
    /// Over the last `N` axes, with epsilon 1e-5 and a shift.
    pub fn over(shape: [usize; N]) -> Self {
        Self {
            shape,
            epsilon: 1e-5,
            bias: true,
        }
    }

    /// What is added to the variance.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Whether each value has a shift.
    pub fn with_bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// A layer that starts with scale 1 and shift 0.
    pub fn init(&self, device: &Device) -> LayerNorm<N> {
        LayerNorm {
            gamma: Initializer::Ones.init(self.shape, device),
            beta: self
                .bias
                .then(|| Initializer::Zeros.init(self.shape, device)),
            epsilon: self.epsilon,
        }
    }
}

/// Layer normalisation over the last `N` axes, see [`layer_norm`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct LayerNorm<const N: usize = 1> {
    /// Scale of each value, `[n1, ..., nN]`
    pub gamma: Param<Tensor<N>>,
    /// Shift of each value, `[n1, ..., nN]`
    pub beta: Option<Param<Tensor<N>>>,
    /// Added to the variance.
    pub epsilon: f64,
}

impl<const N: usize> LayerNorm<N> {
    /// Normalises the last axes.
    ///
    /// # Shapes
    /// - `input` and output: `[..., n1, ..., nN]`
    ///
    /// # Panics
    /// If the last axes of the input are not the layer's.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let beta = self.beta.as_ref().map(|b| b.val());
        layer_norm(input, self.gamma.val(), beta, self.epsilon)
    }
}

impl<const N: usize> ModuleDisplay for LayerNorm<N> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let shape = self.gamma.dims();
        let content = match shape.as_slice() {
            [d_model] => content.add("d_model", d_model),
            shape => content.add("shape", &format!("{shape:?}")),
        };
        content
            .add("epsilon", &self.epsilon)
            .add("bias", &self.beta.is_some())
            .optional()
    }
}
