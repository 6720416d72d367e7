//! The way from tensors to the kernels: Burn's backend extension for Flex, and the backward steps.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, DispatchDevice, Flex, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Tensor, TensorData};
use std::borrow::Cow;

use super::conv::Convolution;

/// The operations that Flex computes with the kernels of this crate.
///
/// Only Flex is listed: the functions of [`super`] call the extension for Flex tensors alone and leave every
/// other backend to Burn.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Kernels: Backend {
    fn fast_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;
}

/// Whether the kernels can take this tensor.
fn is_fast<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && {
        let device = x.device().without_autodiff();
        matches!(device.as_dispatch(), DispatchDevice::Flex(_))
    }
}

/// Whether the kernels compute this convolution.
pub(super) fn takes_conv2d(
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
pub(super) fn conv2d(
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

type Primitive = FloatTensor<Flex>;

/// The values in row-major order, copied only if the tensor is a view.
fn values(tensor: &Primitive) -> Cow<'_, [f32]> {
    match tensor.as_slice::<f32>() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(
            tensor
                .to_contiguous()
                .as_slice::<f32>()
                .map(<[f32]>::to_vec)
                .unwrap_or_default(),
        ),
    }
}

/// A tensor of these values.
fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Primitive {
    Primitive::from_data(TensorData::new(values, shape))
}

/// The shape of a tensor of four dimensions.
fn shape4(tensor: &Primitive) -> [usize; 4] {
    tensor.layout().shape().dims()
}

/// The convolution of these two tensors, which [`takes_conv2d`] has let through.
fn convolution(x: &Primitive, weight: &Primitive, options: &ConvOptions<2>) -> Convolution {
    Convolution::new(shape4(x), shape4(weight), options)
        .expect("shapes are checked before the extension is called")
}

impl Kernels for Flex {
    fn fast_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let conv = convolution(&x, &weight, &options);
        tensor(
            conv.forward(&values(&x), &values(&weight), &values(&bias)),
            conv.output(),
        )
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn fast_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        match Conv2dBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let state = (
                    prep.checkpoint(&x),
                    prep.checkpoint(&weight),
                    options.clone(),
                );
                let [x, weight, bias] = [x, weight, bias].map(|t| t.into_primitive());
                prep.finish(state, Flex::fast_conv2d(x, weight, bias, options))
            }
            OpsKind::UnTracked(prep) => {
                let [x, weight, bias] = [x, weight, bias].map(|t| t.into_primitive());
                prep.finish(Flex::fast_conv2d(x, weight, bias, options))
            }
        }
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
