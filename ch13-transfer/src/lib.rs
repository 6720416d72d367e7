//! Chapter 13: transfer learning.
//!
//! A network that was trained on a large set has learned features that other tasks need too. Its last layer is replaced, and either all
//! weights are trained further (a warm start) or the new layer alone (frozen). With few labels that is the difference between guessing and
//! knowing.
//!
//! Reading order: [`experiments`].

pub mod experiments;

pub use experiments::chapter;
