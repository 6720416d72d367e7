//! Texts: a published encoder, frozen, and a small network on top that learns from few labels (section 13.4).
//!
//! Reading order: [`word_piece`] (texts to numbers), [`bert`] (numbers to vectors), [`weights`] (published ones), [`masked_words`] (an encoder trained
//! here where there is none), [`encoder`] (all of it together), [`features`] (what a frozen encoder says, computed once), [`head`] (what is trained),
//! [`read_again`] (the book's way).

pub mod bert;
pub mod encoder;
pub mod features;
pub mod head;
pub mod masked_words;
pub mod read_again;
pub mod weights;
pub mod word_piece;

pub use bert::{Bert, BertConfig};
pub use encoder::{TextEncoder, Tokens};
pub use features::{EncodedTexts, PieceVectors};
pub use head::AttentionHead;
pub use masked_words::{MaskedNews, MaskedTexts, MaskedWords};
pub use read_again::ReadAgain;
pub use word_piece::Pieces;
