//! The Gaussian error linear unit.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, tensor, values, values_mut};
use crate::kernels::gelu::pass;

/// The unit that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait GeluKernels: Backend {
    fn fast_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl GeluKernels for Flex {
    fn fast_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        forward(x)
    }
}

impl<C: CheckpointStrategy> GeluKernels for Autodiff<Flex, C> {
    fn fast_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        tracked::<C>(x)
    }
}

/// `x Φ(x)`; only for tensors that [`super::is_fast`] says yes to.
pub(in crate::kernels) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_gelu(x.into_dispatch()))
}

fn forward(mut x: Primitive) -> Primitive {
    if let Some(values) = values_mut(&mut x) {
        pass::forward_in_place(values);
        return x;
    }
    tensor(pass::forward(&values(&x)), x.layout().shape().clone())
}

fn tracked<C: CheckpointStrategy>(x: Tracked<C>) -> Tracked<C> {
    let (x, node) = x.into_parts();
    match GeluBackward.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(x.clone(), forward(x)),
        OpsKind::UnTracked(prep) => prep.finish(forward(x)),
    }
}

/// The gradient from the input.
#[derive(Debug)]
struct GeluBackward;

impl Backward<Flex, 1> for GeluBackward {
    type State = Primitive;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let shape = grad.layout().shape().clone();
        let found = pass::backward(&values(&ops.state), &values(&grad));
        grads.register::<Flex>(node.id, tensor(found, shape));
    }
}
