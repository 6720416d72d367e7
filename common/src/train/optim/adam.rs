//! Adam and AdamW behind Burn's optimizer trait.

use burn::optim::{self, AdamState, AdaptiveMomentumState, LearningRate};
use burn::tensor::{Device, Tensor};

use crate::kernels::optimizer::{self, adam_step};

/// The constants, without the learning rate. With a weight decay it is AdamW.
#[derive(Clone, Debug)]
pub(super) struct Adam {
    pub(super) betas: (f64, f64),
    pub(super) eps: f64,
    pub(super) weight_decay: f64,
    pub(super) clip: Option<f64>,
}

impl optim::Optimizer for Adam {
    /// The two moments and the number of steps, as in Burn's own optimizer.
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let (time, moments) = match state {
            Some(AdamState { momentum: state }) => {
                (state.time, Some([state.moment_1, state.moment_2]))
            }
            None => (0, None),
        };
        let time = time.saturating_add(1);
        let rule = optimizer::Adam {
            lr,
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
            clip: self.clip,
            time: i32::try_from(time).unwrap_or(i32::MAX),
        };
        let (parameter, [first, second]) = adam_step(&rule, parameter, gradient, moments);
        let state = AdamState::new(AdaptiveMomentumState::new(time, first, second));
        (parameter, Some(state))
    }

    fn to_device<const D: usize>(mut state: AdamState<D>, device: &Device) -> AdamState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}
