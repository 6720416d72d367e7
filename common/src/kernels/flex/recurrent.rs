//! Recurrent layers: the weights of each direction, the layer, and each of its outputs are nodes of the graph.
//!
//! A node has one tensor. So the layer's own tensor is a mere token, and its outputs (all states, the last ones) are nodes on
//! it that leave their gradients in a common place. The weights' tensor is a token too: layers and single steps leave the
//! gradients of their gates with the weights, whose node comes last and takes one product over all steps.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::{Primitive, Tracked, is_fast, tensor, values};
use crate::kernels::Recurrence;
use crate::kernels::recurrent::{
    Layer, OutputGradients, Outputs, Schedule, Trace, Weights, backward, forward,
};

/// Where [`RecurrentKernels::fast_recurrent_weights`] puts the packed weights.
type Slot = Arc<OnceLock<Arc<Weights>>>;

/// All states, the last hidden and the last cell states.
type States<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Recurrent layers on Flex.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait RecurrentKernels: Backend {
    /// Packs the weights into `slot` and gives the token that stands for them.
    fn fast_recurrent_weights(
        weight_ih: FloatTensor<Self>,
        weight_hh: FloatTensor<Self>,
        bias_ih: FloatTensor<Self>,
        bias_hh: FloatTensor<Self>,
        kind: Recurrence,
        slot: Slot,
    ) -> FloatTensor<Self>;

    /// A layer with the tokens of the weights of its first and last direction.
    fn fast_recurrent(
        x: FloatTensor<Self>,
        h: FloatTensor<Self>,
        c: FloatTensor<Self>,
        first: FloatTensor<Self>,
        last: FloatTensor<Self>,
        layer: Layer,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The weights of one direction, packed, and their token in the graph.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct PackedWeights {
    token: Tensor<1>,
    weights: Arc<Weights>,
}

/// Packs weights whose shapes fit each other, if the kernels take them.
pub(in crate::kernels) fn pack_weights(
    kind: Recurrence,
    [weight_ih, weight_hh]: [&Tensor<2>; 2],
    [bias_ih, bias_hh]: [&Tensor<1>; 2],
) -> Option<PackedWeights> {
    let fast = is_fast(weight_ih) && is_fast(weight_hh) && is_fast(bias_ih) && is_fast(bias_hh);
    if !fast || weight_ih.dims().contains(&0) {
        return None;
    }
    let slot = Slot::default();
    let token = Dispatch::fast_recurrent_weights(
        weight_ih.clone().into_dispatch(),
        weight_hh.clone().into_dispatch(),
        bias_ih.clone().into_dispatch(),
        bias_hh.clone().into_dispatch(),
        kind,
        slot.clone(),
    );
    Some(PackedWeights {
        token: Tensor::from_dispatch(token),
        weights: slot.get()?.clone(),
    })
}

/// Whether the kernels take an input and states of the right shapes.
pub(in crate::kernels) fn takes_recurrent<const D: usize>(
    weights: &[&PackedWeights],
    x: &Tensor<D>,
    h: &Tensor<D>,
    c: Option<&Tensor<D>>,
) -> bool {
    let tensors = || [x, h].into_iter().chain(c);
    // Weights of a device without gradients are packed for the forward pass alone.
    let training = weights.iter().all(|w| w.weights.training.is_some());
    let gradients = tensors().any(|tensor| tensor.device().is_autodiff())
        || weights.iter().any(|w| w.token.device().is_autodiff());
    tensors().all(is_fast) && (training || !gradients)
}

/// A layer; only if [`takes_recurrent`] says so and all shapes fit.
pub(in crate::kernels) fn recurrent(
    weights: &[&PackedWeights],
    x: Tensor<3>,
    lengths: Option<&[usize]>,
    h: Tensor<3>,
    c: Option<Tensor<3>>,
) -> (Tensor<3>, Tensor<3>, Option<Tensor<3>>) {
    let [batch, time, _] = x.dims();
    let whole;
    let lengths = match lengths {
        Some(lengths) => lengths,
        None => {
            whole = vec![time; batch];
            &whole
        }
    };
    let layer = Layer {
        weights: weights.iter().map(|w| w.weights.clone()).collect(),
        schedule: Arc::new(Schedule::new(lengths, rayon::current_num_threads())),
        batch,
        time,
        all_states: true,
    };
    run(weights, x, h, c, layer)
}

/// One step; only if [`takes_recurrent`] says so and all shapes fit.
pub(in crate::kernels) fn recurrent_step(
    weights: &PackedWeights,
    x: Tensor<2>,
    h: Tensor<2>,
    c: Option<Tensor<2>>,
) -> (Tensor<2>, Option<Tensor<2>>) {
    let batch = x.dims()[0];
    let layer = Layer {
        weights: vec![weights.weights.clone()],
        schedule: Arc::new(Schedule::new(&vec![1; batch], rayon::current_num_threads())),
        batch,
        time: 1,
        all_states: false,
    };
    let (_, h, c) = run(&[weights], x, h, c, layer);
    (h, c)
}

/// The layer, whatever the rank of its tensors.
fn run<const D: usize>(
    weights: &[&PackedWeights],
    x: Tensor<D>,
    h: Tensor<D>,
    c: Option<Tensor<D>>,
    layer: Layer,
) -> (Tensor<D>, Tensor<D>, Option<Tensor<D>>) {
    let token = |index: usize| weights[index].token.clone().into_dispatch();
    let lstm = c.is_some();
    // The extension has no optional tensors: other layers ignore the cell state.
    let c = c.unwrap_or_else(|| h.clone());
    let (out, h, c) = Dispatch::fast_recurrent(
        x.into_dispatch(),
        h.into_dispatch(),
        c.into_dispatch(),
        token(0),
        token(weights.len() - 1),
        layer,
    );
    let c = Tensor::from_dispatch(c);
    (
        Tensor::from_dispatch(out),
        Tensor::from_dispatch(h),
        lstm.then_some(c),
    )
}

impl RecurrentKernels for Flex {
    fn fast_recurrent_weights(
        weight_ih: FloatTensor<Self>,
        weight_hh: FloatTensor<Self>,
        bias_ih: FloatTensor<Self>,
        bias_hh: FloatTensor<Self>,
        kind: Recurrence,
        slot: Slot,
    ) -> FloatTensor<Self> {
        pack(
            [&weight_ih, &weight_hh, &bias_ih, &bias_hh],
            kind,
            false,
            &slot,
        );
        token()
    }

    fn fast_recurrent(
        x: FloatTensor<Self>,
        h: FloatTensor<Self>,
        c: FloatTensor<Self>,
        _first: FloatTensor<Self>,
        _last: FloatTensor<Self>,
        layer: Layer,
    ) -> States<Self> {
        states(&layer, [&x, &h, &c]).0
    }
}

impl<C: CheckpointStrategy> RecurrentKernels for Autodiff<Flex, C> {
    fn fast_recurrent_weights(
        weight_ih: FloatTensor<Self>,
        weight_hh: FloatTensor<Self>,
        bias_ih: FloatTensor<Self>,
        bias_hh: FloatTensor<Self>,
        kind: Recurrence,
        slot: Slot,
    ) -> FloatTensor<Self> {
        let tensors = [weight_ih, weight_hh, bias_ih, bias_hh];
        let nodes = tensors.each_ref().map(|tensor| tensor.node());
        let weights = pack(
            tensors.each_ref().map(|tensor| tensor.primitive()),
            kind,
            true,
            &slot,
        );
        match WeightsBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(weights, token()),
            OpsKind::UnTracked(prep) => prep.finish(token()),
        }
    }

    fn fast_recurrent(
        x: FloatTensor<Self>,
        h: FloatTensor<Self>,
        c: FloatTensor<Self>,
        first: FloatTensor<Self>,
        last: FloatTensor<Self>,
        layer: Layer,
    ) -> States<Self> {
        let tensors = [x, h, c, first, last];
        let nodes = tensors.each_ref().map(|tensor| tensor.node());
        let [x, h, c, ..] = tensors.each_ref().map(|tensor| tensor.primitive());
        let ((out, new_h, new_c), traces) = states(&layer, [x, h, c]);
        match LayerBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(_) => (
                Tracked::<C>::new(out),
                Tracked::<C>::new(new_h),
                Tracked::<C>::new(new_c),
            ),
            OpsKind::Tracked(prep) => {
                let (all, lstm) = (layer.all_states, layer.kind() == Recurrence::Lstm);
                let memory = Arc::new(Memory {
                    layer,
                    shapes: [x, h].map(|tensor| tensor.layout().shape().clone()),
                    traces: Mutex::new(traces),
                    grads: Mutex::default(),
                });
                let layer = prep.finish(memory.clone(), token());
                let output = |index: usize, value: Primitive, used: bool| {
                    if !used {
                        return Tracked::<C>::new(value);
                    }
                    let prep = OutputBackward.prepare::<C>([layer.node()]);
                    match prep.compute_bound().stateful() {
                        OpsKind::Tracked(prep) => prep.finish((memory.clone(), index), value),
                        OpsKind::UnTracked(prep) => prep.finish(value),
                    }
                };
                (
                    output(0, out, all),
                    output(1, new_h, true),
                    output(2, new_c, lstm),
                )
            }
        }
    }
}

/// A tensor that only stands for a node of the graph.
fn token() -> Primitive {
    tensor(vec![0.0], [1])
}

fn pack(tensors: [&Primitive; 4], kind: Recurrence, training: bool, slot: &Slot) -> Arc<Weights> {
    let [inputs, hidden] = [tensors[0], tensors[1]].map(|t| t.layout().shape().dims::<2>()[1]);
    let values = tensors.map(values);
    let values = values.each_ref().map(|v| &**v);
    let pack = || Arc::new(Weights::new(kind, [inputs, hidden], values, training));
    slot.get_or_init(pack).clone()
}

/// Runs the layer.
fn states(layer: &Layer, [x, h, c]: [&Primitive; 3]) -> (States<Flex>, Vec<Trace>) {
    let lstm = layer.kind() == Recurrence::Lstm;
    let shape = h.layout().shape().clone();
    let cells = lstm.then(|| values(c));
    let Outputs { out, h, c, traces } = forward(
        layer,
        &values(x),
        &values(h),
        cells.as_deref().unwrap_or_default(),
    );
    let width = layer.directions() * layer.hidden();
    let out = match layer.all_states {
        true => tensor(out, [layer.batch, layer.time, width]),
        false => tensor(out, [0]),
    };
    let c = if lstm {
        tensor(c, shape.clone())
    } else {
        tensor(c, [0])
    };
    ((out, tensor(h, shape), c), traces)
}

/// The gradients of the weights, once all steps are through.
#[derive(Debug)]
struct WeightsBackward;

impl Backward<Flex, 4> for WeightsBackward {
    type State = Arc<Weights>;

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        grads.consume::<Flex>(&ops.node);
        let weights = ops.state;
        let Some(training) = &weights.training else {
            return;
        };
        let rows = weights.kind.gates() * weights.hidden;
        let shapes = [
            vec![rows, weights.inputs],
            vec![rows, weights.hidden],
            vec![rows],
            vec![rows],
        ];
        for ((node, gradient), shape) in ops
            .parents
            .into_iter()
            .zip(training.take(&weights))
            .zip(shapes)
        {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(gradient, shape));
            }
        }
    }
}

/// What the nodes of a layer and its outputs share.
#[derive(Debug)]
struct Memory {
    layer: Layer,
    /// Of the input and of the first states.
    shapes: [Shape; 2],
    traces: Mutex<Vec<Trace>>,
    /// Of all states, the last hidden and the last cell states.
    grads: Mutex<[Option<Primitive>; 3]>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the gradient of an output with its layer.
#[derive(Debug)]
struct OutputBackward;

impl Backward<Flex, 1> for OutputBackward {
    type State = (Arc<Memory>, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (memory, index) = ops.state;
        lock(&memory.grads)[index] = Some(grad);
        let [layer] = ops.parents;
        if let Some(layer) = layer {
            grads.register::<Flex>(layer.id, token());
        }
    }
}

/// Backward through time, for input, first states, and the tokens of the weights.
#[derive(Debug)]
struct LayerBackward;

impl Backward<Flex, 5> for LayerBackward {
    type State = Arc<Memory>;

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        grads.consume::<Flex>(&ops.node);
        let memory = ops.state;
        let layer = &memory.layer;
        let mut traces = std::mem::take(&mut *lock(&memory.traces));
        let given = std::mem::take(&mut *lock(&memory.grads));
        let given = given.each_ref().map(|grad| grad.as_ref().map(values));
        let [out, h, c] = given.each_ref().map(|grad| grad.as_deref());
        let [x_node, h_node, c_node, first, last] = ops.parents;
        let [dx, dh, dc] = backward(
            layer,
            &mut traces,
            OutputGradients { out, h, c },
            x_node.is_some(),
        );
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, tensor(dx, memory.shapes[0].clone()));
        }
        if let Some(node) = h_node {
            grads.register::<Flex>(node.id, tensor(dh, memory.shapes[1].clone()));
        }
        if let (Some(node), Recurrence::Lstm) = (c_node, layer.kind()) {
            grads.register::<Flex>(node.id, tensor(dc, memory.shapes[1].clone()));
        }
        for ((node, weights), trace) in [first, last].into_iter().zip(&layer.weights).zip(traces) {
            if let (Some(node), Some(training)) = (node, &weights.training) {
                training.gather(weights, trace);
                grads.register::<Flex>(node.id, token());
            }
        }
    }
}
