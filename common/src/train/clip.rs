//! Gradient clipping (section 5.3).

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::kernels::optimizer::{clamp, scaled, square_sum};
use crate::{Error, Result};

/// How gradients are kept from exploding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Clip {
    /// Each element is clamped to \[-z, z\], as `torch.nn.utils.clip_grad_value_` does.
    Value(f64),
    /// All gradients are scaled by z / (n + 1e-6) if their common Euclidean norm n is larger than z, as
    /// `torch.nn.utils.clip_grad_norm_` does.
    Norm(f64),
}

impl Clip {
    /// The bound of each element, if there is one.
    pub(super) fn value(self) -> Option<f64> {
        match self {
            Clip::Value(bound) => Some(bound),
            Clip::Norm(_) => None,
        }
    }

    /// Refuses a bound that is not a positive number.
    ///
    /// # Errors
    /// [`Error::Usage`] says which.
    pub(super) fn validate(self) -> Result<()> {
        let (Clip::Value(bound) | Clip::Norm(bound)) = self;
        if bound > 0.0 {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "gradients can't be clipped at {bound}: the bound is a positive number"
        )))
    }

    /// The clipped gradients of `model`, for a training loop written by hand; [`fit`](super::fit) clips by the recipe.
    pub fn apply<M: Module>(self, mut gradients: GradientsParams, model: &M) -> GradientsParams {
        let change = match self {
            Clip::Value(bound) => Change::Clamp(bound),
            Clip::Norm(bound) => {
                let mut squares = SquareSums {
                    gradients: &gradients,
                    sums: Vec::new(),
                };
                model.visit(&mut squares);
                if squares.sums.is_empty() {
                    return gradients;
                }
                let norm = Tensor::cat(squares.sums, 0).sum().sqrt();
                let factor = bound / (f64::from(norm.into_scalar::<f32>()) + 1e-6);
                // A norm that is not a number must not be hidden: then the factor is none either.
                if factor >= 1.0 {
                    return gradients;
                }
                Change::Scale(factor)
            }
        };
        model.visit(&mut Changed {
            gradients: &mut gradients,
            change,
        });
        gradients
    }
}

/// Adds up the squares of each gradient.
struct SquareSums<'a> {
    gradients: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for SquareSums<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
            self.sums.push(square_sum(gradient));
        }
    }
}

enum Change {
    Clamp(f64),
    Scale(f64),
}

/// Changes each gradient.
struct Changed<'a> {
    gradients: &'a mut GradientsParams,
    change: Change,
}

impl ModuleVisitor for Changed<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let id: ParamId = parameter.id;
        if let Some(gradient) = self.gradients.remove::<D>(id) {
            let changed = match self.change {
                Change::Clamp(bound) => clamp(gradient, Some(bound)),
                Change::Scale(factor) => scaled(gradient, factor),
            };
            self.gradients.register(id, changed);
        }
    }
}
