//! Chapter 1: the mechanics of learning.
//!
//! Everything is a tensor: a table of numbers with any number of axes, on some device. A function of tensors knows its own
//! derivative (automatic differentiation). A derivative says which way is down, so a function can be minimised by walking
//! down in small steps (gradient descent). Training a network, from chapter 2 on, is no more than that, with a data set.
//!
//! Reading order: [`function`] (the function that is minimised), [`descent`] (the walk down, by hand and with Burn's
//! optimizer), [`flat_mnist`] (a data set and its random split), [`move_to`] (containers of tensors to a device),
//! [`matmul`] (how fast a device is), [`devices`] (which ones there are), [`experiments`].
//!
//! Letters in shape comments: N numbers or rows of a square matrix.

pub mod descent;
pub mod devices;
pub mod experiments;
pub mod flat_mnist;
pub mod function;
pub mod matmul;
pub mod move_to;
mod read;

pub use experiments::chapter;
