//! Multi-head attention.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Initializer, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};

use super::{Dropout, DropoutConfig, Linear, LinearConfig};
use crate::kernels::{self, AttentionMask};

/// Configuration of a [`MultiHeadAttention`] layer.
#[derive(Config, Debug)]
pub struct MultiHeadAttentionConfig {
    /// Columns of queries, keys, values and the output.
    pub d_model: usize,
    /// Heads, which divide the columns between them.
    pub n_heads: usize,
    /// The part of the weights that is dropped in training.
    #[config(default = 0.0)]
    pub dropout: f64,
}

impl MultiHeadAttentionConfig {
    /// A layer with PyTorch's initial weights: Xavier uniform for the packed projection, U(-k, k), k = 1 / sqrt(d_model),
    /// for that of the output, and biases of 0.
    ///
    /// # Panics
    /// If the heads do not divide the columns.
    pub fn init(&self, device: &Device) -> MultiHeadAttention {
        let Self {
            d_model,
            n_heads,
            dropout,
        } = *self;
        assert!(
            n_heads > 0 && d_model % n_heads == 0,
            "{n_heads} heads can't share {d_model} columns"
        );
        let mut projection = LinearConfig::new(d_model, 3 * d_model)
            .with_initializer(Initializer::XavierUniform { gain: 1.0 })
            .init(device);
        projection.bias = Some(Initializer::Zeros.init([3 * d_model], device));
        let mut output = LinearConfig::new(d_model, d_model).init(device);
        output.bias = Some(Initializer::Zeros.init([d_model], device));
        MultiHeadAttention {
            projection,
            output,
            dropout: DropoutConfig::new(dropout).init(),
            d_model,
            n_heads,
        }
    }
}

/// Multi-head attention: `concat_h(softmax(Q_h K_h^T / sqrt(d / heads)) V_h) W_o + b_o`, where Q, K and V are linear maps
/// of queries, keys and values.
///
/// The parameters are those of PyTorch's `nn.MultiheadAttention`, transposed: `projection.weight` is `in_proj_weight`,
/// `projection.bias` is `in_proj_bias`, `output` is `out_proj`. Section 12.5.1; Vaswani et al., Attention Is All You
/// Need, 2017.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct MultiHeadAttention {
    /// Queries, keys and values side by side: weight `[d_model, 3 * d_model]`.
    pub projection: Linear,
    /// Weight `[d_model, d_model]`.
    pub output: Linear,
    /// Of the weights of the attention.
    pub dropout: Dropout,
    /// Columns.
    pub d_model: usize,
    /// Heads.
    pub n_heads: usize,
}

impl ModuleDisplay for MultiHeadAttention {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("d_model", &self.d_model)
            .add("n_heads", &self.n_heads)
            .add("dropout", &self.dropout.prob)
            .optional()
    }
}

impl MultiHeadAttention {
    /// Attention of each place of a sequence to all of its places.
    ///
    /// # Shapes
    /// - `x`: `[batch, time, d_model]`
    /// - output: `[batch, time, d_model]`
    ///
    /// # Panics
    /// If the columns are not `d_model`, or the mask has another shape.
    pub fn self_attention(&self, x: Tensor<3>, mask: &AttentionMask) -> Tensor<3> {
        let rate = self.dropout.rate(&x);
        let projected = self.projection.forward(x); // [B, T, 3 d]
        let heads = kernels::self_attention(projected, self.n_heads, mask, rate); // [B, T, d]
        self.output.forward(heads)
    }

    /// Attention of queries to keys.
    ///
    /// # Shapes
    /// - `query`: `[batch, queries, d_model]`
    /// - `key`, `value`: `[batch, keys, d_model]`
    /// - output: `[batch, queries, d_model]`
    ///
    /// # Panics
    /// If the columns are not `d_model`, or the shapes do not fit together.
    pub fn forward(
        &self,
        query: Tensor<3>,
        key: Tensor<3>,
        value: Tensor<3>,
        mask: &AttentionMask,
    ) -> Tensor<3> {
        let rate = self.dropout.rate(&query);
        let [query, key, value] = self.project(query, key, value);
        self.output.forward(kernels::attention(
            query,
            key,
            value,
            self.n_heads,
            mask,
            rate,
        ))
    }

    /// [`Self::forward`] and the weights of the attention, `[batch, n_heads, queries, keys]`.
    ///
    /// # Panics
    /// As [`Self::forward`] does.
    pub fn forward_with_weights(
        &self,
        query: Tensor<3>,
        key: Tensor<3>,
        value: Tensor<3>,
        mask: &AttentionMask,
    ) -> (Tensor<3>, Tensor<4>) {
        let rate = self.dropout.rate(&query);
        let [query, key, value] = self.project(query, key, value);
        let (heads, weights) =
            kernels::attention_with_weights(query, key, value, self.n_heads, mask, rate);
        (self.output.forward(heads), weights)
    }

    /// The linear maps of queries, keys and values.
    fn project(&self, query: Tensor<3>, key: Tensor<3>, value: Tensor<3>) -> [Tensor<3>; 3] {
        let (weight, d) = (self.projection.weight.val(), self.d_model);
        let bias = self.projection.bias.as_ref().map(|bias| bias.val());
        let mut third = 0;
        [query, key, value].map(|x| {
            let from = third * d;
            third += 1;
            let bias = bias.clone().map(|bias| bias.narrow(0, from, d));
            kernels::linear(x, weight.clone().narrow(1, from, d), bias)
        })
    }
}
