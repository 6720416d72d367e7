//! Steps of optimizers, which no gradient passes through.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::{Primitive, is_fast, own, tensor, values};
use crate::kernels::optimizer::{self as pass, Adam, Sgd};

/// The steps that Flex computes in one pass. The new parameter is the first result.
#[backend_extension(Flex)]
pub(crate) trait OptimizerKernels: Backend {
    fn fast_sgd(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        rule: Sgd,
    ) -> FloatTensor<Self>;
    fn fast_momentum(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        rule: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    fn fast_adam(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        rule: Adam,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    fn fast_square_sum(x: FloatTensor<Self>) -> FloatTensor<Self>;
    fn fast_scale(x: FloatTensor<Self>, factor: f32) -> FloatTensor<Self>;
}

impl OptimizerKernels for Flex {
    fn fast_sgd(parameter: Primitive, mut gradient: Primitive, rule: Sgd) -> Primitive {
        let new = own(&mut gradient);
        pass::sgd(&rule, &values(&parameter), new, None);
        gradient
    }

    fn fast_momentum(
        parameter: Primitive,
        mut gradient: Primitive,
        mut velocity: Primitive,
        rule: Sgd,
    ) -> (Primitive, Primitive) {
        let (new, velocities) = (own(&mut gradient), own(&mut velocity));
        pass::sgd(&rule, &values(&parameter), new, Some(velocities));
        (gradient, velocity)
    }

    fn fast_adam(
        parameter: Primitive,
        mut gradient: Primitive,
        mut first: Primitive,
        mut second: Primitive,
        rule: Adam,
    ) -> (Primitive, Primitive, Primitive) {
        let new = own(&mut gradient);
        let moments = [own(&mut first), own(&mut second)];
        pass::adam(&rule, &values(&parameter), new, moments);
        (gradient, first, second)
    }

    fn fast_square_sum(x: Primitive) -> Primitive {
        tensor(vec![pass::sum_of_squares(&values(&x)) as f32], [1])
    }

    fn fast_scale(mut x: Primitive, factor: f32) -> Primitive {
        pass::scale(own(&mut x), factor);
        x
    }
}

/// Whether the kernels take these tensors of one shape.
pub(in crate::kernels) fn takes_step<const D: usize>(tensors: &[&Tensor<D>]) -> bool {
    tensors
        .iter()
        .all(|x| is_fast(x) && !x.device().is_autodiff() && x.dims() == tensors[0].dims())
}

/// The new parameter and velocity; only if [`takes_step`] says so.
pub(in crate::kernels) fn sgd_step<const D: usize>(
    rule: &Sgd,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
) -> (Tensor<D>, Option<Tensor<D>>) {
    if rule.momentum == 0.0 {
        let (parameter, gradient) = (parameter.into_dispatch(), gradient.into_dispatch());
        let new = Dispatch::fast_sgd(parameter, gradient, *rule);
        return (Tensor::from_dispatch(new), None);
    }
    let velocity = velocity.unwrap_or_else(|| gradient.zeros_like());
    let (new, velocity) = Dispatch::fast_momentum(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        velocity.into_dispatch(),
        *rule,
    );
    (
        Tensor::from_dispatch(new),
        Some(Tensor::from_dispatch(velocity)),
    )
}

/// The new parameter and moments; only if [`takes_step`] says so.
pub(in crate::kernels) fn adam_step<const D: usize>(
    rule: &Adam,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    [first, second]: [Tensor<D>; 2],
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let (new, first, second) = Dispatch::fast_adam(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        *rule,
    );
    (
        Tensor::from_dispatch(new),
        [first, second].map(Tensor::from_dispatch),
    )
}

/// The sum of the squares, shape \[1\]; only if [`takes_step`] says so.
pub(in crate::kernels) fn square_sum<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::fast_square_sum(x.into_dispatch()))
}

/// All values times `factor`; only if [`takes_step`] says so.
pub(in crate::kernels) fn scaled<const D: usize>(x: Tensor<D>, factor: f64) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fast_scale(x.into_dispatch(), factor as f32))
}
