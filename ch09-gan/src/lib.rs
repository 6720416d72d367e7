//! Chapter 9: generative adversarial networks.
//!
//! Two networks play against each other. The generator G makes examples from noise, the discriminator D tells them from real ones, and
//! each learns from the other: D by being shown both, G by the gradient that comes back through D. The first GAN draws digits, but
//! some digits far more often than others; on nine Gaussians it finds one or two. The Wasserstein loss with a gradient penalty mends that.
//! Then come convolutions, labels that tell G what to draw, and walks through the space of noise.
//!
//! Reading order: [`layers`] and [`players`] (what both players are made of and asked for), [`simple`], [`losses`] with [`tangent`] (the
//! game's losses; how the gradient of a gradient comes out of an automatic differentiation of first order), [`adversaries`] (one turn of the game),
//! [`training`] (all of them), [`convolutional`], [`conditional`], [`modes`], [`judge`] with [`frechet`] (how good is it?), [`latent`],
//! [`pgan`], [`experiments`], [`sample`] (a trained generator put to use).
//!
//! Letters in shape comments: B examples in a batch. An example is a row of values: a digit has 784, a point of the plane 2.

pub mod adversaries;
pub mod conditional;
pub mod convolutional;
pub mod examples;
pub mod experiments;
pub mod frechet;
pub mod judge;
pub mod latent;
pub mod layers;
pub mod losses;
pub mod modes;
pub mod noise;
pub mod pgan;
pub mod players;
pub mod sample;
pub mod simple;
pub mod tangent;
pub mod training;

pub use experiments::chapter;
