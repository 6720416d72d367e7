//! Chapter 9: generative adversarial networks.

pub mod adversaries;
pub mod conditional;
pub mod convolutional;
pub mod layers;
pub mod losses;
pub mod players;
pub mod simple;
pub mod tangent;
