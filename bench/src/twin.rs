//! Whether a workload and its PyTorch twin are the same network.

use std::path::Path;

use common::{Error, Result};
use serde::Deserialize;

use crate::registry;
use crate::workload::Options;

/// Largest difference of a loss and the twin's, relative to the larger of them.
pub const AGREE: f64 = 1e-3;

/// What the twin wrote beside its weights and batches, in `twin.json`.
#[derive(Deserialize, Debug)]
struct Twin {
    /// Trainable numbers.
    parameters: usize,
    /// The losses of its first steps, without dropout.
    losses: Vec<f64>,
    /// What the book's learning rate was multiplied by for them.
    rate_factor: f64,
}

/// Refuses the workload of this name unless it is the twin's network: as many parameters, all with the twin's names and
/// shapes, and the same losses in the twin's first steps, each to [`AGREE`].
///
/// # Errors
/// [`Error::Data`] when the two differ or files in `folder` can't be read, [`Error::Usage`] for an unknown name.
pub fn check(name: &str, folder: &Path) -> Result<()> {
    let path = folder.join("twin.json");
    let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| bad(error.to_string()))?;
    let twin: Twin = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if twin.losses.is_empty() {
        return Err(bad("no losses".into()));
    }
    let options = Options {
        dropout: false,
        rate_factor: twin.rate_factor,
    };
    let mut training = registry::read(name, folder, options)?;
    let parameters = training.parameters();
    if parameters != twin.parameters {
        let theirs = twin.parameters;
        return Err(Error::Data(format!(
            "{parameters} parameters, PyTorch's twin has {theirs}"
        )));
    }
    for (step, &theirs) in twin.losses.iter().enumerate() {
        let ours = f64::from(training.step(step));
        let largest = ours.abs().max(theirs.abs());
        let agree = (ours - theirs).abs() <= AGREE * largest; // false for a loss that is no number
        if !agree {
            return Err(Error::Data(format!(
                "the losses of step {step} differ: ours {ours:.6}, PyTorch's {theirs:.6}"
            )));
        }
    }
    Ok(())
}
