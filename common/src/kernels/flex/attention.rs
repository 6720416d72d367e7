//! Batched matrix products, softmax and attention.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, Tracked, is_fast, tensor, values};
use crate::kernels::attention::{self, Attention, Inputs, Place};
use crate::kernels::parallel::{Shared, written};
use crate::kernels::softmax::{RowMask, softmax, softmax_backward};

/// The operations of attention that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait AttentionKernels: Backend {
    fn fast_softmax(x: FloatTensor<Self>, mask: Option<Arc<RowMask>>) -> FloatTensor<Self>;
    fn fast_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        attention: Attention,
    ) -> FloatTensor<Self>;
    fn fast_self_attention(x: FloatTensor<Self>, attention: Attention) -> FloatTensor<Self>;
}

impl AttentionKernels for Flex {
    fn fast_softmax(x: FloatTensor<Self>, mask: Option<Arc<RowMask>>) -> FloatTensor<Self> {
        softmax_forward(&x, mask.as_deref())
    }

    fn fast_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        attention: Attention,
    ) -> FloatTensor<Self> {
        separate_forward(&query, &key, &value, &attention, false).0
    }

    fn fast_self_attention(x: FloatTensor<Self>, attention: Attention) -> FloatTensor<Self> {
        packed_forward(&x, &attention, false).0
    }
}

impl<C: CheckpointStrategy> AttentionKernels for Autodiff<Flex, C> {
    fn fast_softmax(x: FloatTensor<Self>, mask: Option<Arc<RowMask>>) -> FloatTensor<Self> {
        softmax_tracked::<C>(x, mask.as_deref())
    }

    fn fast_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        attention: Attention,
    ) -> FloatTensor<Self> {
        separate_tracked::<C>(query, key, value, attention)
    }

    fn fast_self_attention(x: FloatTensor<Self>, attention: Attention) -> FloatTensor<Self> {
        packed_tracked::<C>(x, attention)
    }
}

/// Softmax over the last axis; only for tensors that [`is_fast`] says yes to.
pub(in crate::kernels) fn softmax_of<const D: usize>(
    x: Tensor<D>,
    mask: Option<RowMask>,
) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_softmax(
        x.into_dispatch(),
        mask.map(Arc::new),
    ))
}

/// Length of the last axis.
fn row_length(x: &Primitive) -> usize {
    x.layout().shape().last().copied().unwrap_or(1)
}

fn softmax_forward(x: &Primitive, mask: Option<&RowMask>) -> Primitive {
    let y = softmax(&values(x), row_length(x), mask);
    tensor(y, x.layout().shape().clone())
}

fn softmax_tracked<C: CheckpointStrategy>(x: Tracked<C>, mask: Option<&RowMask>) -> Tracked<C> {
    let y = softmax_forward(x.primitive(), mask);
    match SoftmaxBackward
        .prepare::<C>([x.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish(y.clone(), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

/// The gradient from the value.
#[derive(Debug)]
struct SoftmaxBackward;

impl Backward<Flex, 1> for SoftmaxBackward {
    type State = Primitive;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let y = ops.state;
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let gradient = softmax_backward(&values(&y), &values(&grad), row_length(&y));
        grads.register::<Flex>(node.id, tensor(gradient, y.layout().shape().clone()));
    }
}

/// Whether the kernel takes these queries, keys and values.
pub(in crate::kernels) fn takes_attention(
    query: &Tensor<3>,
    key: &Tensor<3>,
    value: &Tensor<3>,
) -> bool {
    is_fast(query) && is_fast(key) && is_fast(value)
}

/// Attention of checked shapes; only if [`takes_attention`] says so.
pub(in crate::kernels) fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    attention: Attention,
) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::fast_attention(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        attention,
    ))
}

/// Self-attention of queries, keys and values side by side; only for tensors that [`is_fast`] says yes to.
pub(in crate::kernels) fn self_attention(x: Tensor<3>, attention: Attention) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::fast_self_attention(x.into_dispatch(), attention))
}

fn output_shape(attention: &Attention) -> [usize; 3] {
    let Attention {
        batch,
        heads,
        queries,
        value_width,
        ..
    } = *attention;
    [batch, queries, heads * value_width]
}

/// The places of queries or keys, and of values, in tensors of their own.
fn own_places(attention: &Attention) -> [Place; 2] {
    [attention.width, attention.value_width].map(|width| Place {
        first: 0,
        pitch: attention.heads * width,
    })
}

/// The places of queries, keys and values in one tensor.
fn packed_places(attention: &Attention) -> [Place; 3] {
    let columns = attention.heads * attention.width;
    [0, 1, 2].map(|i| Place {
        first: i * columns,
        pitch: 3 * columns,
    })
}

fn separate_forward(
    query: &Primitive,
    key: &Primitive,
    value: &Primitive,
    attention: &Attention,
    keep: bool,
) -> (Primitive, Vec<f32>) {
    let [place, value_place] = own_places(attention);
    let inputs = Inputs {
        query: (&values(query), place),
        key: (&values(key), place),
        value: (&values(value), value_place),
    };
    let (out, weights) = attention.forward(inputs, keep);
    (tensor(out, output_shape(attention)), weights)
}

fn separate_tracked<C: CheckpointStrategy>(
    query: Tracked<C>,
    key: Tracked<C>,
    value: Tracked<C>,
    attention: Attention,
) -> Tracked<C> {
    let nodes = [query.node(), key.node(), value.node()];
    let forward = |keep| {
        separate_forward(
            query.primitive(),
            key.primitive(),
            value.primitive(),
            &attention,
            keep,
        )
    };
    match AttentionBackward
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let (out, weights) = forward(true);
            let inputs = [&query, &key, &value].map(|x| prep.checkpoint(x));
            prep.finish((inputs, Arc::new(weights), attention), out)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(false).0),
    }
}

/// Gradients of attention; those of inputs that need none are not computed.
#[derive(Debug)]
struct AttentionBackward;

impl Backward<Flex, 3> for AttentionBackward {
    type State = ([NodeId; 3], Arc<Vec<f32>>, Attention);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (inputs, weights, attention) = ops.state;
        let inputs: [Primitive; 3] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let [place, value_place] = own_places(&attention);
        let places = [place, place, value_place];
        let mut gradients: [Vec<f32>; 3] = Default::default();
        let sizes: [usize; 3] = std::array::from_fn(|i| match ops.parents[i] {
            Some(_) => inputs[i].layout().num_elements(),
            None => 0,
        });
        // SAFETY: the heads write all columns of all rows of each gradient that is not empty.
        unsafe {
            let [q, k, v] = &mut gradients;
            (*q, (*k, (*v, ()))) = written(sizes[0], |query| {
                written(sizes[1], |key| {
                    written(sizes[2], |value| {
                        let outs = [query, key, value];
                        let [query, key, value]: [Option<(Shared, Place)>; 3] =
                            std::array::from_fn(|i| {
                                ops.parents[i].as_ref().map(|_| (outs[i], places[i]))
                            });
                        let [q, k, v] = [0, 1, 2].map(|i| values(&inputs[i]));
                        let inputs = Inputs {
                            query: (&q, places[0]),
                            key: (&k, places[1]),
                            value: (&v, places[2]),
                        };
                        let to = attention::Gradients { query, key, value };
                        attention.backward(inputs, &weights, &values(&grad), to);
                    })
                })
            });
        }
        for (i, gradient) in gradients.into_iter().enumerate() {
            if let Some(node) = &ops.parents[i] {
                let shape = inputs[i].layout().shape().clone();
                grads.register::<Flex>(node.id, tensor(gradient, shape));
            }
        }
    }
}

fn packed_inputs<'a>(x: &'a [f32], attention: &Attention) -> Inputs<'a> {
    let [query, key, value] = packed_places(attention).map(|place| (x, place));
    Inputs { query, key, value }
}

fn packed_forward(x: &Primitive, attention: &Attention, keep: bool) -> (Primitive, Vec<f32>) {
    let (out, weights) = attention.forward(packed_inputs(&values(x), attention), keep);
    (tensor(out, output_shape(attention)), weights)
}

fn packed_tracked<C: CheckpointStrategy>(x: Tracked<C>, attention: Attention) -> Tracked<C> {
    match SelfAttentionBackward
        .prepare::<C>([x.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let (out, weights) = packed_forward(x.primitive(), &attention, true);
            let x = prep.checkpoint(&x);
            prep.finish((x, Arc::new(weights), attention), out)
        }
        OpsKind::UnTracked(prep) => prep.finish(packed_forward(x.primitive(), &attention, false).0),
    }
}

/// The gradients of queries, keys and values side by side.
#[derive(Debug)]
struct SelfAttentionBackward;

impl Backward<Flex, 1> for SelfAttentionBackward {
    type State = (NodeId, Arc<Vec<f32>>, Attention);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (x, weights, attention) = ops.state;
        let x: Primitive = checkpointer.retrieve_node_output(x);
        let [parent] = ops.parents;
        let Some(node) = parent else { return };
        let (shape, x) = (x.layout().shape().clone(), values(&x));
        let inputs = packed_inputs(&x, &attention);
        let work = |out: Shared| {
            let [query, key, value] = packed_places(&attention).map(|place| Some((out, place)));
            let to = attention::Gradients { query, key, value };
            attention.backward(inputs, &weights, &values(&grad), to);
        };
        // SAFETY: the heads write all columns of all rows.
        let (gradient, ()) = unsafe { written(x.len(), work) };
        grads.register::<Flex>(node.id, tensor(gradient, shape));
    }
}
