//! Optimizers with PyTorch's formulas and constants, which the book's numbers assume.
//!
//! Burn's own defaults differ: Adam and AdamW epsilon 1e-5 (PyTorch 1e-8), AdamW weight decay 1e-4 (0.01), momentum dampening
//! 0.1 (0). And Burn's make a pass over each parameter per operation; these make one for the whole step.

mod adam;
mod sgd;

use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use super::Clip;

/// An optimizer and its constants; the learning rate stands in the [`Recipe`](super::Recipe).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Optimizer {
    /// Stochastic gradient descent: v <- m v + g, w <- w - lr v (with `nesterov`: w <- w - lr (g + m v)).
    Sgd {
        /// m, 0 for plain SGD.
        momentum: f64,
        /// Look ahead along the velocity.
        nesterov: bool,
        /// L2 penalty added to the gradient.
        weight_decay: f64,
    },
    /// Adam, `torch.optim.Adam`.
    Adam {
        /// Decay of the mean of gradients and of their squares.
        betas: (f64, f64),
        /// Added to the root of the second moment.
        eps: f64,
    },
    /// Adam with decoupled weight decay, `torch.optim.AdamW`.
    AdamW {
        /// Decay of the mean of gradients and of their squares.
        betas: (f64, f64),
        /// Added to the root of the second moment.
        eps: f64,
        /// w <- (1 - lr * weight_decay) w before each step, for every parameter.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Plain SGD, the optimizer of chapters 2 to 4.
    pub fn sgd() -> Self {
        Self::sgd_momentum(0.0)
    }

    /// SGD with momentum `m` (section 5.3).
    pub fn sgd_momentum(m: f64) -> Self {
        Optimizer::Sgd {
            momentum: m,
            nesterov: false,
            weight_decay: 0.0,
        }
    }

    /// SGD with Nesterov momentum `m` (section 5.3).
    pub fn nesterov(m: f64) -> Self {
        Optimizer::Sgd {
            momentum: m,
            nesterov: true,
            weight_decay: 0.0,
        }
    }

    /// Adam with PyTorch's defaults: betas (0.9, 0.999), eps 1e-8.
    pub fn adam() -> Self {
        Optimizer::Adam {
            betas: (0.9, 0.999),
            eps: 1e-8,
        }
    }

    /// AdamW with PyTorch's defaults: betas (0.9, 0.999), eps 1e-8, weight decay 0.01.
    pub fn adamw() -> Self {
        Optimizer::AdamW {
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.01,
        }
    }

    /// The optimizer of a module, with the state, the records and the parameter groups of Burn's.
    pub fn init(&self) -> ModuleOptimizer {
        self.init_with(None)
    }

    /// As [`init`](Self::init); with [`Clip::Value`] it clamps the gradients in the same pass. [`Clip::Norm`] looks at all
    /// gradients together, which is done by [`Clip::apply`] before the step.
    pub fn init_with(&self, clip: Option<Clip>) -> ModuleOptimizer {
        let clip = clip.and_then(Clip::value);
        match *self {
            Optimizer::Sgd {
                momentum,
                nesterov,
                weight_decay,
            } => ModuleOptimizer::from(sgd::Sgd {
                momentum,
                nesterov,
                weight_decay,
                clip,
            }),
            Optimizer::Adam { betas, eps } => ModuleOptimizer::from(adam::Adam {
                betas,
                eps,
                weight_decay: 0.0,
                clip,
            }),
            Optimizer::AdamW {
                betas,
                eps,
                weight_decay,
            } => ModuleOptimizer::from(adam::Adam {
                betas,
                eps,
                weight_decay,
                clip,
            }),
        }
    }
}
