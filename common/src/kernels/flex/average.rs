//! Average pooling.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn::tensor::ops::AvgPoolOptions;

use super::{Primitive, Tracked, is_fast, shape4, tensor, values};
use crate::kernels::average::windows::AveragePool;

/// The average pools that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait AverageKernels: Backend {
    fn fast_average_pool(x: FloatTensor<Self>, pool: AveragePool) -> FloatTensor<Self>;
}

impl AverageKernels for Flex {
    fn fast_average_pool(x: FloatTensor<Self>, pool: AveragePool) -> FloatTensor<Self> {
        forward(&x, &pool)
    }
}

impl<C: CheckpointStrategy> AverageKernels for Autodiff<Flex, C> {
    fn fast_average_pool(x: FloatTensor<Self>, pool: AveragePool) -> FloatTensor<Self> {
        tracked::<C>(x, pool)
    }
}

/// The pool, if the kernels compute it.
pub(in crate::kernels) fn avg_pool(
    x: &Tensor<4>,
    options: &AvgPoolOptions<2>,
) -> Option<AveragePool> {
    if !is_fast(x) || options.ceil_mode {
        return None;
    }
    let [_, _, height, width] = x.dims();
    AveragePool::sliding(
        [height, width],
        options.kernel_size,
        options.stride,
        options.padding,
        options.count_include_pad,
    )
}

/// The pool to this size, if the kernels compute it.
pub(in crate::kernels) fn adaptive_avg_pool(
    x: &Tensor<4>,
    size: [usize; 2],
) -> Option<AveragePool> {
    let [_, _, height, width] = x.dims();
    is_fast(x)
        .then(|| AveragePool::adaptive([height, width], size))
        .flatten()
}

/// The means of the windows; only for a pool from [`avg_pool`] or [`adaptive_avg_pool`].
pub(in crate::kernels) fn average(x: Tensor<4>, pool: AveragePool) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fast_average_pool(x.into_dispatch(), pool))
}

fn forward(x: &Primitive, pool: &AveragePool) -> Primitive {
    let [batch, channels, _, _] = shape4(x);
    let [height, width] = pool.output();
    tensor(pool.forward(&values(x)), [batch, channels, height, width])
}

fn tracked<C: CheckpointStrategy>(x: Tracked<C>, pool: AveragePool) -> Tracked<C> {
    let (x, node) = x.into_parts();
    let out = forward(&x, &pool);
    match AverageBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(pool, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradient, for which the pool is enough.
#[derive(Debug)]
struct AverageBackward;

impl Backward<Flex, 1> for AverageBackward {
    type State = AveragePool;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let pool = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let [batch, channels, _, _] = shape4(&grad);
        let [height, width] = pool.input();
        let gradient = pool.backward(&values(&grad));
        grads.register::<Flex>(node.id, tensor(gradient, [batch, channels, height, width]));
    }
}
