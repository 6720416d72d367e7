//! Activation functions.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;

use super::{Kernels, Primitive, Tracked, tensor, values, values_mut};
use crate::kernels::activation::{Activation, backward, backward_in_place, forward_in_place};

/// `f(x)`; only for tensors that [`super::is_fast`] says yes to.
pub(in crate::kernels) fn activate<const D: usize>(x: Tensor<D>, f: Activation) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_activation(x.into_dispatch(), f))
}

pub(super) fn forward(mut x: Primitive, f: Activation) -> Primitive {
    if let Some(values) = values_mut(&mut x) {
        forward_in_place(f, values);
        return x;
    }
    let y = crate::kernels::activation::forward(f, &values(&x));
    tensor(y, x.layout().shape().clone())
}

pub(super) fn tracked<C: CheckpointStrategy>(x: Tracked<C>, f: Activation) -> Tracked<C> {
    let (x, node) = x.into_parts();
    let y = forward(x, f);
    match ActivationBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish((y.clone(), f), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

/// The gradient from the value.
#[derive(Debug)]
struct ActivationBackward;

impl Backward<Flex, 1> for ActivationBackward {
    type State = (Primitive, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let mut grad = grads.consume::<Flex>(&ops.node);
        let (y, f) = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let y = values(&y);
        if let Some(grad) = values_mut(&mut grad) {
            backward_in_place(f, &y, grad);
        } else {
            let shape = grad.layout().shape().clone();
            grad = tensor(backward(f, &y, &values(&grad)), shape);
        }
        grads.register::<Flex>(node.id, grad);
    }
}
