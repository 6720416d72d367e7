//! How important a state is in the light of a context: three scores (section 10.2).
//!
//! Each takes the states h of a bag and any number of contexts c, and gives a number for every pair. One context per bag is what this chapter
//! needs; a decoder (chapter 11) brings one for each word that it writes.

use burn::module::{Initializer, Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor};
use common::kernels::{linear, matmul, tanh};
use common::nn::{Linear, LinearConfig};

/// A score of states in the light of contexts; the higher, the more important.
pub trait AttentionScore: Module + ModuleDisplay + 'static {
    /// The score of each state for each context.
    ///
    /// # Shapes
    /// - `h`: [B, T, H]
    /// - `contexts`: [B, Q, H]
    /// - output: [B, Q, T]
    ///
    /// # Panics
    /// If the shapes do not fit.
    fn forward(&self, h: Tensor<3>, contexts: Tensor<3>) -> Tensor<3>;
}

/// `a_t = h_t · c / √H`: no parameters. Without the root the scores of wide states are so large that softmax gives all weight to one of them
/// (section 10.2.1).
#[derive(Module, Debug)]
pub struct DotScore;

impl AttentionScore for DotScore {
    fn forward(&self, h: Tensor<3>, contexts: Tensor<3>) -> Tensor<3> {
        let [_, _, width] = h.dims();
        matmul(contexts, h.transpose()) / (width as f64).sqrt() // [B, Q, T]
    }
}

/// `a_t = h_tᵀ W c + b`: a dot product of which W says what to compare with what (section 10.2.2). The same as PyTorch's `Bilinear(H, H, 1)`.
#[derive(Module, Debug)]
pub struct GeneralScore {
    /// W as a linear map of contexts.
    weight: Linear,
    /// \[1\]
    bias: Param<Tensor<1>>,
}

impl GeneralScore {
    /// For states and contexts of this width, drawn from U(-1/√H, 1/√H).
    pub fn new(width: usize, device: &Device) -> Self {
        let bound = 1.0 / (width as f64).sqrt();
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        Self {
            weight: LinearConfig::new(width, width)
                .with_bias(false)
                .init(device),
            bias: uniform.init([1], device),
        }
    }
}

impl AttentionScore for GeneralScore {
    fn forward(&self, h: Tensor<3>, contexts: Tensor<3>) -> Tensor<3> {
        let compared = self.weight.forward(contexts); // [B, Q, H]
        matmul(compared, h.transpose()) + self.bias.val().unsqueeze::<3>() // [B, Q, T]
    }
}

/// `a_t = vᵀ tanh(W [h_t; c] + b_w) + b_v`: a small network that sees both (section 10.2.3; Bahdanau et al. 2014).
#[derive(Module, Debug)]
pub struct AdditiveAttentionScore {
    w: Linear,
    v: Linear,
}

impl AdditiveAttentionScore {
    /// For states and contexts of this width.
    pub fn new(width: usize, device: &Device) -> Self {
        Self {
            w: LinearConfig::new(2 * width, width).init(device),
            v: LinearConfig::new(width, 1).init(device),
        }
    }
}

impl AttentionScore for AdditiveAttentionScore {
    fn forward(&self, h: Tensor<3>, contexts: Tensor<3>) -> Tensor<3> {
        // W [h; c] is W_h h + W_c c. So neither of them is computed again for every pair.
        let [_, _, width] = h.dims();
        let weight = self.w.weight.val(); // [2H, H]
        let of_states = linear(h, weight.clone().narrow(0, 0, width), None); // [B, T, H]
        let bias = self.w.bias.as_ref().map(|bias| bias.val());
        let of_contexts = linear(contexts, weight.narrow(0, width, width), bias); // [B, Q, H]
        let pairs = of_states.unsqueeze_dim::<4>(1) + of_contexts.unsqueeze_dim(2); // [B, Q, T, H]
        self.v.forward(tanh(pairs)).squeeze_dim(3) // [B, Q, T]
    }
}
