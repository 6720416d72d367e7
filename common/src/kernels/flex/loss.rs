//! Losses. With automatic differentiation the gradient is computed together with the value, and the backward step only
//! multiplies it by the gradient of the loss, which is 1 where the loss is what is minimised.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Tensor};

use super::{Primitive, Tracked, is_fast, own, tensor, values};
use crate::kernels::loss::{self as pass, Pointwise, Targets};
use crate::kernels::optimizer::scale;

/// Losses with their own backward steps; all have the shape \[1\].
#[backend_extension(Flex, Autodiff)]
pub(crate) trait LossKernels: Backend {
    fn fast_cross_entropy(logits: FloatTensor<Self>, targets: Targets) -> FloatTensor<Self>;
    fn fast_pointwise(
        output: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        f: Pointwise,
    ) -> FloatTensor<Self>;
}

impl LossKernels for Flex {
    fn fast_cross_entropy(logits: Primitive, targets: Targets) -> Primitive {
        let width = width(&logits);
        let (loss, _) = pass::fused_cross_entropy(&values(&logits), width, &targets, false);
        tensor(vec![loss], [1])
    }

    fn fast_pointwise(output: Primitive, targets: Primitive, f: Pointwise) -> Primitive {
        let (loss, _) = pass::pointwise(f, &values(&output), &values(&targets), false);
        tensor(vec![loss], [1])
    }
}

impl<C: CheckpointStrategy> LossKernels for Autodiff<Flex, C> {
    fn fast_cross_entropy(logits: FloatTensor<Self>, targets: Targets) -> FloatTensor<Self> {
        tracked_cross_entropy::<C>(logits, &targets)
    }

    fn fast_pointwise(
        output: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        f: Pointwise,
    ) -> FloatTensor<Self> {
        tracked_pointwise::<C>(output, targets, f)
    }
}

/// Whether the kernels compute the cross-entropy: there are rows, and a target for each.
pub(in crate::kernels) fn takes_cross_entropy(
    logits: &Tensor<2>,
    targets: &Tensor<1, Int>,
) -> bool {
    let [rows, classes] = logits.dims();
    is_fast(logits) && rows > 0 && classes > 0 && targets.dims() == [rows]
}

/// The sum of the weighted losses; only if [`takes_cross_entropy`] says so.
pub(in crate::kernels) fn cross_entropy(logits: Tensor<2>, targets: Targets) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::fast_cross_entropy(
        logits.into_dispatch(),
        targets,
    ))
}

/// Whether the kernels compute the mean of a function of these: there are values, and a target for each.
pub(in crate::kernels) fn takes_pointwise<const D: usize>(
    output: &Tensor<D>,
    targets: &Tensor<D>,
) -> bool {
    is_fast(output)
        && is_fast(targets)
        && output.dims() == targets.dims()
        && output.shape().num_elements() > 0
}

/// The mean; only if [`takes_pointwise`] says so.
pub(in crate::kernels) fn pointwise<const D: usize>(
    output: Tensor<D>,
    targets: Tensor<D>,
    f: Pointwise,
) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::fast_pointwise(
        output.into_dispatch(),
        targets.into_dispatch(),
        f,
    ))
}

/// The number of classes.
fn width(logits: &Primitive) -> usize {
    let [_, classes] = logits.layout().shape().dims();
    classes
}

fn tracked_cross_entropy<C: CheckpointStrategy>(
    logits: Tracked<C>,
    targets: &Targets,
) -> Tracked<C> {
    let (logits, node) = logits.into_parts();
    match CrossEntropyBackward
        .prepare::<C>([node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => {
            let width = width(&logits);
            let (loss, gradient) =
                pass::fused_cross_entropy(&values(&logits), width, targets, true);
            let shape = logits.layout().shape().clone();
            let gradient = tensor(gradient.unwrap_or_default(), shape);
            prep.finish(gradient, tensor(vec![loss], [1]))
        }
        OpsKind::UnTracked(prep) => prep.finish(Flex::fast_cross_entropy(logits, targets.clone())),
    }
}

/// The gradient that was computed with the loss.
#[derive(Debug)]
struct CrossEntropyBackward;

impl Backward<Flex, 1> for CrossEntropyBackward {
    type State = Primitive;

    fn backward(
        self,
        ops: Ops<Primitive, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        grads.register::<Flex>(node.id, times(ops.state, factor(&grad)));
    }
}

/// The value of a tensor of one element.
fn factor(x: &Primitive) -> f32 {
    values(x).first().copied().unwrap_or(0.0)
}

/// All values times `factor`.
fn times(mut x: Primitive, factor: f32) -> Primitive {
    if factor != 1.0 {
        scale(own(&mut x), factor);
    }
    x
}

fn tracked_pointwise<C: CheckpointStrategy>(
    output: Tracked<C>,
    targets: Tracked<C>,
    f: Pointwise,
) -> Tracked<C> {
    let ((output, node), (targets, targets_node)) = (output.into_parts(), targets.into_parts());
    match PointwiseBackward
        .prepare::<C>([node, targets_node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => {
            let (loss, gradient) = pass::pointwise(f, &values(&output), &values(&targets), true);
            let shape = output.layout().shape().clone();
            let gradient = tensor(gradient.unwrap_or_default(), shape);
            prep.finish((gradient, output, f), tensor(vec![loss], [1]))
        }
        OpsKind::UnTracked(prep) => prep.finish(Flex::fast_pointwise(output, targets, f)),
    }
}

/// The gradient that was computed with the loss; for the targets, where they are tracked, it is made here.
#[derive(Debug)]
struct PointwiseBackward;

impl Backward<Flex, 2> for PointwiseBackward {
    type State = (Primitive, Primitive, Pointwise);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let factor = factor(&grads.consume::<Flex>(&ops.node));
        let (gradient, output, f) = ops.state;
        let [node, targets_node] = ops.parents;
        if let Some(node) = targets_node {
            let for_targets = match f {
                Pointwise::Squared => times(gradient.clone(), -factor),
                Pointwise::BinaryCrossEntropy => {
                    let count = output.layout().shape().num_elements() as f32;
                    times(output, -factor / count)
                }
            };
            grads.register::<Flex>(node.id, for_targets);
        }
        if let Some(node) = node {
            grads.register::<Flex>(node.id, times(gradient, factor));
        }
    }
}
