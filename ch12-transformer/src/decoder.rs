//! A layer of a transformer's decoder, which the text describes and no experiment trains (section 12.5.2).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels::AttentionMask;
use common::nn::{
    Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, MultiHeadAttention,
    MultiHeadAttentionConfig,
};

use crate::encoder::{LayerSizes, feed_forward};

/// Self-attention, attention to what an encoder has read, two linear layers for each word; around each of the three dropout, a skip connection
/// and a layer norm behind. The names are those of PyTorch's `TransformerDecoderLayer`.
#[derive(Module, Debug)]
pub struct DecoderLayer {
    self_attn: MultiHeadAttention,
    multihead_attn: MultiHeadAttention,
    linear1: Linear,
    linear2: Linear,
    norm1: LayerNorm,
    norm2: LayerNorm,
    norm3: LayerNorm,
    dropout: Dropout,
}

impl DecoderLayer {
    /// A fresh layer.
    ///
    /// # Panics
    /// If the heads do not divide the width.
    pub fn new(sizes: LayerSizes, device: &Device) -> Self {
        let attention = || {
            let attention = MultiHeadAttentionConfig::new(sizes.width, sizes.heads);
            attention.with_dropout(sizes.dropout).init(device)
        };
        let norm = || LayerNormConfig::new(sizes.width).init(device);
        Self {
            self_attn: attention(),
            multihead_attn: attention(),
            linear1: LinearConfig::new(sizes.width, sizes.inner).init(device),
            linear2: LinearConfig::new(sizes.inner, sizes.width).init(device),
            norm1: norm(),
            norm2: norm(),
            norm3: norm(),
            dropout: DropoutConfig::new(sizes.dropout).init(),
        }
    }

    /// Words of the text that is being written, in the light of the encoder's states. With a causal mask for `x` no word sees those behind it.
    ///
    /// # Shapes
    /// - `x` and output: [B, T, H]
    /// - `memory`: [B, S, H], what the encoder has made of the text that was read
    ///
    /// # Panics
    /// If the shapes of words, states and masks do not fit.
    pub fn forward(
        &self,
        x: Tensor<3>,
        memory: Tensor<3>,
        mask: &AttentionMask,
        memory_mask: &AttentionMask,
    ) -> Tensor<3> {
        let attended = self.self_attn.self_attention(x.clone(), mask); // [B, T, H]
        let x = self.norm1.forward(x + self.dropout.forward(attended));
        let attention = &self.multihead_attn;
        let read = attention.forward(x.clone(), memory.clone(), memory, memory_mask); // [B, T, H]
        let x = self.norm2.forward(x + self.dropout.forward(read));
        let linear = [&self.linear1, &self.linear2];
        let f = feed_forward(x.clone(), linear, &self.dropout); // [B, T, H]
        self.norm3.forward(x + self.dropout.forward(f))
    }
}
