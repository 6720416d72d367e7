//! The function that the chapter minimises, and its derivative by hand (section 1.3).

use burn::tensor::Tensor;

/// Where [`f`] is smallest.
pub const MINIMUM: f32 = 2.0;

/// f(x) = (x - 2)^2, element by element. It is 0 at x = 2 and larger everywhere else.
pub fn f(x: Tensor<1>) -> Tensor<1> {
    (x - 2.0).square() // [N]
}

/// f'(x) = 2x - 4, element by element: negative left of the minimum, positive right of it.
pub fn derivative(x: Tensor<1>) -> Tensor<1> {
    x * 2.0 - 4.0 // [N]
}
