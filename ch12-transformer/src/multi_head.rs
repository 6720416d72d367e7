//! Multi-head attention, written out (section 12.5.1).
//!
//! Attention is a dictionary that is looked up softly: a query is compared with all keys, and the answer is the average of their values, each
//! weighted by how well its key fits. Several heads look up different things at once, each in its own part of the columns.
//!
//! The layers of the chapter take the same from [`common::nn::MultiHeadAttention`], which is several times faster; the tests hold the two
//! together. Letters: N heads, Q queries, K keys, d values of a head.

use burn::tensor::{Bool, Device, Tensor};
use common::kernels::{linear, masked_softmax, matmul, softmax};
use common::nn::MultiHeadAttention;

/// `softmax(Q Kᵀ / √d) V` and its weights. The root keeps the products of wide queries and keys from giving all weight to one key.
///
/// # Shapes
/// - `query`: [B, N, Q, d]
/// - `key`, `value`: [B, N, K, d]
/// - `hidden`: [B or 1, 1, Q or 1, K], true for what a query does not see
/// - output: [B, N, Q, d], weights [B, N, Q, K]
///
/// # Panics
/// If the shapes do not fit.
pub fn scaled_dot_product(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    hidden: Option<Tensor<4, Bool>>,
) -> (Tensor<4>, Tensor<4>) {
    let [_, _, _, width] = query.dims();
    let scores = matmul(query, key.transpose()) / (width as f64).sqrt(); // [B, N, Q, K]
    let weights = match hidden {
        Some(hidden) => masked_softmax(scores, hidden),
        None => softmax(scores),
    };
    (matmul(weights.clone(), value), weights)
}

/// `concat_z(Attention(Q W_z^Q, K W_z^K, V W_z^V)) W^O + b`, without dropout: what `layer` computes in evaluation, and the weights of its heads.
///
/// # Shapes
/// - `query`: [B, Q, H]
/// - `key`, `value`: [B, K, H]
/// - `hidden`: as for [`scaled_dot_product`]
/// - output: [B, Q, H], weights [B, N, Q, K]
///
/// # Panics
/// If the shapes do not fit.
pub fn multi_head_attention(
    layer: &MultiHeadAttention,
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    hidden: Option<Tensor<4, Bool>>,
) -> (Tensor<3>, Tensor<4>) {
    let (width, heads) = (layer.d_model, layer.n_heads);
    let weight = layer.projection.weight.val(); // [H, 3 H]
    let bias = layer.projection.bias.as_ref().map(|bias| bias.val()); // [3 H]
    // The maps of all heads lie side by side: first those of queries, then of keys, then of values.
    let project = |x: Tensor<3>, third: usize| {
        let [batch, steps, _] = x.dims();
        let weight = weight.clone().narrow(1, third * width, width);
        let bias = bias
            .clone()
            .map(|bias| bias.narrow(0, third * width, width));
        let x = linear(x, weight, bias); // [B, T, H]
        x.reshape([batch, steps, heads, width / heads])
            .swap_dims(1, 2) // [B, N, T, d]
    };
    let [batch, queries, _] = query.dims();
    let (query, key, value) = (project(query, 0), project(key, 1), project(value, 2));
    let (found, weights) = scaled_dot_product(query, key, value, hidden); // [B, N, Q, d]
    let found = found.swap_dims(1, 2).reshape([batch, queries, width]); // [B, Q, H]
    (layer.output.forward(found), weights)
}

/// The triangular mask that hides the future: true where the key stands behind the query. With it a decoder can be taught all words of a text at
/// once, each from those before it.
///
/// # Shapes
/// - output: [steps, steps]
pub fn causal_mask(steps: usize, device: &Device) -> Tensor<2, Bool> {
    let hidden: Vec<bool> = (0..steps * steps).map(|i| i % steps > i / steps).collect();
    Tensor::from_data(
        burn::tensor::TensorData::new(hidden, [steps, steps]),
        device,
    )
}
