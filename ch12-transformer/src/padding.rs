//! What becomes of the places behind the end of a shorter text (all of the chapter).

use burn::tensor::{Bool, Tensor};
use ch10_attention::masked_mean;

/// Whether padding takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Not at all: a padded text gives what the text gives alone.
    Masked,
    /// Where the book's code lets it: in means, in the states of the GRU, under the convolutions, in the attention of the transformer.
    AsPrinted,
}

impl Padding {
    /// The mean of a text's words (12.2, 12.5). As printed, of all places of the batch.
    ///
    /// # Shapes
    /// - `h`: [B, T, H]
    /// - `valid`: [B, T], true for words
    /// - output: [B, H]
    pub fn mean(self, h: Tensor<3>, valid: Tensor<2, Bool>) -> Tensor<2> {
        match self {
            Padding::Masked => masked_mean(h, valid),
            Padding::AsPrinted => h.mean_dim(1).squeeze_dim(1),
        }
    }

    /// The context of an attention (12.3, 12.6, 12.7): the mean of a text's words. As printed, the sum over all places divided by the number of
    /// words.
    ///
    /// # Shapes
    /// As [`mean`](Self::mean).
    pub fn context(self, h: Tensor<3>, valid: Tensor<2, Bool>) -> Tensor<2> {
        match self {
            Padding::Masked => masked_mean(h, valid),
            Padding::AsPrinted => {
                let words = valid.float().sum_dim(1); // [B, 1]
                h.sum_dim(1).squeeze_dim::<2>(1) / (words + 1e-5) // [B, H]
            }
        }
    }
}
