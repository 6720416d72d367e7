//! RoI-align.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, is_fast, tensor, values};
use crate::kernels::roi_align::pass::Regions;
use crate::kernels::roi_align::{Region, RoiAlign};

/// RoI-align with its own backward step.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait RoiAlignKernels: Backend {
    fn fast_roi_align(features: FloatTensor<Self>, regions: Arc<Regions>) -> FloatTensor<Self>;
}

impl RoiAlignKernels for Flex {
    fn fast_roi_align(features: FloatTensor<Self>, regions: Arc<Regions>) -> FloatTensor<Self> {
        forward(&features, &regions)
    }
}

impl<C: CheckpointStrategy> RoiAlignKernels for Autodiff<Flex, C> {
    fn fast_roi_align(features: FloatTensor<Self>, regions: Arc<Regions>) -> FloatTensor<Self> {
        tracked::<C>(features, regions)
    }
}

/// Whether the kernel takes these features: there are cells and channels.
pub(in crate::kernels) fn takes_roi_align(features: &Tensor<4>) -> bool {
    is_fast(features) && features.shape().num_elements() > 0
}

/// The regions; only if [`takes_roi_align`] says so, and if each region is on a picture of the batch.
pub(in crate::kernels) fn roi_align(
    features: Tensor<4>,
    regions: &[Region],
    options: RoiAlign,
) -> Tensor<4> {
    let regions = Regions {
        shape: features.dims(),
        regions: regions.to_vec(),
        options,
    };
    Tensor::from_dispatch(Dispatch::fast_roi_align(
        features.into_dispatch(),
        Arc::new(regions),
    ))
}

fn forward(features: &Primitive, regions: &Regions) -> Primitive {
    tensor(regions.forward(&values(features)), regions.output())
}

fn tracked<C: CheckpointStrategy>(features: Tracked<C>, regions: Arc<Regions>) -> Tracked<C> {
    let (features, node) = features.into_parts();
    let out = forward(&features, &regions);
    match RoiAlignBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(regions, out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradient, for which the regions are enough.
#[derive(Debug)]
struct RoiAlignBackward;

impl Backward<Flex, 1> for RoiAlignBackward {
    type State = Arc<Regions>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let gradient = ops.state.backward(&values(&grad));
        grads.register::<Flex>(node.id, tensor(gradient, ops.state.shape));
    }
}
