//! Derivatives along a direction, values and gradients, against compositions of Burn's operations on the ndarray backend, against
//! differences, and that the derivative of a sum of squares' gradient is what it should be.

mod kernel_setup;

use burn::tensor::{Device, Tensor};
use common::kernels;
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

/// Output and gradients of `f(x, tangent, gamma)`, its output weighted by random numbers.
fn results<const D: usize, const N: usize>(
    device: Device,
    [x, tangent, gamma, weighting]: [&[f32]; 4],
    shape: [usize; D],
    normalised: [usize; N],
    f: impl Fn(Tensor<D>, Tensor<D>, Tensor<N>) -> Tensor<D>,
) -> [Vec<f32>; 4] {
    let device = device.autodiff();
    let x = leaf(x, shape, &device);
    let tangent = leaf(tangent, shape, &device);
    let gamma = leaf(gamma, normalised, &device);
    let y = f(x.clone(), tangent.clone(), gamma.clone());
    let weighting = Tensor::<1>::from_floats(weighting, &device).reshape(y.dims());
    let grads = (y.clone() * weighting).sum().backward();
    [
        values(y),
        values(x.grad(&grads).unwrap()),
        values(tangent.grad(&grads).unwrap()),
        values(gamma.grad(&grads).unwrap()),
    ]
}

/// The formula of the derivative in Burn's operations.
fn layer_norm_tangent<const D: usize, const N: usize>(
    x: Tensor<D>,
    u: Tensor<D>,
    gamma: Tensor<N>,
) -> Tensor<D> {
    let (shape, width) = (x.dims(), gamma.shape().num_elements());
    let x = x.reshape([-1, width as i32]);
    let u = u.reshape([-1, width as i32]);
    let n = width as f64;
    let centred = x.clone() - x.sum_dim(1) / n;
    let inverse = ((centred.clone() * centred.clone()).sum_dim(1) / n + 1e-5).powf_scalar(-0.5);
    let hat = centred * inverse.clone();
    let inner = u.clone() - u.clone().sum_dim(1) / n - hat.clone() * ((hat * u).sum_dim(1) / n);
    (inner * inverse * gamma.reshape([1, width])).reshape(shape)
}

fn check_layer_norm<const D: usize, const N: usize>(shape: [usize; D], normalised: [usize; N]) {
    let x = random(shape).iter().map(|v| v * 2.0 + 1.0).collect();
    check_layer_norm_at(x, shape, normalised);
}

fn check_layer_norm_at<const D: usize, const N: usize>(
    x: Vec<f32>,
    shape: [usize; D],
    normalised: [usize; N],
) {
    let data = [
        x,
        random(shape).iter().map(|v| v * 3.0 - 0.5).collect(),
        random(normalised),
        random(shape),
    ];
    let data = data.each_ref().map(Vec::as_slice);
    let ours = results(Device::flex(), data, shape, normalised, |x, u, gamma| {
        kernels::layer_norm_tangent(x, u, gamma, 1e-5)
    });
    let theirs = results(reference(), data, shape, normalised, layer_norm_tangent);
    let elsewhere = results(reference(), data, shape, normalised, |x, u, gamma| {
        kernels::layer_norm_tangent(x, u, gamma, 1e-5)
    });
    for (i, name) in ["output", "input", "tangent", "gamma"].iter().enumerate() {
        assert_close(name, &ours[i], &theirs[i]);
        assert_close(name, &elsewhere[i], &theirs[i]);
    }
}

fn check_leaky_relu<const D: usize>(shape: [usize; D], slope: f64) {
    let data = [random(shape), random(shape), random(shape)];
    let run = |device: Device| {
        let device = device.autodiff();
        let x = leaf(&data[0], shape, &device);
        let u = leaf(&data[1], shape, &device);
        let value = kernels::leaky_relu(x.clone(), slope);
        let y = kernels::leaky_relu_tangent(value, u.clone(), slope);
        let weighting = Tensor::<1>::from_floats(data[2].as_slice(), &device).reshape(shape);
        let grads = (y.clone() * weighting).sum().backward();
        assert!(
            x.grad(&grads)
                .is_none_or(|g| values(g).iter().all(|v| *v == 0.0))
        );
        [values(y), values(u.grad(&grads).unwrap())]
    };
    let (ours, theirs) = (run(Device::flex()), run(reference()));
    let factor = |x: f32| if x > 0.0 { 1.0 } else { slope as f32 };
    let want = |of: &[f32]| -> Vec<f32> {
        let pairs = data[0].iter().zip(of);
        pairs.map(|(x, v)| factor(*x) * v).collect()
    };
    for found in [&ours, &theirs] {
        assert_close("output", &found[0], &want(&data[1]));
        assert_close("tangent", &found[1], &want(&data[2]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    // Of two values the derivative is a difference of nearly equal numbers, so that both sides are mostly rounding;
    // `layer_norm_of_two_values` has some for which they are not.
    #[test]
    fn layer_norm_of_rows(shape in [1..40usize, 1..9usize, 3..200usize]) {
        check_layer_norm(shape, [shape[2]]);
    }

    #[test]
    fn layer_norm_of_blocks(shape in [1..5usize, 1..9usize, 3..20usize, 1..20usize]) {
        check_layer_norm(shape, [shape[1], shape[2], shape[3]]);
        check_layer_norm(shape, [shape[2], shape[3]]);
    }

    #[test]
    fn leaky_relu(shape in [1..9usize, 1..40usize, 1..50usize], slope in 0.0..0.5f64) {
        check_leaky_relu(shape, slope);
    }
}

/// Of two values so near to each other that epsilon keeps their derivative from being lost in rounding.
#[test]
fn layer_norm_of_two_values() {
    for shape in [[1, 1, 2], [9, 1, 2], [40, 8, 2]] {
        let x = random(shape).iter().map(|v| v * 5e-3).collect();
        check_layer_norm_at(x, shape, [2]);
    }
}

/// Several parts of rows, several blocks of a sum.
#[test]
fn larger_sizes() {
    check_layer_norm([20, 16, 28, 28], [16, 28, 28]);
    check_layer_norm([700, 3, 40], [40]);
    check_layer_norm([5, 1], [1]);
}

/// The derivative is the limit of the difference of two layer norms, far from zero too.
#[test]
fn the_derivative_is_that_of_layer_norm() {
    let device = Device::flex();
    let shape = [6, 50];
    let tensor = |values: Vec<f32>| Tensor::<1>::from_floats(values.as_slice(), &device);
    let x = tensor(random(shape)).reshape(shape) + 30.0;
    let u = tensor(random(shape)).reshape(shape);
    let gamma = tensor(random([50]));
    let at = |t: f64| kernels::layer_norm(x.clone() + u.clone() * t, gamma.clone(), None, 1e-5);
    let difference = (at(0.02) - at(-0.02)) / 0.04;
    let derivative = kernels::layer_norm_tangent(x.clone(), u.clone(), gamma.clone(), 1e-5);
    let error = (difference - derivative.clone())
        .abs()
        .max()
        .into_scalar::<f32>();
    let size = derivative.abs().max().into_scalar::<f32>();
    assert!(error < 3e-3 * size, "{error} of {size}");
}

#[test]
fn empty_batches_stay_empty() {
    let device = Device::flex().autodiff();
    let x = Tensor::<4>::zeros([0, 3, 4, 4], &device).require_grad();
    let gamma = Tensor::<3>::ones([3, 4, 4], &device).require_grad();
    let y = kernels::layer_norm_tangent(x.clone(), x.clone(), gamma.clone(), 1e-5);
    assert_eq!(y.dims(), [0, 3, 4, 4]);
    let grads = y.sum().backward();
    assert_eq!(x.grad(&grads).unwrap().dims(), [0, 3, 4, 4]);
    assert_eq!(values(gamma.grad(&grads).unwrap()), [0.0; 48]);
    let y = kernels::leaky_relu_tangent(x.clone(), x, 0.2);
    assert_eq!(y.dims(), [0, 3, 4, 4]);
}

#[test]
fn the_same_numbers_each_time() {
    let shape = [64, 24, 13, 13];
    let data = [
        random(shape),
        random(shape),
        random([24, 13, 13]),
        random(shape),
    ];
    let data = data.each_ref().map(Vec::as_slice);
    let run = || {
        results(Device::flex(), data, shape, [24, 13, 13], |x, u, gamma| {
            kernels::layer_norm_tangent(x, u, gamma, 1e-5)
        })
    };
    let first = run();
    for _ in 0..5 {
        assert_eq!(run(), first);
    }
}
