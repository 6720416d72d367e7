//! Chapter 5: modern training techniques.
//!
//! Plain SGD takes the gradient as it comes and a step of always the same size. The chapter improves both halves of the update: the size,
//! by a schedule that lowers it as training goes on, and the direction, by optimizers that remember earlier gradients. One network and one data
//! set, Fashion-MNIST, serve for all comparisons. At the end a search chooses what was chosen by hand: width, depth, learning rate.
//!
//! Reading order: [`networks`] (one network), [`mod@train_network`] (what the book's `train_network` can do, and where it is done here),
//! [`epochs`] (the same loop in the open: optimizer, schedule, validation), [`experiments`]. The schedules and optimizers themselves are in
//! `common::train`, the search in `common::study`.
//!
//! Letters in shape comments: B examples in a batch; images are [batch, channel, height, width].

pub mod epochs;
pub mod experiments;
pub mod networks;
pub mod train_network;

pub use experiments::chapter;
pub use train_network::{Sets, train_network};
