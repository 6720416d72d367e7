//! Convolutions of few channels, and of groups: planes as they are, vectors hold neighbouring positions.

mod correlate;
mod plan;
mod weight;

pub(crate) use correlate::{Destination, correlate};
pub(crate) use plan::Plan;
pub(crate) use weight::weight_gradient;
