//! What the two players are trained for (sections 9.1 and 9.3).
//!
//! The gradient penalty holds a derivative of D, so its gradient is a second derivative, and Burn differentiates once. Here it is
//! exact all the same. With g = dD/dx at x and v = g / |g|,
//!
//! ```text
//! P = w mean (|g| - 1)^2        dP = 2 w mean (|g| - 1) d|g|        d|g| = v . dg = d(v . g), v held constant
//! ```
//!
//! for a change of D's parameters, since |g| changes as g does along its own direction. A first backward pass gives g, and with it v and
//! |g| as constants. v . g is the derivative of D at x along v, which [`Discriminator::score_with_tangent`] carries forward in
//! operations that Burn differentiates. So the gradient of `mean 2 w (|g| - 1) (v . g)` is that of P.

use burn::tensor::Tensor;
use common::kernels::binary_cross_entropy_with_logits;

use crate::players::Discriminator;
use crate::tangent::Dual;

/// A loss: what is differentiated, and its value where that is something else.
pub struct Loss {
    /// Has the gradient of the loss, shape \[1\].
    pub objective: Tensor<1>,
    /// The loss.
    pub value: f32,
    /// The lowest and the highest score that D gave to a real or a generated example.
    pub scores: [f32; 2],
}

/// The loss of the first GAN for scores that should say `real`: `-log p`, p the probability that D gives to that.
///
/// # Shapes
/// - `scores`: `[batch, 1]`
pub fn cross_entropy(scores: Tensor<2>, real: bool) -> Tensor<1> {
    let target = if real { 1.0 } else { 0.0 };
    let targets = scores.full_like(target);
    binary_cross_entropy_with_logits(scores, targets)
}

/// D's loss in the first GAN: `l(D(x), 1) + l(D(G(z)), 0)`.
///
/// # Shapes
/// - `real`, `fake`: `[batch, values]`, the second without a way back to G
pub fn discriminator_loss<D: Discriminator>(d: &D, real: Tensor<2>, fake: Tensor<2>) -> Loss {
    let [batch, _] = real.dims();
    let scores = d.score(Tensor::cat(vec![real, fake], 0), None); // [2B, 1]
    let of = |first| scores.clone().narrow(0, first, batch);
    let objective = cross_entropy(of(0), true) + cross_entropy(of(batch), false);
    Loss {
        value: objective.clone().into_scalar::<f32>(),
        scores: range(scores),
        objective,
    }
}

/// The lowest and the highest of all values.
fn range(scores: Tensor<2>) -> [f32; 2] {
    let scores = scores.detach();
    [scores.clone().min(), scores.max()].map(|v| v.into_scalar::<f32>())
}

/// A batch for D in the Wasserstein GAN: values without automatic differentiation.
pub struct CriticBatch<'a> {
    /// From the data, `[batch, values]`
    pub real: Tensor<2>,
    /// From G, `[batch, values]`
    pub fake: Tensor<2>,
    /// How much of the real example is in the place where the penalty is taken, 0 to 1: `[batch, 1]`
    pub part: Tensor<2>,
    /// The classes of the real examples; the generated ones were to be the same.
    pub classes: Option<&'a [u8]>,
}

/// D's loss in the Wasserstein GAN with gradient penalty: `mean D(G(z)) - mean D(x)` plus [`gradient_penalty`] at a place between the
/// two (section 9.3; Gulrajani et al. 2017).
pub fn critic_loss<D: Discriminator>(d: &D, batch: CriticBatch, weight: f64) -> Loss {
    let CriticBatch {
        real,
        fake,
        part,
        classes,
    } = batch;
    let [size, _] = real.dims();
    let between = part.clone() * real.clone() + (part.neg() + 1.0) * fake.clone();
    let penalty = gradient_penalty(d, between, classes, weight);
    let pictures = Tensor::from_inner(Tensor::cat(vec![fake, real], 0)); // [2B, values]
    let twice = classes.map(|classes| classes.repeat(2));
    let scores = d.score(pictures, twice.as_deref()); // [2B, 1]
    let of = |first| scores.clone().narrow(0, first, size).mean();
    let distance = of(0) - of(size);
    Loss {
        value: distance.clone().into_scalar::<f32>() + penalty.value,
        objective: distance + penalty.objective,
        scores: range(scores),
    }
}

/// The gradient penalty: `weight mean (|g| - 1)^2`, g the gradient of D at `x`, its length over all values of an example.
///
/// See the head of this file for what is differentiated.
///
/// # Shapes
/// - `x`: `[batch, values]`, without automatic differentiation
pub fn gradient_penalty<D: Discriminator>(
    d: &D,
    x: Tensor<2>,
    classes: Option<&[u8]>,
    weight: f64,
) -> Loss {
    let [size, _] = x.dims();
    let at = Tensor::from_inner(x.clone()).require_grad();
    let scores = d.clone().no_grad().score(at.clone(), classes);
    let extremes = range(scores.clone());
    let gradient = at.grad(&scores.sum().backward());
    let gradient = gradient.unwrap_or_else(|| x.zeros_like()); // [B, values]
    let length = gradient.clone().square().sum_dim(1).sqrt(); // [B, 1]
    let direction = gradient / length.clone().clamp_min(f32::MIN_POSITIVE);
    let excess = length - 1.0;
    let value = excess.clone().square().mean() * weight;
    let dual = Dual {
        value: Tensor::from_inner(x),
        tangent: Tensor::from_inner(direction),
    };
    let slope = d.score_with_tangent(dual, classes).tangent; // [B, 1], equal to the length
    let factor = Tensor::from_inner(excess * (2.0 * weight / size.max(1) as f64));
    Loss {
        objective: (slope * factor).sum(),
        value: value.into_scalar::<f32>(),
        scores: extremes,
    }
}
