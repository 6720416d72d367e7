//! What the chapters share: data sets, training, figures, devices and the command line. No lesson lives here.
//!
//! - [`experiment`]: [`Chapter`](experiment::Chapter), [`Experiment`](experiment::Experiment), and
//!   [`Run`](experiment::Run), which is all that an experiment sees
//! - [`data`]: data sets, where they are looked for, batches
//! - [`train`]: recipes, the training loop, history, scores, checkpoints
//! - [`study`]: hyper-parameter search
//! - [`plot`], [`report`]: figures, report pages, the gallery
//! - [`kernels`], [`nn`]: fast CPU operations, and layers on them
//! - [`device`], [`cli`]: `--device` and the rest of the command line

pub mod cli;
pub mod data;
pub mod device;
mod error;
pub mod experiment;
pub mod files;
pub mod kernels;
pub mod nn;
pub mod plot;
pub mod report;
pub mod seed;
pub mod study;
pub mod suggest;
pub mod threads;
pub mod train;

pub use error::{Error, Result};

// Burn's CPU backend allocates for every operation; with the system's allocator a CNN step takes a quarter longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
