//! The convolution and the transposed convolution.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::{Primitive, Tracked, is_fast, shape4, tensor, values};
use crate::kernels::conv::{Convolution, TransposedConvolution, WeightGradient};

/// Convolutions on Flex.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait ConvKernels: Backend {
    fn fast_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Either,
    ) -> FloatTensor<Self>;
}

impl ConvKernels for Flex {
    fn fast_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Either,
    ) -> FloatTensor<Self> {
        forward(&x, &weight, &bias, &conv)
    }
}

impl<C: CheckpointStrategy> ConvKernels for Autodiff<Flex, C> {
    fn fast_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Either,
    ) -> FloatTensor<Self> {
        tracked::<C>(x, weight, bias, conv)
    }
}

/// A convolution or a transposed one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Either {
    Plain(Convolution),
    Transposed(TransposedConvolution),
}

impl Either {
    /// Shape of the output.
    fn output(&self) -> [usize; 4] {
        match self {
            Self::Plain(conv) => conv.output(),
            Self::Transposed(conv) => conv.output(),
        }
    }

    fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        match self {
            Self::Plain(conv) => conv.forward(x, weight, bias),
            Self::Transposed(conv) => conv.forward(x, weight, bias),
        }
    }

    fn input_gradient(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        match self {
            Self::Plain(conv) => conv.input_gradient(grad, weight, &[]),
            Self::Transposed(conv) => conv.input_gradient(grad, weight),
        }
    }

    fn weight_gradient(&self, x: &[f32], grad: &[f32]) -> WeightGradient {
        match self {
            Self::Plain(conv) => conv.weight_gradient(x, grad),
            Self::Transposed(conv) => conv.weight_gradient(x, grad),
        }
    }
}

/// The convolution of these tensors, if the kernels compute it.
pub(in crate::kernels) fn takes_conv2d(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvOptions<2>,
) -> Option<Either> {
    let conv = Convolution::new(x.dims(), weight.dims(), options)?;
    takes(x, weight, bias, Either::Plain(conv))
}

/// The transposed convolution of these tensors, if the kernels compute it.
pub(in crate::kernels) fn takes_conv_transpose2d(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvTransposeOptions<2>,
) -> Option<Either> {
    let conv = TransposedConvolution::new(x.dims(), weight.dims(), options)?;
    takes(x, weight, bias, Either::Transposed(conv))
}

fn takes(
    x: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    conv: Either,
) -> Option<Either> {
    let filters = conv.output()[1];
    let fast =
        is_fast(x) && is_fast(weight) && bias.is_none_or(|b| is_fast(b) && b.dims() == [filters]);
    fast.then_some(conv)
}

/// The convolution that [`takes_conv2d`] or [`takes_conv_transpose2d`] has given for these tensors.
pub(in crate::kernels) fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    conv: Either,
) -> Tensor<4> {
    // The extension has no optional tensors: zeros that no gradient is computed for.
    let bias = bias.unwrap_or_else(|| Tensor::zeros([conv.output()[1]], &weight.device()));
    Tensor::from_dispatch(Dispatch::fast_conv2d(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        conv,
    ))
}

fn forward(x: &Primitive, weight: &Primitive, bias: &Primitive, conv: &Either) -> Primitive {
    tensor(
        conv.forward(&values(x), &values(weight), &values(bias)),
        conv.output(),
    )
}

fn tracked<C: CheckpointStrategy>(
    x: Tracked<C>,
    weight: Tracked<C>,
    bias: Tracked<C>,
    conv: Either,
) -> Tracked<C> {
    let nodes = [x.node(), weight.node(), bias.node()];
    let out = forward(x.primitive(), weight.primitive(), bias.primitive(), &conv);
    match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prep) => {
            let state = (prep.checkpoint(&x), prep.checkpoint(&weight), conv);
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// Gradients of a convolution; those of inputs that need none are not computed.
#[derive(Debug)]
struct ConvBackward;

impl Backward<Flex, 3> for ConvBackward {
    type State = (NodeId, NodeId, Either);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let grad = values(&grad);
        let (x, weight, conv) = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let weight: Primitive = checkpointer.retrieve_node_output(weight);
        let [x_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = x_node {
            let gradient = conv.input_gradient(&grad, &values(&weight));
            grads.register::<Flex>(node.id, tensor(gradient, shape4(&x)));
        }
        if weight_node.is_some() || bias_node.is_some() {
            let gradient = conv.weight_gradient(&values(&x), &grad);
            if let Some(node) = weight_node {
                grads.register::<Flex>(node.id, tensor(gradient.weight, shape4(&weight)));
            }
            if let Some(node) = bias_node {
                let filters = gradient.bias.len();
                grads.register::<Flex>(node.id, tensor(gradient.bias, [filters]));
            }
        }
    }
}
