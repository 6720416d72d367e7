//! Chapter 14: advanced building blocks.
//!
//! Three improvements of a plain convolutional network on CIFAR-10. Pooling takes every second value without a filter before it: fine patterns turn
//! into others (aliasing), and a picture that moves by a pixel is another picture to the network. Blurring before sampling mends that. Residual
//! blocks let a network of 56 convolutions be trained, and ReZero, a weight on each block that starts at 0, lets it begin as a shallow one. MixUp
//! trains on weighted averages of two pictures and of their labels, against over-fitting.
//!
//! Reading order: [`blur`] (the filter, and max pooling with it), [`networks`] (the plain network with either pooling), [`residual`] (the blocks and
//! the network of 28 of them), [`mixup`] (mixed batches, their loss), [`shifts`] (a picture through a window that moves), [`experiments`].
//!
//! Letters in shape comments: B images in a batch, C channels, H and W pixels; images are [batch, channel, height, width].

pub mod blur;
pub mod experiments;
pub mod mixup;
pub mod networks;
pub mod residual;
pub mod shifts;

pub use blur::{BlurLayer, MaxPool2dAa};
pub use experiments::chapter;
