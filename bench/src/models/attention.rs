//! Attention over a bag of digits: 10.5 with the additive score.

use ch10_attention::AdditiveAttentionScore;
use ch10_attention::networks::{ContextAttention, HIDDEN};

use super::classifier;

/// 533,515 parameters.
pub type BagNet = ContextAttention<AdditiveAttentionScore>;

classifier!(BagNet, 5, |device| {
    ContextAttention::new(AdditiveAttentionScore::new(HIDDEN, device), device)
});
