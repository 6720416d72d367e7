//! Dropout.

use burn::config::Config;
use burn::module::{Flag, Module, Param};
use burn::tensor::Tensor;

use crate::kernels;

/// Configuration of a [`Dropout`].
#[derive(Config, Debug)]
pub struct DropoutConfig {
    /// The probability with which a value becomes zero in training.
    pub prob: f64,
}

impl DropoutConfig {
    /// The layer.
    ///
    /// # Panics
    /// If the probability is not in `[0, 1)`, as [`burn::nn::DropoutConfig`] does.
    pub fn init(&self) -> Dropout {
        let prob = self.prob;
        assert!((0.0..1.0).contains(&prob), "a dropout of {prob}");
        Dropout {
            prob,
            training: Param::from_bool(true),
        }
    }
}

/// Random zeros in training, see [`kernels::dropout`]; in evaluation the input as it is.
#[derive(Module, Debug)]
pub struct Dropout {
    /// The probability with which a value becomes zero in training.
    pub prob: f64,
    /// Whether the layer takes part in training; cleared by [`freeze`](Module::freeze).
    pub training: Param<Flag>,
}

impl Dropout {
    /// The probability for this input: 0 in evaluation, which is on a device without automatic differentiation.
    pub fn rate<const D: usize>(&self, input: &Tensor<D>) -> f64 {
        match self.training.is_enabled() && input.device().is_autodiff() {
            true => self.prob,
            false => 0.0,
        }
    }

    /// Any shape, which stays.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        match self.rate(&input) {
            0.0 => input,
            rate => kernels::dropout(input, rate),
        }
    }
}
