//! Every kernel against Burn's own operation on the ndarray backend: values and all gradients.

mod kernel_setup;

use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, module};
use common::kernels;
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

/// An activation function and Burn's, for two ranks.
type Activations = (
    &'static str,
    fn(Tensor<4>) -> Tensor<4>,
    fn(Tensor<4>) -> Tensor<4>,
);

fn activations() -> [Activations; 4] {
    use burn::tensor::activation as burns;
    [
        ("tanh", kernels::tanh, burns::tanh),
        ("sigmoid", kernels::sigmoid, burns::sigmoid),
        ("relu", kernels::relu, burns::relu),
        (
            "leaky relu",
            |x| kernels::leaky_relu(x, 0.1),
            |x| burns::leaky_relu(x, 0.1),
        ),
    ]
}

/// Value and gradient of a function of one tensor, weighted by random numbers.
fn results(
    device: Device,
    x: &[f32],
    shape: [usize; 4],
    f: impl Fn(Tensor<4>) -> Tensor<4>,
) -> [Vec<f32>; 2] {
    let device = device.autodiff();
    let x = leaf(x, shape, &device);
    // A leaf is in use elsewhere; a computed tensor is the kernel's to overwrite.
    let y = f(x.clone() * 3.0);
    let n = y.shape().num_elements();
    let weighting: Vec<f32> = (0..n)
        .map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0)
        .collect();
    let weighting = Tensor::<1>::from_floats(weighting.as_slice(), &device).reshape(y.dims());
    let grads = (y.clone() * weighting).sum().backward();
    [values(y), values(x.grad(&grads).unwrap())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn activations_are_burns(shape in [1..4usize, 1..5usize, 1..40usize, 1..40usize]) {
        let x = random(shape);
        for (name, ours, theirs) in activations() {
            let [y, grad] = results(Device::flex(), &x, shape, ours);
            let [want_y, want_grad] = results(reference(), &x, shape, theirs);
            assert_close(name, &y, &want_y);
            assert_close(name, &grad, &want_grad);
        }
    }

    #[test]
    fn max_pool2d_is_burns(
        (shape, kernel, stride, dilation) in (
            [1..3usize, 1..4usize, 1..20usize, 1..20usize],
            [1..5usize, 1..5usize],
            [1..4usize, 1..4usize],
            [1..3usize, 1..3usize],
        ),
        padding in [0..3usize, 0..3usize],
    ) {
        let padding = [padding[0].min(kernel[0] / 2), padding[1].min(kernel[1] / 2)];
        let fits = (0..2).all(|i| shape[2 + i] + 2 * padding[i] > dilation[i] * (kernel[i] - 1));
        prop_assume!(fits);
        check_pool(shape, MaxPoolOptions::new(kernel)
            .with_stride(stride)
            .with_padding_pairs(padding.map(|p| (p, p)))
            .with_dilation(dilation));
    }

    #[test]
    fn max_pool2d_of_two_by_two_is_burns(shape in [1..4usize, 1..20usize, 2..40usize, 2..40usize]) {
        check_pool(shape, MaxPoolOptions::new([2, 2]));
    }
}

fn check_pool(shape: [usize; 4], options: MaxPoolOptions<2>) {
    // Few different values: ties, which go to the first.
    let x: Vec<f32> = random(shape).iter().map(|v| (v * 5.0).round()).collect();
    let [y, grad] = results(Device::flex(), &x, shape, |x| {
        kernels::max_pool2d(x, options.clone())
    });
    let [want_y, want_grad] = results(reference(), &x, shape, |x| {
        module::max_pool2d(x, options.clone())
    });
    assert_close("output", &y, &want_y);
    // A window with nothing but padding has no position that its gradient belongs to; the reference sends it to the first pixel.
    if want_y.iter().all(|v| v.is_finite()) {
        assert_close("gradient", &grad, &want_grad);
    }
}

#[test]
fn max_pool2d_of_an_empty_batch_is_empty() {
    let x = Tensor::<4>::zeros([0, 3, 8, 8], &Device::flex());
    assert_eq!(
        kernels::max_pool2d(x, MaxPoolOptions::new([2, 2])).dims(),
        [0, 3, 4, 4]
    );
}

#[test]
fn activations_do_not_change_their_input() {
    let device = Device::flex();
    for (name, ours, _) in activations() {
        let x =
            Tensor::<1>::from_floats([-2.0, -0.5, 0.0, 0.5, 2.0], &device).reshape([1, 1, 1, 5]);
        let y = ours(x.clone());
        assert_ne!(values(y), values(x.clone()), "{name}");
        assert_eq!(values(x), [-2.0, -0.5, 0.0, 0.5, 2.0], "{name}");
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    let device = Device::flex();
    let x = || Tensor::<1>::from_floats([f32::NAN, 1.0, 2.0, 3.0], &device).reshape([1, 1, 2, 2]);
    for (name, ours, _) in activations() {
        assert!(values(ours(x()))[0].is_nan(), "{name}");
    }
    assert!(values(kernels::max_pool2d(x(), MaxPoolOptions::new([2, 2])))[0].is_nan());
}

/// Output and gradients (input, weight, bias) of a linear layer.
fn linear_results(
    device: Device,
    [x, w, b]: [&[f32]; 3],
    [batch, time, inputs, outputs]: [usize; 4],
    layer: impl Fn(Tensor<3>, Tensor<2>, Option<Tensor<1>>) -> Tensor<3>,
) -> Vec<Vec<f32>> {
    let device = device.autodiff();
    let x = leaf(x, [batch, time, inputs], &device);
    let w = leaf(w, [inputs, outputs], &device);
    let b = leaf(b, [outputs], &device);
    let out = layer(x.clone(), w.clone(), Some(b.clone()));
    let grads = out.clone().powi_scalar(2).sum().backward();
    vec![
        values(out),
        values(x.grad(&grads).unwrap()),
        values(w.grad(&grads).unwrap()),
        values(b.grad(&grads).unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn linear_is_burns(sizes in [1..5usize, 1..20usize, 1..70usize, 1..70usize]) {
        let [batch, time, inputs, outputs] = sizes;
        let (x, w, b) = (random([batch, time, inputs]), random([inputs, outputs]), random([outputs]));
        let ours = linear_results(Device::flex(), [&x, &w, &b], sizes, kernels::linear);
        let theirs = linear_results(reference(), [&x, &w, &b], sizes, module::linear);
        for (name, (ours, theirs)) in ["output", "input", "weight", "bias"].into_iter().zip(ours.iter().zip(&theirs)) {
            assert_close(name, ours, theirs);
        }
    }
}

#[test]
fn linear_takes_vectors_and_empty_batches() {
    let device = Device::flex();
    let w = Tensor::<1>::from_floats(random([12]).as_slice(), &device).reshape([4, 3]);
    assert_eq!(
        kernels::linear(Tensor::<1>::ones([4], &device), w.clone(), None).dims(),
        [3]
    );
    assert_eq!(
        kernels::linear(Tensor::<2>::ones([0, 4], &device), w.clone(), None).dims(),
        [0, 3]
    );
    let both = values(kernels::linear(
        Tensor::<2>::ones([2, 4], &device),
        w.clone(),
        None,
    ));
    assert_close("rows", &both, &values(w.sum_dim(0).repeat(&[2, 1])));
}

mod layers {
    use super::*;
    use burn::module::Module;

    #[test]
    fn linear_starts_from_burns_weights_and_computes_the_same() {
        let device = Device::flex();
        let slow = burn::nn::LinearConfig::new(7, 5).init(&device);
        let fast = common::nn::LinearConfig::new(7, 5)
            .init(&device)
            .load_record(slow.clone().into_record());
        let x = Tensor::<1>::from_floats(random([21]).as_slice(), &device).reshape([3, 7]);
        assert_close(
            "output",
            &values(fast.forward(x.clone())),
            &values(slow.forward(x)),
        );
        assert_eq!(fast.to_string(), slow.to_string());
    }

    #[test]
    #[should_panic]
    fn linear_of_the_wrong_width_fails() {
        let device = Device::flex();
        let layer = common::nn::LinearConfig::new(7, 5).init(&device);
        layer.forward(Tensor::<2>::zeros([3, 6], &device));
    }
}
