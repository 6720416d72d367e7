//! Optimizers with PyTorch's constants, which the book's numbers assume.
//!
//! Burn's own defaults differ: Adam and AdamW epsilon 1e-5 (PyTorch 1e-8), AdamW weight decay 1e-4 (0.01), momentum dampening
//! 0.1 (0). These presets set every constant by name.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use serde::{Deserialize, Serialize};

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

    /// Burn's optimizer with these constants.
    pub fn init(&self) -> ModuleOptimizer {
        match *self {
            Optimizer::Sgd {
                momentum,
                nesterov,
                weight_decay,
            } => {
                let mut config = SgdConfig::new();
                if momentum > 0.0 {
                    config = config.with_momentum(Some(
                        MomentumConfig::new()
                            .with_momentum(momentum)
                            .with_dampening(0.0)
                            .with_nesterov(nesterov),
                    ));
                }
                if weight_decay > 0.0 {
                    config =
                        config.with_weight_decay(Some(WeightDecayConfig::new(weight_decay as f32)));
                }
                config.init()
            }
            Optimizer::Adam { betas, eps } => AdamConfig::new()
                .with_beta_1(betas.0 as f32)
                .with_beta_2(betas.1 as f32)
                .with_epsilon(eps as f32)
                .init(),
            Optimizer::AdamW {
                betas,
                eps,
                weight_decay,
            } => AdamWConfig::new()
                .with_beta_1(betas.0 as f32)
                .with_beta_2(betas.1 as f32)
                .with_epsilon(eps as f32)
                .with_weight_decay(weight_decay as f32)
                .init(),
        }
    }
}
