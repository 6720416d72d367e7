//! Derivatives along a direction: of the leaky rectifier and of layer normalisation.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, tensor, values};
use crate::kernels::activation::{self, Activation};
use crate::kernels::norm::layer::Rows;
use crate::kernels::norm::tangent;

/// The derivatives that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait TangentKernels: Backend {
    fn fast_activation_tangent(
        value: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        f: Activation,
    ) -> FloatTensor<Self>;
    fn fast_layer_norm_tangent(
        x: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl TangentKernels for Flex {
    fn fast_activation_tangent(
        value: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        f: Activation,
    ) -> FloatTensor<Self> {
        scaled(&value, &tangent, f)
    }

    fn fast_layer_norm_tangent(
        x: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        normalised(&x, &tangent, &gamma, epsilon).0
    }
}

impl<C: CheckpointStrategy> TangentKernels for Autodiff<Flex, C> {
    fn fast_activation_tangent(
        value: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        f: Activation,
    ) -> FloatTensor<Self> {
        let (value, _) = value.into_parts();
        let (tangent, node) = tangent.into_parts();
        let out = scaled(&value, &tangent, f);
        match ActivationTangent
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((value, f), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn fast_layer_norm_tangent(
        x: FloatTensor<Self>,
        tangent: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        tracked_norm::<C>(x, tangent, gamma, epsilon)
    }
}

/// `f'(x) tangent` from the value `f(x)`, for f a rectifier: no gradient flows to x. Only for tensors that [`super::is_fast`] says
/// yes to, of one shape.
pub(in crate::kernels) fn rectifier_tangent<const D: usize>(
    value: Tensor<D>,
    tangent: Tensor<D>,
    f: Activation,
) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_activation_tangent(
        value.into_dispatch(),
        tangent.into_dispatch(),
        f,
    ))
}

/// The derivative of a layer norm; only for tensors that [`super::takes_layer_norm`] says yes to.
pub(in crate::kernels) fn layer_norm_tangent<const D: usize, const N: usize>(
    x: Tensor<D>,
    tangent: Tensor<D>,
    gamma: Tensor<N>,
    epsilon: f64,
) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_layer_norm_tangent(
        x.into_dispatch(),
        tangent.into_dispatch(),
        gamma.into_dispatch(),
        epsilon,
    ))
}

fn scaled(value: &Primitive, tangent: &Primitive, f: Activation) -> Primitive {
    let out = activation::backward(f, &values(value), &values(tangent));
    tensor(out, tangent.layout().shape().clone())
}

/// The slope of the rectifier is a constant but at 0, so the derivative is linear in the direction.
#[derive(Debug)]
struct ActivationTangent;

impl Backward<Flex, 1> for ActivationTangent {
    type State = (Primitive, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (value, f) = ops.state;
        let [parent] = ops.parents;
        if let Some(node) = parent {
            grads.register::<Flex>(node.id, scaled(&value, &grad, f));
        }
    }
}

fn normalised(x: &Primitive, u: &Primitive, gamma: &Primitive, epsilon: f64) -> (Primitive, Rows) {
    let (out, rows) = tangent::forward(&values(x), &values(u), &values(gamma), epsilon);
    (tensor(out, x.layout().shape().clone()), rows)
}

fn tracked_norm<C: CheckpointStrategy>(
    x: Tracked<C>,
    u: Tracked<C>,
    gamma: Tracked<C>,
    epsilon: f64,
) -> Tracked<C> {
    let nodes = [x.node(), u.node(), gamma.node()];
    let (out, rows) = normalised(x.primitive(), u.primitive(), gamma.primitive(), epsilon);
    match LayerNormTangent
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = (
                prep.checkpoint(&x),
                prep.checkpoint(&u),
                prep.checkpoint(&gamma),
                Arc::new(rows),
            );
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradients of x, its direction, and gamma.
#[derive(Debug)]
struct LayerNormTangent;

impl Backward<Flex, 3> for LayerNormTangent {
    type State = (NodeId, NodeId, NodeId, Arc<Rows>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (x, u, gamma, rows) = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let u: Primitive = checkpointer.retrieve_node_output(u);
        let gamma: Primitive = checkpointer.retrieve_node_output(gamma);
        let found = tangent::backward(
            &values(&x),
            &values(&u),
            &values(&grad),
            &values(&gamma),
            &rows,
        );
        let shape = x.layout().shape().clone();
        let [x_node, u_node, gamma_node] = ops.parents;
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, tensor(found.x, shape.clone()));
        }
        if let Some(node) = u_node {
            grads.register::<Flex>(node.id, tensor(found.tangent, shape));
        }
        if let Some(node) = gamma_node {
            let width = gamma.layout().shape().clone();
            grads.register::<Flex>(node.id, tensor(found.gamma, width));
        }
    }
}
