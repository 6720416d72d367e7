//! Which items of a bag or a sentence count, and which are padding (section 10.2.4).

use burn::tensor::{Bool, Int, Tensor};
use common::kernels::matmul;

/// Marks an item as valid if any of its values is not `fill`: the book's `getMaskByFill`.
///
/// # Shapes
/// - `x`: [B, T, ...]
/// - output: [B, T], true for what counts
pub fn valid_items<const D: usize>(x: Tensor<D>, fill: f32) -> Tensor<2, Bool> {
    let dims = x.dims();
    let values: usize = dims[2..].iter().product();
    let x = x.reshape([dims[0], dims[1], values]); // [B, T, values]
    x.not_equal_elem(fill).any_dim(2).squeeze_dim(2) // [B, T]
}

/// Marks the tokens that are not `padding`.
///
/// # Shapes
/// - `ids`: [B, T]
/// - output: [B, T], true for what counts
pub fn valid_tokens(ids: Tensor<2, Int>, padding: u32) -> Tensor<2, Bool> {
    ids.not_equal_elem(i64::from(padding))
}

/// The mean of the valid items, `Σ_t m_t h_t / (Σ_t m_t + 1e-10)`; zeros where no item is valid.
///
/// # Shapes
/// - `h`: [B, T, H]
/// - `valid`: [B, T]
/// - output: [B, H]
///
/// # Panics
/// If the shapes do not fit.
pub fn masked_mean(h: Tensor<3>, valid: Tensor<2, Bool>) -> Tensor<2> {
    let mask = valid.float().unsqueeze_dim::<3>(1); // [B, 1, T]
    let count = mask.clone().sum_dim(2).squeeze_dim::<2>(2); // [B, 1]
    matmul(mask, h).squeeze_dim::<2>(1) / (count + 1e-10) // [B, H]
}
