//! From scores to weights, from weights to an average (sections 10.1.3 and 10.2.4).

use burn::module::Module;
use burn::tensor::{Bool, Tensor};
use common::kernels::{masked_softmax, matmul, softmax};

use crate::scores::AttentionScore;

/// Weights `α = softmax(a)` over the valid items, and the averages `Σ_t α_t h_t`: the book's `ApplyAttention`.
///
/// Items that are not valid have the weight 0 exactly, so that padding changes nothing. If no item is valid, all weights and the average are 0.
///
/// # Shapes
/// - `h`: [B, T, H]
/// - `scores`: [B, Q, T]
/// - `valid`: [B, T]; none if all are
/// - output: averages [B, Q, H], weights [B, Q, T]
///
/// # Panics
/// If the shapes do not fit.
pub fn apply_attention(
    h: Tensor<3>,
    scores: Tensor<3>,
    valid: Option<Tensor<2, Bool>>,
) -> (Tensor<3>, Tensor<3>) {
    let weights = match valid {
        Some(valid) => masked_softmax(scores, valid.bool_not().unsqueeze_dim(1)),
        None => softmax(scores),
    }; // [B, Q, T]
    (matmul(weights.clone(), h), weights)
}

/// The average of states, weighted by a score against a context (section 10.3).
#[derive(Module, Debug)]
pub struct AttentionAvg<S: Module> {
    score: S,
}

impl<S: AttentionScore> AttentionAvg<S> {
    /// Weights by `score`.
    pub fn new(score: S) -> Self {
        Self { score }
    }

    /// The average, and the weight of each state.
    ///
    /// # Shapes
    /// - `h`: [B, T, H]
    /// - `context`: [B, H]
    /// - `valid`: [B, T]; none if all are
    /// - output: average [B, H], weights [B, T]
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward_with_weights(
        &self,
        h: Tensor<3>,
        context: Tensor<2>,
        valid: Option<Tensor<2, Bool>>,
    ) -> (Tensor<2>, Tensor<2>) {
        let scores = self.score.forward(h.clone(), context.unsqueeze_dim(1)); // [B, 1, T]
        let (average, weights) = apply_attention(h, scores, valid);
        (average.squeeze_dim(1), weights.squeeze_dim(1))
    }

    /// The average alone.
    ///
    /// # Panics
    /// As [`forward_with_weights`](Self::forward_with_weights).
    pub fn forward(
        &self,
        h: Tensor<3>,
        context: Tensor<2>,
        valid: Option<Tensor<2, Bool>>,
    ) -> Tensor<2> {
        self.forward_with_weights(h, context, valid).0
    }
}
