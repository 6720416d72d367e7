//! The one number of an experiment that the README's table shows.

use common::report::{Metric, Summary};

/// Experiments whose point is another number than the first for which the book has one.
pub const HEADLINES: &[(&str, &str)] = &[
    ("2.4", "mean squared error, start 1"),
    ("2.6", "accuracy, MLP"),
    ("3.5", "test accuracy, pooled CNN"),
    ("4.1", "test accuracy, one matrix, twice"),
    ("5.2", "test accuracy at the end, exponential decay"),
    ("5.3", "test accuracy at the end, step drops"),
    ("5.4", "test accuracy at the end, cosine annealing"),
    ("5.5", "test loss, last epoch"),
    ("5.6", "test accuracy at the end, plateau"),
    ("5.8", "test accuracy at the end, momentum"),
    ("5.9", "test accuracy at the end, Nesterov"),
    ("5.10", "test accuracy at the end, AdamW"),
    ("5.11", "test accuracy at the end, AdamW + cosine"),
    ("5.12", "test accuracy at the end, AdamW + cosine, clipped"),
    ("6.1", "train accuracy, CNN, tanh"),
    ("6.3", "train accuracy, CNN, leaky ReLU"),
    ("6.4", "train accuracy, CNN, batch norm"),
    ("6.5", "train accuracy, CNN, layer norm"),
    ("6.6", "train accuracy, FC, skips"),
    ("6.7", "train accuracy, CNN, skips"),
    ("6.8", "train accuracy, CNN, 1x1 convolutions"),
    ("6.9", "train accuracy, residual"),
    ("6.10", "test accuracy, LSTM"),
    ("7.7", "loss"),
    ("8.2", "validation loss, transposed CNN"),
    ("8.3", "validation loss, U-Net"),
    ("8.5", "AP at IoU 0.5"),
    ("8.6", "share of digits found after"),
    ("9.1", "entropy of digits, GAN (bits)"),
    ("9.4", "entropy of digits, WGAN-GP (bits)"),
    ("9.5", "Fréchet distance, convolutional WGAN-GP"),
    ("9.6", "digits that are what was asked for"),
    ("9.7", "digits that are what was asked for"),
    ("9.9", "largest step, as a part of the way"),
    ("9.10", "slant along its direction"),
    ("10.2", "test accuracy, simple attention"),
    ("10.5", "test accuracy, general score"),
    ("11.1", "BLEU, greedy"),
    ("12.2", "best test accuracy, average"),
    ("12.3", "best test accuracy, attention"),
    ("12.4", "best test accuracy, CNN"),
    ("12.5", "best test accuracy, average + position"),
    ("12.6", "best test accuracy, attention + position"),
    ("12.7", "best test accuracy, transformer"),
    ("13.2", "roughness, pretrained"),
    ("13.5", "test accuracy, frozen, mean of seeds"),
    ("13.7", "test accuracy, frozen encoder, mean"),
    ("14.4", "distance from its neighbours' mean, anti-aliased"),
    (
        "14.5",
        "standard deviation over the shifts of the photo, anti-aliased",
    ),
    ("14.6", "test accuracy, ReZero"),
    ("14.8", "test accuracy, ReZero, MixUp"),
];

/// The number that stands for a run: the one of [`HEADLINES`], else the first for which the book has one, else the first.
pub fn headline(run: &Summary) -> Option<&Metric> {
    let named = HEADLINES.iter().find(|(id, _)| *id == run.id);
    let mut metrics = run.metrics.iter();
    named
        .and_then(|(_, name)| metrics.clone().find(|metric| metric.name == *name))
        .or_else(|| metrics.clone().find(|metric| metric.book.is_some()))
        .or_else(|| metrics.next())
}
