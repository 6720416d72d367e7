//! Layer normalisation.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;

use super::NormKernels;
use crate::kernels::flex::{Primitive, Tracked, is_fast, tensor, values, values_mut};
use crate::kernels::norm::layer::{Rows, backward, forward as forward_slice};
use crate::kernels::parallel::{Shared, written};

/// Whether the kernels compute this normalisation over the last axes of x, those of gamma.
pub(in crate::kernels) fn takes_layer_norm<const D: usize, const N: usize>(
    x: &Tensor<D>,
    gamma: &Tensor<N>,
    beta: Option<&Tensor<N>>,
) -> bool {
    is_fast(x)
        && is_fast(gamma)
        && gamma.shape().num_elements() > 0
        && x.dims().ends_with(&gamma.dims())
        && beta.is_none_or(|b| is_fast(b) && b.dims() == gamma.dims())
}

/// Normalises the last axes; only if [`takes_layer_norm`] says so.
pub(in crate::kernels) fn layer_norm<const D: usize, const N: usize>(
    x: Tensor<D>,
    gamma: Tensor<N>,
    beta: Option<Tensor<N>>,
    epsilon: f64,
) -> Tensor<D> {
    // The extension has no optional tensors: zeros that no gradient is computed for.
    let beta = beta.unwrap_or_else(|| Tensor::zeros(gamma.dims(), &gamma.device()));
    Tensor::from_dispatch(Dispatch::fast_layer_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        epsilon,
    ))
}

pub(super) fn forward(
    x: &Primitive,
    gamma: &Primitive,
    beta: &Primitive,
    epsilon: f64,
) -> (Primitive, Rows) {
    let (out, rows) = forward_slice(&values(x), &values(gamma), &values(beta), epsilon);
    (tensor(out, x.layout().shape().clone()), rows)
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: Tracked<C>,
    gamma: Tracked<C>,
    beta: Tracked<C>,
    epsilon: f64,
) -> Tracked<C> {
    let nodes = [x.node(), gamma.node(), beta.node()];
    let (out, rows) = forward(x.primitive(), gamma.primitive(), beta.primitive(), epsilon);
    match LayerNormBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = (prep.checkpoint(&x), prep.checkpoint(&gamma), Arc::new(rows));
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradients of x, gamma and beta.
#[derive(Debug)]
struct LayerNormBackward;

impl Backward<Flex, 3> for LayerNormBackward {
    type State = (NodeId, NodeId, Arc<Rows>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let mut grad = grads.consume::<Flex>(&ops.node);
        let (x, gamma, rows) = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let gamma: Primitive = checkpointer.retrieve_node_output(gamma);
        let (shape, width) = (x.layout().shape().clone(), gamma.layout().shape().clone());
        let (x, gamma) = (values(&x), values(&gamma));
        let sums = if let Some(grad) = values_mut(&mut grad) {
            backward(&x, None, &gamma, &rows, Shared::new(grad))
        } else {
            let given = values(&grad);
            // SAFETY: the rows are all of x, and `backward` writes each of them.
            let (out, sums) = unsafe {
                written(x.len(), |out| {
                    backward(&x, Some(&given), &gamma, &rows, out)
                })
            };
            drop(given);
            grad = tensor(out, shape);
            sums
        };
        let [x_node, gamma_node, beta_node] = ops.parents;
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = gamma_node {
            grads.register::<Flex>(node.id, tensor(sums.gamma, width.clone()));
        }
        if let Some(node) = beta_node {
            grads.register::<Flex>(node.id, tensor(sums.beta, width));
        }
    }
}
