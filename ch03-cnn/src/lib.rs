//! Chapter 3: convolutional neural networks.
//!
//! A fully connected network does not know that pixels have neighbours. A convolution does: one small filter slides over the
//! whole image, so what it has learned in one place it knows in every place. The chapter looks at images as tensors, filters them by
//! hand, lets a network learn its filters, finds that moving a digit by one pixel upsets it, and mends that with pooling and
//! augmentation.
//!
//! Reading order: [`filters`] (a convolution by hand), [`networks`] (the three networks), [`shift`] (the test of one pixel),
//! [`experiments`], [`classify`] (the trained network put to use).
//!
//! Letters in shape comments: B examples in a batch; images are [batch, channel, height, width].

pub mod classify;
pub mod experiments;
pub mod filters;
pub mod networks;
pub mod shift;

pub use experiments::chapter;
