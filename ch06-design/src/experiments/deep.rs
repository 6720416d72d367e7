//! 6.6 to 6.9: skip connections, 1x1 convolutions, residual blocks.

use common::Result;
use common::experiment::Run;

use super::plain::{ahead, told};
use super::trainings::{Net, compare};
use crate::layers::Style;

/// 6.6
pub(super) fn skip_fully_connected(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "Skip connections in a fully connected network",
        "Test accuracy against epoch. With blocks of two layers there is nothing to skip.",
        &[
            Net::Fc(Style::LeakyRelu),
            Net::Fc(Style::BatchNorm),
            Net::SkipFc,
        ],
    )?;
    if let [_, batch_norm, skips] = &curves[..] {
        run.claim(
            "skips give no clear gain over batch norm",
            skips.best() < batch_norm.best() + 0.01,
            told(skips, batch_norm),
        );
    }
    Ok(())
}

/// 6.7
pub(super) fn skip_convolutional(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "Skip connections between convolutions",
        "Test accuracy against epoch.",
        &[
            Net::Cnn(Style::LeakyRelu),
            Net::Cnn(Style::BatchNorm),
            Net::SkipCnn,
        ],
    )?;
    if let [_, batch_norm, skips] = &curves[..] {
        ahead(run, "better than batch norm alone", skips, batch_norm);
    }
    Ok(())
}

/// 6.8
pub(super) fn mixing(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "1x1 convolutions",
        "Test accuracy against epoch, with and without convolutions that mix the channels of each pixel.",
        &[
            Net::Cnn(Style::LeakyRelu),
            Net::Cnn(Style::BatchNorm),
            Net::Sharing,
        ],
    )?;
    if let [_, batch_norm, sharing] = &curves[..] {
        ahead(run, "better than without them", sharing, batch_norm);
    }
    Ok(())
}

/// 6.9
pub(super) fn residual(run: &mut Run) -> Result<()> {
    let curves = compare(
        run,
        "From tanh to a residual network",
        "Test accuracy against epoch, one building block after another.",
        &[
            Net::Cnn(Style::Tanh),
            Net::Cnn(Style::LeakyRelu),
            Net::Cnn(Style::BatchNorm),
            Net::Residual,
        ],
    )?;
    if let [others @ .., residual] = &curves[..] {
        for other in others {
            let than = format!("better than {}", other.net.name());
            ahead(run, &than, residual, other);
        }
        let [mean, next] = [
            residual.mean(),
            others.iter().map(|c| c.mean()).fold(0.0, f64::max),
        ];
        run.claim(
            "it is ahead all the way",
            mean > next,
            format!(
                "mean test accuracy of all epochs {mean:.4}, of the next best network {next:.4}"
            ),
        );
    }
    Ok(())
}
