//! Rows of a table.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, is_fast, tensor, values};
use crate::kernels::embedding::{Lookup, gather, scatter_add};

/// A table of rows with its own backward step.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait EmbeddingKernels: Backend {
    fn fast_embedding(weight: FloatTensor<Self>, lookup: Arc<Lookup>) -> FloatTensor<Self>;
}

impl EmbeddingKernels for Flex {
    fn fast_embedding(weight: Primitive, lookup: Arc<Lookup>) -> Primitive {
        let [_, width] = sizes(&weight);
        let rows = gather(&values(&weight), width, &lookup);
        tensor(rows, [lookup.len(), width])
    }
}

impl<C: CheckpointStrategy> EmbeddingKernels for Autodiff<Flex, C> {
    fn fast_embedding(weight: FloatTensor<Self>, lookup: Arc<Lookup>) -> FloatTensor<Self> {
        tracked::<C>(weight, lookup)
    }
}

/// Whether the kernels take it: rows that are not empty.
pub(in crate::kernels) fn takes_embedding(weight: &Tensor<2>) -> bool {
    is_fast(weight) && weight.dims()[1] > 0
}

/// The rows; only if [`takes_embedding`] says so.
pub(in crate::kernels) fn embedding(weight: Tensor<2>, lookup: Lookup) -> Tensor<2> {
    let (weight, lookup) = (weight.into_dispatch(), Arc::new(lookup));
    Tensor::from_dispatch(Dispatch::fast_embedding(weight, lookup))
}

/// Number of rows, and their length.
fn sizes(weight: &Primitive) -> [usize; 2] {
    weight.layout().shape().dims()
}

fn tracked<C: CheckpointStrategy>(weight: Tracked<C>, lookup: Arc<Lookup>) -> Tracked<C> {
    let (weight, node) = weight.into_parts();
    let [count, _] = sizes(&weight);
    let rows = Flex::fast_embedding(weight, lookup.clone());
    match EmbeddingBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish((lookup, count), rows),
        OpsKind::UnTracked(prep) => prep.finish(rows),
    }
}

/// The sum of the gradients of each row.
#[derive(Debug)]
struct EmbeddingBackward;

impl Backward<Flex, 1> for EmbeddingBackward {
    type State = (Arc<Lookup>, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (lookup, count) = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let [_, width] = sizes(&grad);
        let gradient = scatter_add(&values(&grad), width, &lookup, count);
        grads.register::<Flex>(node.id, tensor(gradient, [count, width]));
    }
}
