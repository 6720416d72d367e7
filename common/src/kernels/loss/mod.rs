//! Losses: on Flex the value and its gradient in one pass, elsewhere Burn's operations.

#[cfg(feature = "flex")]
mod cross_entropy;
#[cfg(feature = "flex")]
mod pointwise;

#[cfg(feature = "flex")]
pub(super) use {
    cross_entropy::{Targets, Weights, cross_entropy as fused_cross_entropy},
    pointwise::{Pointwise, pointwise},
};

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Int, Tensor};

#[cfg(feature = "flex")]
use super::flex;

/// Softmax cross-entropy, mean over the batch (section 2.3): -log p_y with p = softmax(logits).
///
/// # Shapes
/// - `logits`: `[batch, classes]`
/// - `targets`: `[batch]`, class numbers
/// - output: `[1]`
///
/// # Panics
/// If the numbers of rows and targets differ, or a target is not a class.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if flex::takes_cross_entropy(&logits, &targets) {
        let classes = flex::numbers(targets);
        let weights = Weights::Equal(1.0 / classes.len() as f32);
        return flex::cross_entropy(logits, Targets::new(&classes, weights));
    }
    negative_log_likelihoods(logits, targets).mean()
}

/// Softmax cross-entropy, mean over the rows whose target is not `ignored` (padding); NaN if there is no other, as in PyTorch.
///
/// # Shapes
/// - `logits`: `[rows, classes]`
/// - `targets`: `[rows]`, class numbers or `ignored`
/// - output: `[1]`
///
/// # Panics
/// As [`cross_entropy`].
pub fn cross_entropy_ignoring(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    ignored: i64,
) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if flex::takes_cross_entropy(&logits, &targets) {
        let mut classes = flex::numbers(targets);
        let counted = classes.iter().filter(|class| **class != ignored).count();
        let weight = 1.0 / counted as f32;
        let mut weights = vec![weight; classes.len()];
        for (class, weight) in classes.iter_mut().zip(&mut weights) {
            if *class == ignored {
                // With nothing to count the loss is 0 / 0.
                (*class, *weight) = (0, if counted == 0 { f32::NAN } else { 0.0 });
            }
        }
        return flex::cross_entropy(logits, Targets::new(&classes, Weights::Each(weights)));
    }
    let padding = targets.clone().equal_scalar(ignored);
    let counted = padding.clone().bool_not().float(); // [rows]
    let losses = negative_log_likelihoods(logits, targets.mask_fill(padding, 0));
    (losses * counted.clone()).sum() / counted.sum()
}

/// The sum of the softmax cross-entropies of the rows, each times its weight.
///
/// Other means are made of it: over the steps of a sequence and then over sequences of different lengths, or of mixed
/// pairs of targets. No gradient flows to the weights.
///
/// # Shapes
/// - `logits`: `[rows, classes]`
/// - `targets`: `[rows]`, class numbers; any class where the weight is 0
/// - `weights`: `[rows]`
/// - output: `[1]`
///
/// # Panics
/// As [`cross_entropy`].
pub fn weighted_cross_entropy(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    weights: Tensor<1>,
) -> Tensor<1> {
    let weights = weights.detach();
    #[cfg(feature = "flex")]
    if flex::takes_cross_entropy(&logits, &targets)
        && let Ok(each) = weights.clone().into_data().try_to_vec::<f32>()
    {
        assert_eq!(each.len(), targets.dims()[0], "a weight for each target");
        let targets = Targets::new(&flex::numbers(targets), Weights::Each(each));
        return flex::cross_entropy(logits, targets);
    }
    (negative_log_likelihoods(logits, targets) * weights).sum()
}

/// Binary cross-entropy of logits x and targets y in \[0, 1\], mean over all values: -y log s(x) - (1 - y) log(1 - s(x)) with
/// s(x) = 1 / (1 + e^-x), computed as max(x, 0) - x y + log(1 + e^-|x|), which can't overflow.
///
/// # Shapes
/// - `logits` and `targets`: any, the same
/// - output: `[1]`
pub fn binary_cross_entropy_with_logits<const D: usize>(
    logits: Tensor<D>,
    targets: Tensor<D>,
) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if flex::takes_pointwise(&logits, &targets) {
        return flex::pointwise(logits, targets, Pointwise::BinaryCrossEntropy);
    }
    // The same number: x (1 - y) - log s(x).
    let log_s = log_sigmoid(logits.clone());
    (logits.clone() - logits * targets - log_s).mean()
}

/// Mean squared error of outputs and targets (section 2.1): the mean of (output - target)^2.
///
/// # Shapes
/// - `output` and `targets`: any, the same
/// - result: `[1]`
pub fn mean_squared_error<const D: usize>(output: Tensor<D>, targets: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if flex::takes_pointwise(&output, &targets) {
        return flex::pointwise(output, targets, Pointwise::Squared);
    }
    (output - targets).square().mean()
}

/// -log p of the target in each row, `[rows]`.
fn negative_log_likelihoods(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let of_target = log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1)); // [rows, 1]
    of_target.squeeze_dim::<1>(1).neg()
}
