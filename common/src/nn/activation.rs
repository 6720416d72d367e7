//! Activation layers.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::kernels;

macro_rules! activation {
    ($name:ident, $function:path, $doc:literal) => {
        #[doc = $doc]
        #[derive(Module, Debug, Default)]
        pub struct $name;

        impl $name {
            /// The layer, which has no weights.
            pub fn new() -> Self {
                Self
            }

            /// The function of each value; any shape.
            pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
                $function(input)
            }
        }
    };
}

activation!(
    Tanh,
    kernels::tanh,
    "The hyperbolic tangent, see [`kernels::tanh`]."
);
activation!(
    Sigmoid,
    kernels::sigmoid,
    "The logistic function, see [`kernels::sigmoid`]."
);
activation!(Relu, kernels::relu, "The rectifier, see [`kernels::relu`].");
