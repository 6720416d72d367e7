//! Attention and what it is made of: matrix products of batches, softmax with masks.

use burn::tensor::activation::softmax as burns_softmax;
use burn::tensor::{Bool, DType, Device, Distribution, Tensor};

#[cfg(feature = "flex")]
use super::{attention as fast, dropout::random::Dropout, flex, softmax::RowMask};

/// The products of two batches of matrices.
///
/// A transposed view (`b.transpose()`) is read where it lies, without a copy.
///
/// # Shapes
/// - `a`: `[..., rows, terms]`
/// - `b`: `[..., terms, cols]`
/// - output: `[..., rows, cols]`
///
/// # Panics
/// As [`Tensor::matmul`] does: if the inner sizes differ or the leading axes can't be broadcast.
pub fn matmul<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if flex::takes_matmul(&a, &b) {
        return flex::matmul(a, b);
    }
    a.matmul(b)
}

/// Softmax over the last axis: `e^x_i / sum_j e^x_j`.
pub fn softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if flex::is_fast(&x) {
        return flex::softmax_of(x, None);
    }
    burns_softmax(x, D - 1)
}

/// Softmax over the places of the last axis that are not hidden; hidden ones become 0, and so does all of a row in
/// which every place is hidden.
///
/// # Shapes
/// - `x`: any
/// - `hidden`: that of `x`, or 1 along axes that share their mask, of which the last is none; true for a place that takes
///   no part
///
/// # Panics
/// If the shape of `hidden` is another.
pub fn masked_softmax<const D: usize>(x: Tensor<D>, hidden: Tensor<D, Bool>) -> Tensor<D> {
    let (shape, mask) = (x.dims(), hidden.dims());
    let shared = |i: usize| mask[i] == 1 && i + 1 < D;
    assert!(
        (0..D).all(|i| mask[i] == shape[i] || shared(i)),
        "a mask of shape {mask:?} for scores of shape {shape:?}"
    );
    #[cfg(feature = "flex")]
    if flex::is_fast(&x) {
        let mut rows = 1;
        let mut axes: Vec<(usize, usize)> = Vec::new();
        for i in (0..D - 1).rev() {
            axes.push((shape[i], if mask[i] == 1 { 0 } else { rows }));
            rows *= mask[i];
        }
        axes.reverse();
        return flex::softmax_of(
            x,
            Some(RowMask {
                hidden: bools(hidden),
                axes,
            }),
        );
    }
    // No infinities: a row of them has no largest value to subtract.
    let lowest = if x.dtype() == DType::F16 { -6e4 } else { -1e30 };
    let hidden = hidden.expand(shape);
    burns_softmax(x.mask_fill(hidden.clone(), lowest), D - 1).mask_fill(hidden, 0.0)
}

#[cfg(feature = "flex")]
fn bools<const D: usize>(mask: Tensor<D, Bool>) -> Vec<bool> {
    mask.into_data().iter::<bool>().collect()
}

/// Which keys a query of an attention does not see.
#[derive(Clone, Debug, Default)]
pub struct AttentionMask {
    /// `[batch, keys]`, true for padding, which no query sees.
    pub padding: Option<Tensor<2, Bool>>,
    /// Whether query t sees only the keys 0 to t: it can't look into the future.
    pub causal: bool,
}

impl AttentionMask {
    /// Every query sees every key.
    pub fn none() -> Self {
        Self::default()
    }

    /// Hides the keys for which `padding` `[batch, keys]` is true.
    pub fn padding(padding: Tensor<2, Bool>) -> Self {
        Self {
            padding: Some(padding),
            causal: false,
        }
    }

    /// Hides the future.
    pub fn causal() -> Self {
        Self {
            padding: None,
            causal: true,
        }
    }

    /// `[batch or 1, 1, queries or 1, keys]`, true for a key that is not seen; nothing if all are.
    fn hidden(&self, queries: usize, keys: usize, device: &Device) -> Option<Tensor<4, Bool>> {
        let padding = self.padding.clone().map(|p| p.unsqueeze_dims::<4>(&[1, 2])); // [B, 1, 1, S]
        if !self.causal {
            return padding;
        }
        let future = Tensor::<2, Bool>::tril_mask([queries, keys], 0, device).unsqueeze::<4>(); // [1, 1, T, S]
        Some(match padding {
            Some(padding) => {
                let shape = [padding.dims()[0], 1, queries, keys];
                padding.expand(shape).bool_or(future.expand(shape)) // [B, 1, T, S]
            }
            None => future,
        })
    }
}

/// Scaled dot-product attention with several heads: `softmax(q k^T / sqrt(d)) v` for each head.
///
/// The heads are columns side by side, so no tensor is rearranged. A query that sees no key gets zeros. `dropout` is the
/// part of the weights that become zero at random, while the others grow by `1 / (1 - dropout)`. Section 12.5.1; Vaswani
/// et al., Attention Is All You Need, 2017.
///
/// # Shapes
/// - `query`: `[batch, queries, heads * d]`
/// - `key`: `[batch, keys, heads * d]`
/// - `value`: `[batch, keys, heads * d_value]`
/// - output: `[batch, queries, heads * d_value]`
///
/// # Panics
/// If the shapes do not fit together, `heads` does not divide the columns, or `dropout` is not in `[0, 1)`.
pub fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    mask: &AttentionMask,
    dropout: f64,
) -> Tensor<3> {
    check(&query, &key, &value, heads, mask, dropout);
    #[cfg(feature = "flex")]
    if flex::takes_attention(&query, &key, &value) {
        let sizes = [query.dims(), key.dims(), value.dims()];
        let attention = plan(sizes, heads, mask, dropout, &query);
        return flex::attention(query, key, value, attention);
    }
    attention_with_weights(query, key, value, heads, mask, dropout).0
}

/// [`attention`] of queries, keys and values that one linear map has made: the thirds of the columns of `projected`.
///
/// # Shapes
/// - `projected`: `[batch, time, 3 * heads * d]`
/// - output: `[batch, time, heads * d]`
///
/// # Panics
/// If `3 * heads` does not divide the columns, and as [`attention`] does.
pub fn self_attention(
    projected: Tensor<3>,
    heads: usize,
    mask: &AttentionMask,
    dropout: f64,
) -> Tensor<3> {
    let [batch, time, columns] = projected.dims();
    assert!(
        columns % 3 == 0,
        "{columns} columns are not queries, keys and values"
    );
    let third = |i: usize| projected.clone().narrow(2, i * (columns / 3), columns / 3); // [B, T, d]
    #[cfg(feature = "flex")]
    if flex::is_fast(&projected) {
        let sizes = [[batch, time, columns / 3]; 3];
        check_shapes(sizes, heads, mask, dropout);
        let attention = plan(sizes, heads, mask, dropout, &projected);
        return flex::self_attention(projected, attention);
    }
    attention(third(0), third(1), third(2), heads, mask, dropout)
}

/// [`attention`] and its weights, after dropout: `[batch, heads, queries, keys]`.
///
/// Composed of [`matmul`] and [`masked_softmax`]; both results have gradients.
///
/// # Panics
/// As [`attention`] does.
pub fn attention_with_weights(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    heads: usize,
    mask: &AttentionMask,
    dropout: f64,
) -> (Tensor<3>, Tensor<4>) {
    check(&query, &key, &value, heads, mask, dropout);
    let [batch, queries, columns] = query.dims();
    let [_, keys, _] = key.dims();
    let split = |x: Tensor<3>| {
        let [batch, time, columns] = x.dims();
        x.reshape([batch, time, heads, columns / heads])
            .swap_dims(1, 2) // [B, heads, time, d]
    };
    let scale = 1.0 / ((columns / heads).max(1) as f64).sqrt();
    let scores = matmul(split(query), split(key).transpose()) * scale; // [B, heads, T, S]
    let mut weights = match mask.hidden(queries, keys, &scores.device()) {
        Some(hidden) => masked_softmax(scores, hidden),
        None => softmax(scores),
    };
    if dropout > 0.0 {
        let kept = weights.random_like(Distribution::Bernoulli(1.0 - dropout));
        weights = weights * kept / (1.0 - dropout);
    }
    let out = matmul(weights.clone(), split(value)).swap_dims(1, 2); // [B, T, heads, d_value]
    let [_, _, _, width] = out.dims();
    (out.reshape([batch, queries, heads * width]), weights)
}

fn check(
    query: &Tensor<3>,
    key: &Tensor<3>,
    value: &Tensor<3>,
    heads: usize,
    mask: &AttentionMask,
    dropout: f64,
) {
    check_shapes(
        [query.dims(), key.dims(), value.dims()],
        heads,
        mask,
        dropout,
    );
}

fn check_shapes(
    [query, key, value]: [[usize; 3]; 3],
    heads: usize,
    mask: &AttentionMask,
    dropout: f64,
) {
    assert!(
        query[0] == key[0] && key[..2] == value[..2] && query[2] == key[2],
        "attention of queries {query:?}, keys {key:?} and values {value:?}"
    );
    assert!(
        heads > 0 && query[2] % heads == 0 && value[2] % heads == 0,
        "{heads} heads of {} columns and values of {}",
        query[2],
        value[2]
    );
    if let Some(padding) = &mask.padding {
        assert_eq!(padding.dims(), key[..2], "shape of the padding mask");
    }
    assert!((0.0..1.0).contains(&dropout), "a dropout of {dropout}");
}

/// The kernel's attention of checked sizes. The seed of its dropout comes from the device's generator.
#[cfg(feature = "flex")]
fn plan(
    [query, key, value]: [[usize; 3]; 3],
    heads: usize,
    mask: &AttentionMask,
    dropout: f64,
    like: &Tensor<3>,
) -> fast::Attention {
    let dropout = (dropout > 0.0).then(|| Dropout::drawn(dropout, &like.device()));
    fast::Attention {
        batch: query[0],
        heads,
        queries: query[1],
        keys: key[1],
        width: query[2] / heads,
        value_width: value[2] / heads,
        causal: mask.causal,
        padding: mask.padding.clone().map(bools).unwrap_or_default(),
        dropout,
    }
}
