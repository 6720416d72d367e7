//! The convolution.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::{Kernels, Primitive, Tracked, is_fast, shape4, tensor, values};
use crate::kernels::conv::Convolution;

/// Whether the kernels compute this convolution.
pub(in crate::kernels) fn takes_conv2d(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvOptions<2>,
) -> bool {
    is_fast(x)
        && is_fast(weight)
        && bias.is_none_or(|b| is_fast(b) && b.dims() == [weight.dims()[0]])
        && Convolution::new(x.dims(), weight.dims(), options).is_some()
}

/// The convolution; only if [`takes_conv2d`] says so.
pub(in crate::kernels) fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    // The extension has no optional tensors: zeros that no gradient is computed for.
    let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[0]], &weight.device()));
    Tensor::from_dispatch(Dispatch::fast_conv2d(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        options,
    ))
}

/// The convolution of these two tensors, which [`takes_conv2d`] has let through.
fn convolution(x: &Primitive, weight: &Primitive, options: &ConvOptions<2>) -> Convolution {
    Convolution::new(shape4(x), shape4(weight), options)
        .expect("shapes are checked before the extension is called")
}

pub(super) fn forward(
    x: &Primitive,
    weight: &Primitive,
    bias: &Primitive,
    options: &ConvOptions<2>,
) -> Primitive {
    let conv = convolution(x, weight, options);
    tensor(
        conv.forward(&values(x), &values(weight), &values(bias)),
        conv.output(),
    )
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: Tracked<C>,
    weight: Tracked<C>,
    bias: Tracked<C>,
    options: ConvOptions<2>,
) -> Tracked<C> {
    let nodes = [x.node(), weight.node(), bias.node()];
    let out = forward(
        x.primitive(),
        weight.primitive(),
        bias.primitive(),
        &options,
    );
    match Conv2dBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = (prep.checkpoint(&x), prep.checkpoint(&weight), options);
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// Gradients of a convolution; those of inputs that need none are not computed.
#[derive(Debug)]
struct Conv2dBackward;

impl Backward<Flex, 3> for Conv2dBackward {
    type State = (NodeId, NodeId, ConvOptions<2>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let grad = values(&grad);
        let (x, weight, options) = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let weight: Primitive = checkpointer.retrieve_node_output(weight);
        let conv = convolution(&x, &weight, &options);
        let [x_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = x_node {
            let gradient = conv.input_gradient(&grad, &values(&weight));
            grads.register::<Flex>(node.id, tensor(gradient, conv.input()));
        }
        if weight_node.is_some() || bias_node.is_some() {
            let gradient = conv.weight_gradient(&values(&x), &grad);
            if let Some(node) = weight_node {
                grads.register::<Flex>(node.id, tensor(gradient.weight, conv.weight()));
            }
            if let Some(node) = bias_node {
                let filters = gradient.bias.len();
                grads.register::<Flex>(node.id, tensor(gradient.bias, [filters]));
            }
        }
    }
}
