//! Rows of a table, chosen by number.

#[cfg(feature = "flex")]
mod rows;

#[cfg(feature = "flex")]
pub(super) use rows::{Lookup, gather, scatter_add};

use burn::tensor::{Int, Tensor};

#[cfg(feature = "flex")]
use super::flex;

/// Row `indices[i]` of `weight` for each i. No gradient flows to the row `padding`, as with PyTorch's `padding_idx`.
///
/// # Shapes
/// - `weight`: `[n_embedding, d_model]`
/// - `indices`: `[rows]`
/// - output: `[rows, d_model]`
///
/// # Panics
/// If an index is not that of a row.
pub fn embedding(weight: Tensor<2>, indices: Tensor<1, Int>, padding: Option<usize>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if flex::takes_embedding(&weight) {
        let lookup = Lookup::new(&flex::numbers(indices), padding);
        return flex::embedding(weight, lookup);
    }
    let rows = weight.select(0, indices.clone()); // [rows, d_model]
    let Some(padding) = padding else { return rows };
    let [count, width] = rows.dims();
    let padded = indices.equal_scalar(padding as i64); // [rows]
    let padded = padded.unsqueeze_dim::<2>(1).expand([count, width]);
    rows.clone().mask_where(padded, rows.detach())
}
