//! Stochastic gradient descent behind Burn's optimizer trait.

use burn::optim::{self, LearningRate, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use crate::kernels::optimizer::{self, sgd_step};

/// The constants, without the learning rate.
#[derive(Clone, Debug)]
pub(super) struct Sgd {
    pub(super) momentum: f64,
    pub(super) nesterov: bool,
    pub(super) weight_decay: f64,
    pub(super) clip: Option<f64>,
}

/// The velocity of a parameter; none without momentum.
///
/// In a record it has the name that Burn's own optimizer gives it.
#[derive(Clone)]
pub(super) struct SgdState<const D: usize> {
    velocity: Option<Tensor<D>>,
}

const PATH: &str = "momentum";
const LEAF: &str = "velocity";

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        if let Some(velocity) = &self.velocity {
            let data = velocity.clone().into_data();
            out.push_tensor(&optim::join_path(prefix, PATH), LEAF, data);
        }
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let data = source.take_tensor(&optim::join_path(prefix, PATH), LEAF);
        let velocity = data.map(|data| Tensor::from_data(data, device));
        Some(Self { velocity })
    }
}

impl optim::Optimizer for Sgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let rule = optimizer::Sgd {
            lr,
            momentum: self.momentum,
            nesterov: self.nesterov,
            weight_decay: self.weight_decay,
            clip: self.clip,
        };
        let velocity = state.and_then(|state| state.velocity);
        let (parameter, velocity) = sgd_step(&rule, parameter, gradient, velocity);
        (parameter, Some(SgdState { velocity }))
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState {
            velocity: state.velocity.map(|velocity| velocity.to_device(device)),
        }
    }
}
