//! Our side of the benchmark: each network of the book, with the weights and the batches that its PyTorch twin wrote.
//!
//! Reading order: `workload.rs` (what is timed), `measure.rs` (how), `models/` (the networks), `registry.rs` (their names),
//! `exchange.rs` (the files of the twin), `twin.rs` (whether both are the same network), `epoch.rs` (whole epochs through the
//! loader and the training loop).

pub mod epoch;
pub mod exchange;
pub mod measure;
pub mod models;
pub mod registry;
pub mod twin;
pub mod workload;
