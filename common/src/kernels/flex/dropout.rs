//! Dropout.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, tensor, values, values_mut};
use crate::kernels::dropout::random::Dropout;

/// The dropout that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait DropoutKernels: Backend {
    fn fast_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self>;
}

impl DropoutKernels for Flex {
    fn fast_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        apply(x, dropout)
    }
}

impl<C: CheckpointStrategy> DropoutKernels for Autodiff<Flex, C> {
    fn fast_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        tracked::<C>(x, dropout)
    }
}

/// What is left of `x`; only for tensors that [`super::is_fast`] says yes to.
pub(in crate::kernels) fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_dropout(x.into_dispatch(), dropout))
}

fn apply(mut x: Primitive, dropout: Dropout) -> Primitive {
    if let Some(values) = values_mut(&mut x) {
        dropout.apply_in_place(values);
        return x;
    }
    tensor(dropout.applied(&values(&x)), x.layout().shape().clone())
}

fn tracked<C: CheckpointStrategy>(x: Tracked<C>, dropout: Dropout) -> Tracked<C> {
    let (x, node) = x.into_parts();
    let out = apply(x, dropout);
    match DropoutBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(dropout, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradient has the zeros and the factor that the values have.
#[derive(Debug)]
struct DropoutBackward;

impl Backward<Flex, 1> for DropoutBackward {
    type State = Dropout;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let dropout = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        grads.register::<Flex>(node.id, apply(grad, dropout));
    }
}
