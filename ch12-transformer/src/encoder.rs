//! A layer of a transformer's encoder (section 12.5.2).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::{AttentionMask, relu};
use common::nn::{
    Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, MultiHeadAttention,
    MultiHeadAttentionConfig,
};

/// Sizes of a layer of an encoder or a decoder.
#[derive(Clone, Copy, Debug)]
pub struct LayerSizes {
    /// Values of a word.
    pub width: usize,
    /// Heads of an attention, which divide the values between them.
    pub heads: usize,
    /// Values between the two linear layers.
    pub inner: usize,
    /// The part of the values and of the attention's weights that is dropped in training.
    pub dropout: f64,
}

/// Two linear layers for each word: `W_2 drop(relu(W_1 x))`.
pub(crate) fn feed_forward(
    x: Tensor<3>,
    [first, second]: [&Linear; 2],
    dropout: &Dropout,
) -> Tensor<3> {
    let inner = dropout.forward(relu(first.forward(x))); // [B, T, inner]
    second.forward(inner) // [B, T, H]
}

/// Self-attention, then two linear layers for each word; around each of them dropout, a skip connection and a layer norm behind:
/// `x = LN(x + drop(MHA(x, x, x)))`, `x = LN(x + drop(W_2 drop(relu(W_1 x))))`. The names are those of PyTorch's `TransformerEncoderLayer`.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    self_attn: MultiHeadAttention,
    linear1: Linear,
    linear2: Linear,
    norm1: LayerNorm,
    norm2: LayerNorm,
    dropout: Dropout,
}

impl EncoderLayer {
    /// A fresh layer.
    ///
    /// # Panics
    /// If the heads do not divide the width.
    pub fn new(sizes: LayerSizes, device: &Device) -> Self {
        let attention = MultiHeadAttentionConfig::new(sizes.width, sizes.heads);
        let norm = || LayerNormConfig::new(sizes.width).init(device);
        Self {
            self_attn: attention.with_dropout(sizes.dropout).init(device),
            linear1: LinearConfig::new(sizes.width, sizes.inner).init(device),
            linear2: LinearConfig::new(sizes.inner, sizes.width).init(device),
            norm1: norm(),
            norm2: norm(),
            dropout: DropoutConfig::new(sizes.dropout).init(),
        }
    }

    /// The attention of the layer.
    pub fn attention(&self) -> &MultiHeadAttention {
        &self.self_attn
    }

    /// # Shapes
    /// - `x` and output: [B, T, H]
    ///
    /// # Panics
    /// If the shapes of words and mask do not fit.
    pub fn forward(&self, x: Tensor<3>, mask: &AttentionMask) -> Tensor<3> {
        let attended = self.self_attn.self_attention(x.clone(), mask); // [B, T, H]
        let x = self.norm1.forward(x + self.dropout.forward(attended));
        let linear = [&self.linear1, &self.linear2];
        let f = feed_forward(x.clone(), linear, &self.dropout); // [B, T, H]
        self.norm2.forward(x + self.dropout.forward(f))
    }
}
