//! Batched matrix products.

use std::borrow::Cow;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, is_fast, tensor, values};
use crate::kernels::matmul::{Matrices, matmul_each};

/// The matrix product that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait MatmulKernels: Backend {
    fn fast_matmul(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl MatmulKernels for Flex {
    fn fast_matmul(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let (left, right) = (Operand::new(&a), Operand::new(&b));
        product(left.matrices(), right.matrices(), a.layout().shape(), false)
    }
}

impl<C: CheckpointStrategy> MatmulKernels for Autodiff<Flex, C> {
    fn fast_matmul(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let out = Flex::fast_matmul(a.primitive().clone(), b.primitive().clone());
        match MatmulBackward
            .prepare::<C>([a.node(), b.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let state = [prep.checkpoint(&a), prep.checkpoint(&b)];
                prep.finish(state, out)
            }
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

/// Whether the kernel takes these matrices: as many left as right ones, which Burn's operation does not ask for.
pub(in crate::kernels) fn takes_matmul<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> bool {
    let (a_shape, b_shape) = (a.dims(), b.dims());
    D >= 2
        && is_fast(a)
        && is_fast(b)
        && a_shape[..D - 2] == b_shape[..D - 2]
        && a_shape[D - 1] == b_shape[D - 2]
}

/// The product; only if [`takes_matmul`] says so.
pub(in crate::kernels) fn matmul<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_matmul(a.into_dispatch(), b.into_dispatch()))
}

/// The matrices of a tensor, where they lie in memory.
struct Operand<'a> {
    values: Cow<'a, [f32]>,
    starts: Vec<usize>,
    /// Rows, columns, and the steps from one to the next.
    sizes: [usize; 2],
    steps: [usize; 2],
}

impl<'a> Operand<'a> {
    fn new(x: &'a Primitive) -> Self {
        let layout = x.layout();
        let shape = layout.shape().to_vec();
        let steps: Option<Vec<usize>> = layout
            .strides()
            .iter()
            .map(|s| usize::try_from(*s).ok())
            .collect();
        let (values, steps, first) = match steps {
            Some(steps) => (
                Cow::Borrowed(x.storage::<f32>()),
                steps,
                layout.start_offset(),
            ),
            // A flipped axis: a copy in order.
            None => {
                let mut steps = vec![1; shape.len()];
                for i in (1..shape.len()).rev() {
                    steps[i - 1] = steps[i] * shape[i];
                }
                (values(x), steps, 0)
            }
        };
        let axes = shape.len() - 2;
        let mut starts = vec![first];
        for (size, step) in shape.iter().zip(&steps).take(axes) {
            starts = starts
                .iter()
                .flat_map(|start| (0..*size).map(move |i| start + i * step))
                .collect();
        }
        Self {
            values,
            starts,
            sizes: [shape[axes], shape[axes + 1]],
            steps: [steps[axes], steps[axes + 1]],
        }
    }

    fn matrices(&self) -> Matrices<'_> {
        Matrices {
            values: &self.values,
            starts: &self.starts,
            rows: self.sizes[0],
            cols: self.sizes[1],
            row_step: self.steps[0],
            col_step: self.steps[1],
        }
    }

    /// Whether the columns are in order and the rows are not.
    fn is_transposed(&self) -> bool {
        self.steps[0] == 1 && self.steps[1] != 1
    }
}

/// The products, in the arrangement of `shape`; with `transposed` as a view of the transposed products.
fn product(a: Matrices, b: Matrices, shape: &[usize], transposed: bool) -> Primitive {
    let axes = shape.len() - 2;
    let mut shape = shape.to_vec();
    if transposed {
        shape[axes..].copy_from_slice(&[b.cols, a.rows]);
        let product = tensor(matmul_each(b.transposed(), a.transposed()), shape);
        let layout = product.layout().transpose(axes, axes + 1);
        return product.with_layout(layout);
    }
    shape[axes..].copy_from_slice(&[a.rows, b.cols]);
    tensor(matmul_each(a, b), shape)
}

/// Gradients of `A B` from that of the product, G: `G B^T` and `A^T G`, each in the order of its matrix in memory.
#[derive(Debug)]
struct MatmulBackward;

impl Backward<Flex, 2> for MatmulBackward {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [a, b] = ops
            .state
            .map(|id| checkpointer.retrieve_node_output::<Primitive>(id));
        let shape = grad.layout().shape();
        let (left, right, g) = (Operand::new(&a), Operand::new(&b), Operand::new(&grad));
        let [a_node, b_node] = ops.parents;
        if let Some(node) = a_node {
            let b = right.matrices().transposed();
            let gradient = product(g.matrices(), b, shape, left.is_transposed());
            grads.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = b_node {
            let a = left.matrices().transposed();
            let gradient = product(a, g.matrices(), shape, right.is_transposed());
            grads.register::<Flex>(node.id, gradient);
        }
    }
}
