//! A step of an optimizer for one parameter: on Flex one pass over its values, elsewhere Burn's operations.
//!
//! The formulas and the order of their operations are those of `torch.optim`.

#[cfg(feature = "flex")]
mod pass;

#[cfg(feature = "flex")]
pub(super) use pass::{adam, scale, sgd, sum_of_squares};

use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use super::flex;

/// The constants of a step of stochastic gradient descent: g is the gradient, clamped to \[-clip, clip\],
/// plus `weight_decay` w; v <- momentum v + g; w <- w - lr v, or with `nesterov` w - lr (g + momentum v).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sgd {
    pub lr: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
    pub clip: Option<f64>,
}

/// The constants of a step of Adam: g is the gradient, clamped to \[-clip, clip\]; m <- beta_1 m + (1 - beta_1) g;
/// v <- beta_2 v + (1 - beta_2) g^2; w <- (1 - lr weight_decay) w - lr m' / (sqrt(v') + eps) with
/// m' = m / (1 - beta_1^t) and v' = v / (1 - beta_2^t).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub lr: f64,
    pub betas: (f64, f64),
    pub eps: f64,
    /// Decoupled, as in AdamW.
    pub weight_decay: f64,
    pub clip: Option<f64>,
    /// t, which counts the steps from 1.
    pub time: i32,
}

impl Adam {
    /// 1 - beta^t of both moments.
    fn corrections(&self) -> (f64, f64) {
        let (beta_1, beta_2) = self.betas;
        (1.0 - beta_1.powi(self.time), 1.0 - beta_2.powi(self.time))
    }
}

/// The new parameter and, with momentum, its new velocity. `velocity` is none in the first step.
pub(crate) fn sgd_step<const D: usize>(
    rule: &Sgd,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
) -> (Tensor<D>, Option<Tensor<D>>) {
    #[cfg(feature = "flex")]
    if flex::takes_step(&[&parameter, &gradient])
        && velocity
            .as_ref()
            .is_none_or(|v| flex::takes_step(&[&gradient, v]))
    {
        return flex::sgd_step(rule, parameter, gradient, velocity);
    }
    let mut step = clamp(gradient, rule.clip);
    if rule.weight_decay != 0.0 {
        step = step + parameter.clone().mul_scalar(rule.weight_decay);
    }
    if rule.momentum == 0.0 {
        return (parameter - step.mul_scalar(rule.lr), None);
    }
    let velocity = match velocity {
        Some(velocity) => velocity.mul_scalar(rule.momentum) + step.clone(),
        None => step.clone(),
    };
    let step = match rule.nesterov {
        true => step + velocity.clone().mul_scalar(rule.momentum),
        false => velocity.clone(),
    };
    (parameter - step.mul_scalar(rule.lr), Some(velocity))
}

/// The new parameter and its new moments. `moments` is none in the first step.
pub(crate) fn adam_step<const D: usize>(
    rule: &Adam,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let [first, second] = moments.unwrap_or_else(|| [gradient.zeros_like(), gradient.zeros_like()]);
    #[cfg(feature = "flex")]
    if flex::takes_step(&[&parameter, &gradient, &first, &second]) {
        return flex::adam_step(rule, parameter, gradient, [first, second]);
    }
    let gradient = clamp(gradient, rule.clip);
    let (beta_1, beta_2) = rule.betas;
    let first = first.mul_scalar(beta_1) + gradient.clone().mul_scalar(1.0 - beta_1);
    let second = second.mul_scalar(beta_2) + gradient.square().mul_scalar(1.0 - beta_2);
    let (correction_1, correction_2) = rule.corrections();
    let root = second.clone().sqrt().div_scalar(correction_2.sqrt());
    let step = first.clone().div(root.add_scalar(rule.eps));
    let kept = parameter.mul_scalar(1.0 - rule.lr * rule.weight_decay);
    (
        kept - step.mul_scalar(rule.lr / correction_1),
        [first, second],
    )
}

/// Each value, moved into \[-bound, bound\].
pub(crate) fn clamp<const D: usize>(x: Tensor<D>, bound: Option<f64>) -> Tensor<D> {
    match bound {
        Some(bound) => x.clamp(-bound, bound),
        None => x,
    }
}

/// The sum of the squares of all values, shape \[1\].
pub(crate) fn square_sum<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if flex::takes_step(&[&x]) {
        return flex::square_sum(x);
    }
    x.square().sum()
}

/// All values times `factor`.
pub(crate) fn scaled<const D: usize>(x: Tensor<D>, factor: f64) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if flex::takes_step(&[&x]) {
        return flex::scaled(x, factor);
    }
    x.mul_scalar(factor)
}
