//! Batch normalisation.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Dispatch, Flex};
use burn::tensor::Tensor;
use burn::tensor::module::BatchNormTrainOutput;

use super::{NormKernels, Normalised};
use crate::kernels::flex::{Primitive, Tracked, is_fast, tensor, values, values_mut};
use crate::kernels::norm::batch::{
    Affine, Settings, Source, Statistics, backward, backward_in_place, evaluate as evaluate_slice,
    train as train_slice,
};
use crate::kernels::norm::channels::Channels;

/// Whether the kernels compute this normalisation; `others` are the tensors with one value per channel.
pub(in crate::kernels) fn takes_batch_norm<const D: usize>(
    x: &Tensor<D>,
    others: &[&Tensor<1>],
) -> bool {
    let shape = x.dims();
    let channels = shape.get(1).copied();
    let fits = |t: &Tensor<1>| is_fast(t) && Some(t.dims()[0]) == channels;
    is_fast(x) && channels.is_some() && others.iter().all(|t| fits(t))
}

/// With the statistics of the batch; only if [`takes_batch_norm`] says so.
pub(in crate::kernels) fn batch_norm_train<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    settings: Settings,
) -> BatchNormTrainOutput<D> {
    let (output, mean, variance) = Dispatch::fast_batch_norm_train(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        settings,
    );
    BatchNormTrainOutput {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}

/// With given statistics; only if [`takes_batch_norm`] says so.
pub(in crate::kernels) fn batch_norm<const D: usize>(
    x: Tensor<D>,
    [gamma, beta, mean, variance]: [Tensor<1>; 4],
    settings: Settings,
) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_batch_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        settings,
    ))
}

/// The axes of a tensor that [`takes_batch_norm`] has let through.
fn channels(x: &Primitive) -> Channels {
    Channels::new(x.layout().shape()).expect("the shape is checked before the extension is called")
}

/// Output and statistics as slices become tensors.
fn compute(
    x: &Primitive,
    gamma: &Primitive,
    beta: &Primitive,
    settings: Settings,
) -> (Primitive, Statistics) {
    let (gamma, beta) = (values(gamma), values(beta));
    let affine = Affine {
        gamma: &gamma,
        beta: &beta,
        settings,
    };
    let (out, statistics) = train_slice(channels(x), &values(x), affine);
    (tensor(out, x.layout().shape().clone()), statistics)
}

/// Mean and variance as tensors.
fn tensors(statistics: Statistics) -> [Primitive; 2] {
    let count = statistics.mean.len();
    [statistics.mean, statistics.variance].map(|values| tensor(values, [count]))
}

pub(super) fn train(
    x: &Primitive,
    gamma: &Primitive,
    beta: &Primitive,
    settings: Settings,
) -> Normalised<Flex> {
    let (out, statistics) = compute(x, gamma, beta, settings);
    let [mean, variance] = tensors(statistics);
    (out, mean, variance)
}

/// Mean and variance as slices.
fn statistics([mean, variance]: [&Primitive; 2]) -> Statistics {
    Statistics {
        mean: values(mean).into_owned(),
        variance: values(variance).into_owned(),
    }
}

pub(super) fn evaluate(
    x: &Primitive,
    gamma: &Primitive,
    beta: &Primitive,
    given: [&Primitive; 2],
    settings: Settings,
) -> Primitive {
    let (gamma, beta) = (values(gamma), values(beta));
    let affine = Affine {
        gamma: &gamma,
        beta: &beta,
        settings,
    };
    let out = evaluate_slice(channels(x), &values(x), affine, &statistics(given));
    tensor(out, x.layout().shape().clone())
}

pub(super) fn tracked_train<C: CheckpointStrategy>(
    x: Tracked<C>,
    gamma: Tracked<C>,
    beta: Tracked<C>,
    settings: Settings,
) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
    let nodes = [x.node(), gamma.node(), beta.node()];
    let (out, statistics) = compute(x.primitive(), gamma.primitive(), beta.primitive(), settings);
    let out = match BatchNormBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                x: prep.checkpoint(&x),
                gamma: prep.checkpoint(&gamma),
                beta: prep.checkpoint(&beta),
                statistics: Arc::new(statistics.clone()),
                settings,
                source: Source::Batch,
            };
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    let [mean, variance] = tensors(statistics).map(Tracked::<C>::new);
    (out, mean, variance)
}

/// Mean and variance are constants, for which no gradient is computed.
pub(super) fn tracked<C: CheckpointStrategy>(
    x: Tracked<C>,
    gamma: Tracked<C>,
    beta: Tracked<C>,
    [mean, variance]: [Tracked<C>; 2],
    settings: Settings,
) -> Tracked<C> {
    let nodes = [x.node(), gamma.node(), beta.node()];
    let given = [mean.primitive(), variance.primitive()];
    let out = evaluate(
        x.primitive(),
        gamma.primitive(),
        beta.primitive(),
        given,
        settings,
    );
    match BatchNormBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                x: prep.checkpoint(&x),
                gamma: prep.checkpoint(&gamma),
                beta: prep.checkpoint(&beta),
                statistics: Arc::new(statistics(given)),
                settings,
                source: Source::Given,
            };
            prep.finish(state, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(out),
    }
}

/// The gradients of x, gamma and beta.
#[derive(Debug)]
struct BatchNormBackward;

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
struct State {
    x: NodeId,
    gamma: NodeId,
    beta: NodeId,
    statistics: Arc<Statistics>,
    settings: Settings,
    source: Source,
}

impl Backward<Flex, 3> for BatchNormBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let mut grad = grads.consume::<Flex>(&ops.node);
        let State {
            x,
            gamma,
            beta,
            statistics,
            settings,
            source,
        } = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let gamma: Primitive = checkpointer.retrieve_node_output(gamma);
        let beta: Primitive = checkpointer.retrieve_node_output(beta);
        let (shape, count) = (channels(&x), statistics.mean.len());
        let (x, gamma, beta) = (values(&x), values(&gamma), values(&beta));
        let affine = Affine {
            gamma: &gamma,
            beta: &beta,
            settings,
        };
        let (gamma_grad, beta_grad) = if let Some(grad) = values_mut(&mut grad) {
            backward_in_place(shape, &x, grad, affine, &statistics, source)
        } else {
            let dims = grad.layout().shape().clone();
            let gradients = backward(shape, &x, &values(&grad), affine, &statistics, source);
            grad = tensor(gradients.x, dims);
            (gradients.gamma, gradients.beta)
        };
        let [x_node, gamma_node, beta_node] = ops.parents;
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, grad);
        }
        if let Some(node) = gamma_node {
            grads.register::<Flex>(node.id, tensor(gamma_grad, [count]));
        }
        if let Some(node) = beta_node {
            grads.register::<Flex>(node.id, tensor(beta_grad, [count]));
        }
    }
}
