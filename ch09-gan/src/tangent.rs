//! Layers that carry a derivative beside their value.
//!
//! A layer f at x with the direction u gives f(x) and f'(x) u. Linear layers apply themselves to the direction, without their bias; a
//! rectifier multiplies it by its slope; layer norm has a derivative of its own. All of it is made of operations that Burn
//! differentiates: one ordinary backward pass then gives the gradient of a derivative, which is a second derivative.

use burn::tensor::Tensor;
use common::kernels::{layer_norm_tangent, linear};
use common::nn::conv::Conv2d;
use common::nn::pool::AvgPool2d;
use common::nn::{LayerNorm, Linear};

/// A value and its derivative along a direction, of the same shape.
#[derive(Clone, Debug)]
pub struct Dual<const D: usize> {
    /// The value.
    pub value: Tensor<D>,
    /// Its derivative.
    pub tangent: Tensor<D>,
}

impl<const D: usize> Dual<D> {
    /// Applies a linear map to both.
    pub fn map<const O: usize>(self, f: impl Fn(Tensor<D>) -> Tensor<O>) -> Dual<O> {
        Dual {
            value: f(self.value),
            tangent: f(self.tangent),
        }
    }
}

/// A layer from tensors with `I` axes to tensors with `O` axes that carries derivatives.
pub trait Tangent<const I: usize, const O: usize> {
    /// The layer's value at `x.value`, and its derivative there along `x.tangent`.
    fn forward_with_tangent(&self, x: Dual<I>) -> Dual<O>;
}

impl Tangent<2, 2> for Linear {
    fn forward_with_tangent(&self, x: Dual<2>) -> Dual<2> {
        Dual {
            value: self.forward(x.value),
            tangent: linear(x.tangent, self.weight.val(), None),
        }
    }
}

impl Tangent<4, 4> for Conv2d {
    fn forward_with_tangent(&self, x: Dual<4>) -> Dual<4> {
        let without_bias = Conv2d {
            bias: None,
            ..self.clone()
        };
        Dual {
            value: self.forward(x.value),
            tangent: without_bias.forward(x.tangent),
        }
    }
}

impl<const D: usize, const N: usize> Tangent<D, D> for LayerNorm<N> {
    fn forward_with_tangent(&self, x: Dual<D>) -> Dual<D> {
        let tangent =
            layer_norm_tangent(x.value.clone(), x.tangent, self.gamma.val(), self.epsilon);
        Dual {
            value: self.forward(x.value),
            tangent,
        }
    }
}

impl Tangent<4, 4> for AvgPool2d {
    fn forward_with_tangent(&self, x: Dual<4>) -> Dual<4> {
        x.map(|x| self.forward(x))
    }
}
