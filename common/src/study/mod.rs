//! Hyper-parameter search (section 5.4): a [`Study`] asks for trials, is told what came of them, and asks better.
//!
//! The book uses Optuna; this is as much of it as the book needs, with Optuna's constants: uniform, integer and log-uniform parameters, a
//! random sampler and a tree-structured Parzen estimator, the median pruner, and the figures. Trial n draws from (seed, n) and from the
//! trials before it, and each finished trial is a line of a file, so a study that was interrupted goes on as if it never was.
//!
//! Reading order: `parameter.rs` (what is searched), `trial.rs`, `sampler.rs` (what to try next), `pruner.rs` (when to give up),
//! `run.rs` (the study itself), `journal.rs` (the file), `importance.rs` and `figures.rs`.

mod figures;
mod importance;
mod journal;
mod parameter;
mod pruner;
mod run;
mod sampler;
mod trial;

pub use figures::{contour, history, importances, intermediate, slice};
pub use parameter::{Parameter, Range};
pub use pruner::Pruner;
pub use run::{Direction, Study};
pub use sampler::Sampler;
pub use trial::{Outcome, State, Trial};
