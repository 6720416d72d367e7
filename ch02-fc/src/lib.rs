//! Chapter 2: fully connected networks.
//!
//! A network is a function with parameters, a loss says how wrong it is, and gradient descent turns the parameters until it
//! is less wrong. The chapter starts with a straight line, finds that two linear layers are still a straight line, puts a tanh
//! between them, moves to classification on two moons, and ends with batches.
//!
//! Reading order: [`networks`] (the five models), [`train_simple`] (the training loop, bare), [`decision`] (the picture of what a
//! classifier has learned), [`experiments`]. After that `common::train` replaces the bare loop.
//!
//! Letters in shape comments: B examples in a batch, D inputs, H hidden units, C classes.

pub mod decision;
pub mod experiments;
pub mod networks;
pub mod train_simple;

pub use experiments::chapter;
