//! The way from tensors to the kernels: Burn's backend extension for Flex, and the backward steps.

mod activation;
mod attention;
mod average;
mod conv;
mod dropout;
mod embedding;
mod gelu;
mod linear;
mod log_softmax;
mod loss;
mod matmul;
mod norm;
mod optimizer;
mod pool;
mod recurrent;
mod roi_align;
mod tangent;

pub(super) use activation::activate;
pub(super) use attention::{attention, self_attention, softmax_of, takes_attention};
pub(super) use average::{adaptive_avg_pool, average, avg_pool};
pub(super) use conv::{convolve, takes_conv_transpose2d, takes_conv2d};
pub(super) use dropout::dropout;
pub(super) use embedding::{embedding, takes_embedding};
pub(super) use gelu::gelu;
pub(super) use linear::{linear, takes_linear};
pub(super) use log_softmax::{log_softmax, takes_log_softmax};
pub(super) use loss::{cross_entropy, pointwise, takes_cross_entropy, takes_pointwise};
pub(super) use matmul::{matmul, takes_matmul};
pub(super) use norm::{
    batch_norm, batch_norm_train, layer_norm, takes_batch_norm, takes_layer_norm,
};
pub(super) use optimizer::{adam_step, scaled, sgd_step, square_sum, takes_step};
pub(super) use pool::{max_pool, max_pool2d};
pub(super) use recurrent::{
    PackedWeights, pack_weights, recurrent, recurrent_step, takes_recurrent,
};
pub(super) use roi_align::{roi_align, takes_roi_align};

pub(super) use tangent::{layer_norm_tangent, rectifier_tangent};

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, DispatchDevice, Flex, backend_extension};
use burn::tensor::{DType, Int, Shape, Tensor, TensorData};
use std::borrow::Cow;

use super::activation::Activation;
use super::pool::MaxPool;

/// The operations that Flex computes with the kernels of this crate.
///
/// Only Flex is listed: the functions of [`super`] call the extension for Flex tensors alone and leave every
/// other backend to Burn.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Kernels: Backend {
    fn fast_activation(x: FloatTensor<Self>, f: Activation) -> FloatTensor<Self>;
    fn fast_max_pool2d(x: FloatTensor<Self>, pool: MaxPool) -> FloatTensor<Self>;
    fn fast_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Kernels for Flex {
    fn fast_activation(x: FloatTensor<Self>, f: Activation) -> FloatTensor<Self> {
        activation::forward(x, f)
    }

    fn fast_max_pool2d(x: FloatTensor<Self>, pool: MaxPool) -> FloatTensor<Self> {
        pool::forward(&x, &pool).0
    }

    fn fast_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::forward(&x, &weight, &bias)
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn fast_activation(x: FloatTensor<Self>, f: Activation) -> FloatTensor<Self> {
        activation::tracked::<C>(x, f)
    }

    fn fast_max_pool2d(x: FloatTensor<Self>, pool: MaxPool) -> FloatTensor<Self> {
        pool::tracked::<C>(x, pool)
    }

    fn fast_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<C>(x, weight, bias)
    }
}

/// A Flex tensor, and one that is tracked for its gradient.
type Primitive = FloatTensor<Flex>;
type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// Whether the kernels can take this tensor.
pub(super) fn is_fast<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && {
        let device = x.device().without_autodiff();
        matches!(device.as_dispatch(), DispatchDevice::Flex(_))
    }
}

/// The whole numbers in a tensor: class numbers, or numbers of rows.
pub(super) fn numbers(x: Tensor<1, Int>) -> Vec<i64> {
    let data = x.into_data();
    match data.as_slice::<i32>() {
        Ok(numbers) => numbers.iter().map(|n| i64::from(*n)).collect(),
        Err(_) => data.iter::<i64>().collect(),
    }
}

/// The values in row-major order, copied only if the tensor is a view.
fn values(tensor: &Primitive) -> Cow<'_, [f32]> {
    match tensor.as_slice::<f32>() {
        Some(values) => Cow::Borrowed(values),
        None => {
            let tensor = tensor.to_contiguous();
            Cow::Owned(
                tensor
                    .as_slice::<f32>()
                    .map(<[f32]>::to_vec)
                    .unwrap_or_default(),
            )
        }
    }
}

/// The values for writing, if nothing else uses them and they are all of the memory in order.
fn values_mut(tensor: &mut Primitive) -> Option<&mut [f32]> {
    let len = tensor.layout().shape().num_elements();
    let in_order = tensor.layout().contiguous_offsets() == Some((0, len));
    tensor
        .try_storage_mut::<f32>()
        .filter(|values| in_order && values.len() == len)
}

/// The values for writing; a tensor that is in use elsewhere or is a view becomes a copy.
fn own(x: &mut Primitive) -> &mut [f32] {
    if values_mut(x).is_none() {
        *x = tensor(values(x).into_owned(), x.layout().shape().clone());
    }
    values_mut(x).unwrap_or_default()
}

/// A tensor of these values.
fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Primitive {
    Primitive::from_data(TensorData::new(values, shape))
}

/// The shape of a tensor of four dimensions.
fn shape4(tensor: &Primitive) -> [usize; 4] {
    tensor.layout().shape().dims()
}
