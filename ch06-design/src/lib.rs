//! Chapter 6: common design building blocks.
//!
//! A deep network is made of a few parts that stand in almost every other one. The chapter takes a plain fully connected network and a plain
//! convolutional one, and changes one part after another: a rectifier in place of tanh, normalisation before it, connections that skip layers, 1x1
//! convolutions that mix channels, residual blocks that add to what they are given. One data set, Fashion-MNIST, serves for all comparisons.
//! At the end the same idea, a path along which gradients pass unchanged, makes an LSTM out of an RNN.
//!
//! Reading order: [`layers`] (activation and normalisation), [`networks`] (the plain networks), [`skip`], [`mixing`], [`residual`] (the blocks),
//! [`deep`] (the networks of these blocks), [`names`] (RNN and LSTM), [`experiments`].
//!
//! Letters in shape comments: B examples in a batch, C channels, H and W pixels; images are [batch, channel, height, width].

pub mod deep;
pub mod experiments;
pub mod layers;
pub mod mixing;
pub mod names;
pub mod networks;
pub mod residual;
pub mod skip;

pub use experiments::chapter;
