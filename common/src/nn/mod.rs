//! Layers on the fast kernels, with the names, fields and shapes of [`burn::nn`].
//!
//! A chapter takes a layer from here instead of from `burn::nn` and changes nothing else: saved weights have the
//! same names, and the initial weights are the same numbers for the same seed.

pub mod conv;
