//! 6.1 and 6.3 to 6.5: the plain networks with one activation or normalisation after another.

use common::Result;
use common::experiment::Run;

use super::trainings::{Curve, Net, compare};
use crate::layers::Style;

/// 6.1
pub(super) fn tanh(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "Baselines with tanh",
        "Test accuracy against epoch: six fully connected layers, and eight convolutions.",
        &both(&[Style::Tanh]),
    )?;
    if let [fc, cnn] = &curves[..] {
        ahead(run, "the convolutional network is better", cnn, fc);
    }
    Ok(())
}

/// 6.3
pub(super) fn leaky_relu(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "Leaky rectifiers in place of tanh",
        "Test accuracy against epoch.",
        &both(&[Style::Tanh, Style::LeakyRelu]),
    )?;
    if let [fc_tanh, cnn_tanh, fc, cnn] = &curves[..] {
        for (with, without) in [(fc, fc_tanh), (cnn, cnn_tanh)] {
            ahead(run, "leaky rectifiers are better", with, without);
            sooner(run, with, without);
        }
    }
    Ok(())
}

/// 6.4
pub(super) fn batch_norm(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "Batch norm",
        "Test accuracy against epoch, all with leaky rectifiers.",
        &both(&[Style::LeakyRelu, Style::BatchNorm]),
    )?;
    if let [fc_without, cnn_without, fc, cnn] = &curves[..] {
        for (with, without) in [(fc, fc_without), (cnn, cnn_without)] {
            ahead(run, "batch norm is better", with, without);
            sooner(run, with, without);
        }
    }
    Ok(())
}

/// 6.5
pub(super) fn layer_norm(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "Layer norm",
        "Test accuracy against epoch, all with leaky rectifiers.",
        &both(&[Style::LeakyRelu, Style::BatchNorm, Style::LayerNorm]),
    )?;
    if let [fc, cnn, _, cnn_batch, fc_layer, cnn_layer] = &curves[..] {
        run.claim(
            "layer norm does not help the fully connected network",
            fc_layer.best() < fc.best() + 0.005,
            told(fc_layer, fc),
        );
        ahead(run, "the convolutional network gains", cnn_layer, cnn);
        ahead(run, "but less than from batch norm", cnn_batch, cnn_layer);
    }
    Ok(())
}

/// Both networks in each of the styles.
fn both(styles: &[Style]) -> Vec<Net> {
    let nets = styles.iter().flat_map(|s| [Net::Fc(*s), Net::Cnn(*s)]);
    nets.collect()
}

/// The best accuracies of two networks.
pub(super) fn told(one: &Curve, other: &Curve) -> String {
    format!(
        "highest test accuracy {:.4} ({}) against {:.4} ({})",
        one.best(),
        one.net.name(),
        other.best(),
        other.net.name()
    )
}

/// Claims that `one` reaches a higher accuracy than `other`.
pub(super) fn ahead(run: &mut Run, claim: &str, one: &Curve, other: &Curve) {
    let text = format!("{}: {claim}", one.net.name());
    run.claim(&text, one.best() > other.best(), told(one, other));
}

/// Claims that `one` needs fewer epochs than `other` for the best accuracy of `other`.
fn sooner(run: &mut Run, one: &Curve, other: &Curve) {
    let level = other.best();
    let [first, second] = [one, other].map(|curve| curve.epochs_to(level));
    let held = matches!((first, second), (Some(first), Some(second)) if first < second);
    let detail = match (first, second) {
        (Some(first), Some(second)) => {
            format!("test accuracy {level:.4} after {first} epochs against {second}")
        }
        _ => format!("test accuracy {level:.4} is not reached"),
    };
    let text = format!("{} learns in fewer epochs", one.net.name());
    run.claim(&text, held, detail);
}
