//! Chapter 13: transfer learning.
//!
//! A network that was trained on a large set has learned features that other tasks need too. Its last layer is replaced, and either all
//! weights are trained further (a warm start) or the new layer alone (frozen). With few labels that is the difference between guessing and
//! knowing.
//!
//! Reading order: [`text`] (its own reading order inside), [`experiments`].

mod classify_text;
pub mod experiments;
pub mod text;

pub use experiments::chapter;
