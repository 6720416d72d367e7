//! Max pooling.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;
use burn::tensor::ops::MaxPoolOptions;

use super::{Kernels, Primitive, Tracked, is_fast, shape4, tensor, values};
use crate::kernels::pool::MaxPool;

/// The pool, if the kernels compute it.
pub(in crate::kernels) fn max_pool(x: &Tensor<4>, options: &MaxPoolOptions<2>) -> Option<MaxPool> {
    if !is_fast(x) || options.ceil_mode {
        return None;
    }
    let [_, _, height, width] = x.dims();
    MaxPool::new(
        [height, width],
        options.kernel_size,
        options.stride,
        options.padding,
        options.dilation,
    )
}

/// The largest values of the windows; only for a pool from [`max_pool`].
pub(in crate::kernels) fn max_pool2d(x: Tensor<4>, pool: MaxPool) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fast_max_pool2d(x.into_dispatch(), pool))
}

pub(super) fn forward(x: &Primitive, pool: &MaxPool) -> (Primitive, Vec<u8>) {
    let [batch, channels, _, _] = shape4(x);
    let [height, width] = pool.output();
    let (out, cells) = pool.forward(&values(x));
    (tensor(out, [batch, channels, height, width]), cells)
}

pub(super) fn tracked<C: CheckpointStrategy>(x: Tracked<C>, pool: MaxPool) -> Tracked<C> {
    let (x, node) = x.into_parts();
    let (out, cells) = forward(&x, &pool);
    match MaxPoolBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish((Arc::new(cells), pool), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradient from the places of the largest values.
#[derive(Debug)]
struct MaxPoolBackward;

impl Backward<Flex, 1> for MaxPoolBackward {
    type State = (Arc<Vec<u8>>, MaxPool);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (cells, pool) = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let [batch, channels, _, _] = shape4(&grad);
        let [height, width] = pool.input();
        let gradient = pool.backward(&values(&grad), &cells);
        grads.register::<Flex>(node.id, tensor(gradient, [batch, channels, height, width]));
    }
}
