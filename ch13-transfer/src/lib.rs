//! Chapter 13: transfer learning.
//!
//! A network that was trained on a large set has learned features that other tasks need too. Its last layer is replaced, and either all
//! weights are trained further (a warm start) or the new layer alone (frozen). With few labels that is the difference between guessing and
//! knowing.
//!
//! Reading order: [`resnet`] and [`efficientnet`] (the networks, and how they read published weights), [`classifier`] (input normalisation, a
//! new last layer, freezing), [`text`] (encoders of texts; its own reading order inside), [`experiments`].
//!
//! Letters in shape comments: B photos in a batch, F features that a last layer sees.

pub mod classifier;
mod classify;
mod classify_text;
pub mod efficientnet;
pub mod experiments;
pub mod resnet;
pub mod text;

pub use classifier::{Architecture, Backbone, Frozen, NormalizeInput, PhotoClassifier};
pub use experiments::chapter;
