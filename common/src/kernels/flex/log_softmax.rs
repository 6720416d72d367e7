//! The logarithm of softmax over the last axis.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, is_fast, tensor, values};
use crate::kernels::log_softmax as rows;

/// The logarithm of softmax with its own backward step.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait LogSoftmaxKernels: Backend {
    fn fast_log_softmax(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl LogSoftmaxKernels for Flex {
    fn fast_log_softmax(x: Primitive) -> Primitive {
        tensor(
            rows::forward(&values(&x), width(&x)),
            x.layout().shape().clone(),
        )
    }
}

impl<C: CheckpointStrategy> LogSoftmaxKernels for Autodiff<Flex, C> {
    fn fast_log_softmax(x: FloatTensor<Self>) -> FloatTensor<Self> {
        tracked::<C>(x)
    }
}

/// Whether the kernels take it: a last axis that is not empty.
pub(in crate::kernels) fn takes_log_softmax<const D: usize>(x: &Tensor<D>) -> bool {
    is_fast(x) && x.dims().last().is_some_and(|width| *width > 0)
}

/// The function of each row; only if [`takes_log_softmax`] says so.
pub(in crate::kernels) fn log_softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_log_softmax(x.into_dispatch()))
}

/// The length of the last axis.
fn width(x: &Primitive) -> usize {
    x.layout().shape().iter().last().copied().unwrap_or(1)
}

fn tracked<C: CheckpointStrategy>(x: Tracked<C>) -> Tracked<C> {
    let (x, node) = x.into_parts();
    let y = Flex::fast_log_softmax(x);
    match LogSoftmaxBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(y.clone(), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

/// The gradient from the value.
#[derive(Debug)]
struct LogSoftmaxBackward;

impl Backward<Flex, 1> for LogSoftmaxBackward {
    type State = Primitive;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let y = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let gradient = rows::backward(&values(&y), &values(&grad), width(&y));
        let shape = y.layout().shape().clone();
        grads.register::<Flex>(node.id, tensor(gradient, shape));
    }
}
