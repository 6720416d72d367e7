//! Weight tying between encoder and decoder (section 7.1.3).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use common::kernels::linear;
use common::nn::Linear;

/// A linear layer that uses the matrix of another one transposed: where that computes `x W`, this computes `y W^T (+ b)`.
///
/// It has no matrix of its own, so a pair of both is one parameter, whose gradient is the sum of what both uses give: with y = x W and
/// x' = y W^T, dL/dW = x^T (dL/dy) + (dL/dx')^T y.
#[derive(Module, Debug)]
pub struct TransposeLinear {
    /// Its own bias, as many values as the other layer has inputs.
    pub bias: Option<Param<Tensor<1>>>,
}

impl TransposeLinear {
    /// A layer without a bias.
    pub fn new() -> Self {
        Self { bias: None }
    }

    /// A layer whose bias starts with zeros, to be used with layers of so many inputs.
    pub fn with_bias(inputs: usize, device: &Device) -> Self {
        Self {
            bias: Some(Param::from_tensor(Tensor::zeros([inputs], device))),
        }
    }

    /// Applies the transposed matrix of `tied`.
    ///
    /// # Shapes
    /// - `y`: `[..., outputs of tied]`
    /// - output: `[..., inputs of tied]`
    ///
    /// # Panics
    /// If the last axis is not as long as `tied` has outputs.
    pub fn forward<const D: usize>(&self, y: Tensor<D>, tied: &Linear) -> Tensor<D> {
        let bias = self.bias.as_ref().map(|bias| bias.val());
        linear(y, tied.weight.val().transpose(), bias)
    }
}

impl Default for TransposeLinear {
    fn default() -> Self {
        Self::new()
    }
}
