//! Training: a [`Recipe`] says how, [`fit`] does it on burn-train, a [`History`] says what came of it.
//!
//! Reading order: `recipe.rs`, `objective.rs` (loss), `score.rs`, `history.rs`, `fit.rs`, `epoch_loop.rs` (the loop itself).

mod checkpoint;
mod clip;
mod count;
mod dashboard;
mod epoch_loop;
mod fit;
mod history;
pub mod interrupt;
mod meter;
mod objective;
mod optim;
mod progress;
mod recipe;
mod schedule;
mod score;
mod state_dict;

pub use checkpoint::{first_difference, program};
pub use clip::Clip;
pub use count::count_parameters;
pub use epoch_loop::save_model;
pub use fit::{
    Fitted, Folders, Observed, ReadNumbers, Session, draw_weights, fit, fit_observed, load_model,
    slug,
};
pub use history::History;
pub use objective::{
    Classifier, Network, Regressor, StepOutput, Trainable, cross_entropy, mean_squared_error,
};
pub use optim::Optimizer;
pub use progress::{Display, Progress, Watch};
pub use recipe::Recipe;
pub use schedule::{Losses, Schedule};
pub use score::{Overlap, Predictions, Score};
pub use state_dict::StateDict;
