//! Chapter 10: attention mechanisms.
//!
//! A bag holds several digits, and the label is the largest of them: the other digits are noise. A network that sees all pixels at once has to
//! learn for each place anew what a digit is. With attention one small network reads each digit by itself, a second one says how important it
//! is, and what goes on is the average of the digits weighted by their importance. The importance can also be judged in the light of a context,
//! here the mean of the bag, by a dot product, a bilinear form or a small network. Masks tell items from padding, so that a bag may have any
//! number of digits.
//!
//! Reading order: [`bags`] (the data), [`masks`] (what is an item and what is padding), [`scores`] (importance in a context), [`attention`] (scores
//! to weights to an average), [`networks`] (the three networks of the chapter), [`experiments`]. Chapters 11 to 13 take scores, masks and
//! averages from here.
//!
//! Letters in shape comments: B bags in a batch, T items of a bag, Q contexts that one bag is looked at from, H features of an item.

pub mod attention;
pub mod bags;
pub mod experiments;
pub mod masks;
pub mod networks;
pub mod scores;

pub use attention::{AttentionAvg, apply_attention};
pub use bags::DigitBags;
pub use experiments::chapter;
pub use masks::{masked_mean, valid_items, valid_tokens};
pub use scores::{AdditiveAttentionScore, AttentionScore, DotScore, GeneralScore};
