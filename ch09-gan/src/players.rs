//! The two players of the game: what the training loop asks of a generator and of a discriminator.
//!
//! An example is a row of values, a picture too: \[B, 784\]. Networks that want pictures reshape it.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;

use crate::tangent::Dual;

/// G: noise to examples.
pub trait Generator: Module + ModuleDisplay {
    /// Values of noise for an example.
    fn noise_size(&self) -> usize;

    /// # Shapes
    /// - `z`: `[batch, noise]`, from N(0, 1)
    /// - `classes`: what each example is to be, for generators that can be asked; others ignore it
    /// - output: `[batch, values]`
    fn generate(&self, z: Tensor<2>, classes: Option<&[u8]>) -> Tensor<2>;
}

/// D: examples to scores, high for real ones. A critic of a Wasserstein GAN is one too.
pub trait Discriminator: Module + ModuleDisplay {
    /// # Shapes
    /// - `x`: `[batch, values]`
    /// - `classes`: what each example is said to be
    /// - output: `[batch, 1]`, a logit
    fn score(&self, x: Tensor<2>, classes: Option<&[u8]>) -> Tensor<2>;

    /// The scores, and their derivatives along `x.tangent`.
    fn score_with_tangent(&self, x: Dual<2>, classes: Option<&[u8]>) -> Dual<2>;
}
