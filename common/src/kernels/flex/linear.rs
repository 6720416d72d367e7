//! The linear layer.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;

use super::{Kernels, Primitive, Tracked, is_fast, tensor, values};
use crate::kernels::matmul::{Matrix, column_sums, matmul};

/// Whether the kernels compute this layer.
pub(in crate::kernels) fn takes_linear<const D: usize>(
    x: &Tensor<D>,
    weight: &Tensor<2>,
    bias: Option<&Tensor<1>>,
) -> bool {
    let [inputs, outputs] = weight.dims();
    is_fast(x)
        && is_fast(weight)
        && x.dims().last() == Some(&inputs)
        && inputs > 0
        && bias.is_none_or(|b| is_fast(b) && b.dims() == [outputs])
}

/// `x weight + bias` over the last axis; only if [`takes_linear`] says so.
pub(in crate::kernels) fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    // The extension has no optional tensors: zeros that no gradient is computed for.
    let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[1]], &weight.device()));
    Tensor::from_dispatch(Dispatch::fast_linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// Inputs and outputs of the layer.
fn sizes(weight: &Primitive) -> [usize; 2] {
    weight.layout().shape().dims()
}

pub(super) fn forward(x: &Primitive, weight: &Primitive, bias: &Primitive) -> Primitive {
    let [inputs, outputs] = sizes(weight);
    let mut shape = x.layout().shape().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    let (x, weight, bias) = (values(x), values(weight), values(bias));
    let x = Matrix::new(&x, x.len() / inputs, inputs);
    tensor(
        matmul(x, Matrix::new(&weight, inputs, outputs), &bias),
        shape,
    )
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: Tracked<C>,
    weight: Tracked<C>,
    bias: Tracked<C>,
) -> Tracked<C> {
    let nodes = [x.node(), weight.node(), bias.node()];
    let out = forward(x.primitive(), weight.primitive(), bias.primitive());
    match LinearBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = (prep.checkpoint(&x), prep.checkpoint(&weight));
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// Gradients of `y = x W + b` from that of y, g: `g W^T`, `x^T g`, and the sum of g over the rows.
#[derive(Debug)]
struct LinearBackward;

impl Backward<Flex, 3> for LinearBackward {
    type State = (NodeId, NodeId);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let grad = values(&grad);
        let (x, weight) = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let weight: Primitive = checkpointer.retrieve_node_output(weight);
        let [inputs, outputs] = sizes(&weight);
        let shape = x.layout().shape().clone();
        let x = values(&x);
        let rows = x.len() / inputs;
        let g = Matrix::new(&grad, rows, outputs);
        let [x_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = x_node {
            let weight = values(&weight);
            let gradient = matmul(g, Matrix::new(&weight, inputs, outputs).transposed(), &[]);
            grads.register::<Flex>(node.id, tensor(gradient, shape));
        }
        if let Some(node) = weight_node {
            let gradient = matmul(Matrix::new(&x, rows, inputs).transposed(), g, &[]);
            grads.register::<Flex>(node.id, tensor(gradient, [inputs, outputs]));
        }
        if let Some(node) = bias_node {
            grads.register::<Flex>(node.id, tensor(column_sums(&grad, outputs), [outputs]));
        }
    }
}
