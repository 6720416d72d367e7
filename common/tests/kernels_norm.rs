//! Normalisation and average pooling against Burn's own operations on the ndarray backend and against PyTorch.
//!
//! PyTorch's numbers are in `kernels_norm/golden.json`, written by `kernels_norm/make_golden.py`.

mod kernel_setup;

use burn::module::Module;
use burn::nn as slow;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, module};
use common::{kernels, nn};
use kernel_setup::{assert_close, assert_close_beside, leaf, random, reference, values};
use proptest::prelude::*;
use serde_json::Value;

/// Values with another mean and deviation in each channel of `[batch, channels, ...]`.
fn uneven<const D: usize>(shape: [usize; D]) -> Vec<f32> {
    let inner = shape[2..].iter().product::<usize>().max(1);
    let mut x = random(shape);
    for (i, v) in x.iter_mut().enumerate() {
        let channel = i / inner % shape[1];
        *v = *v * (1.0 + channel as f32) + 3.0 - channel as f32;
    }
    x
}

/// Output and gradients of `f(x, gamma, beta)`, its output weighted by random numbers.
fn results<const D: usize, const N: usize>(
    device: Device,
    [x, gamma, beta, weighting]: [&[f32]; 4],
    shape: [usize; D],
    normalised: [usize; N],
    f: impl Fn(Tensor<D>, Tensor<N>, Tensor<N>) -> Tensor<D>,
) -> [Vec<f32>; 4] {
    let device = device.autodiff();
    let x = leaf(x, shape, &device);
    let gamma = leaf(gamma, normalised, &device);
    let beta = leaf(beta, normalised, &device);
    let y = f(x.clone(), gamma.clone(), beta.clone());
    let weighting = Tensor::<1>::from_floats(weighting, &device).reshape(y.dims());
    let grads = (y.clone() * weighting).sum().backward();
    [
        values(y),
        values(x.grad(&grads).unwrap()),
        values(gamma.grad(&grads).unwrap()),
        values(beta.grad(&grads).unwrap()),
    ]
}

fn assert_all_close(ours: [Vec<f32>; 4], theirs: [Vec<f32>; 4]) {
    let names = ["output", "input", "gamma", "beta"];
    for (name, (ours, theirs)) in names.iter().zip(ours.iter().zip(&theirs)) {
        // A gradient by gamma is a sum of numbers of both signs, which may cancel.
        let size = if *name == "gamma" { 0.1 } else { 1e-2 };
        assert_close_beside(name, ours, theirs, size);
    }
}

/// Batch normalisation in training and with given statistics, against Burn's.
fn check_batch_norm<const D: usize>(shape: [usize; D]) {
    let channels = [shape[1]];
    let data = [
        uneven(shape),
        random(channels),
        random(channels),
        random(shape),
    ];
    let data = data.each_ref().map(Vec::as_slice);
    let statistics = |device: Device| {
        let x = Tensor::<1>::from_floats(data[0], &device).reshape(shape);
        let gamma = Tensor::<1>::from_floats(data[1], &device);
        let result = kernels::batch_norm_train(x, gamma.clone(), gamma, 1e-5);
        [values(result.mean), values(result.variance)]
    };
    let [mean, variance] = statistics(Device::flex());
    let [want_mean, want_variance] = statistics(reference());
    assert_close("mean", &mean, &want_mean);
    assert_close("variance", &variance, &want_variance);

    assert_all_close(
        results(Device::flex(), data, shape, channels, |x, gamma, beta| {
            kernels::batch_norm_train(x, gamma, beta, 1e-5).output
        }),
        results(reference(), data, shape, channels, |x, gamma, beta| {
            module::batch_norm_train(x, gamma, beta, 1e-5).output
        }),
    );
    let given = |x: &Tensor<D>| {
        let mean = Tensor::from_floats(mean.as_slice(), &x.device());
        (
            mean,
            Tensor::from_floats(variance.as_slice(), &x.device()) + 0.5,
        )
    };
    assert_all_close(
        results(Device::flex(), data, shape, channels, |x, gamma, beta| {
            let (mean, variance) = given(&x);
            kernels::batch_norm(x, gamma, beta, mean, variance, 1e-3)
        }),
        results(reference(), data, shape, channels, |x, gamma, beta| {
            let (mean, variance) = given(&x);
            module::batch_norm(x, gamma, beta, mean, variance, 1e-3)
        }),
    );
}

/// Batch normalisation with a leaky rectifier in the same pass, against one after the other.
fn check_rectified<const D: usize>(shape: [usize; D], slope: f64) {
    let channels = [shape[1]];
    let data = [
        uneven(shape),
        random(channels),
        random(channels),
        random(shape),
    ];
    let data = data.each_ref().map(Vec::as_slice);
    let compare = |training: bool| {
        let given = |x: &Tensor<D>, value| Tensor::<1>::full([shape[1]], value, &x.device());
        assert_all_close(
            results(Device::flex(), data, shape, channels, |x, gamma, beta| {
                let (mean, variance) = (given(&x, 0.5), given(&x, 2.0));
                if training {
                    kernels::batch_norm_train_leaky_relu(x, gamma, beta, 1e-5, slope).output
                } else {
                    kernels::batch_norm_leaky_relu(x, gamma, beta, mean, variance, 1e-5, slope)
                }
            }),
            results(reference(), data, shape, channels, |x, gamma, beta| {
                let (mean, variance) = (given(&x, 0.5), given(&x, 2.0));
                let y = if training {
                    module::batch_norm_train(x, gamma, beta, 1e-5).output
                } else {
                    module::batch_norm(x, gamma, beta, mean, variance, 1e-5)
                };
                burn::tensor::activation::leaky_relu(y, slope)
            }),
        );
    };
    compare(true);
    compare(false);
}

/// Layer normalisation over the last axes, against Burn's over one flat axis.
fn check_layer_norm<const D: usize, const N: usize>(shape: [usize; D], normalised: [usize; N]) {
    let data = [
        random(shape).iter().map(|v| v * 2.0 + 1.0).collect(),
        random(normalised),
        random(normalised),
        random(shape),
    ];
    let data = data.each_ref().map(Vec::as_slice);
    let width: usize = normalised.iter().product();
    assert_all_close(
        results(Device::flex(), data, shape, normalised, |x, gamma, beta| {
            kernels::layer_norm(x, gamma, Some(beta), 1e-5)
        }),
        results(reference(), data, shape, normalised, |x, gamma, beta| {
            let x = x.flatten::<1>(0, D - 1).reshape([-1, width as i32]);
            let (gamma, beta) = (gamma.reshape([width]), beta.reshape([width]));
            module::layer_norm::<2>(x, gamma, Some(beta), 1e-5).reshape(shape)
        }),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn batch_norm_of_images_is_burns(shape in [2..9usize, 1..40usize, 1..20usize, 1..20usize]) {
        check_batch_norm(shape);
    }

    #[test]
    fn batch_norm_of_rows_is_burns(shape in [2..300usize, 1..90usize]) {
        check_batch_norm(shape);
    }

    #[test]
    fn batch_norm_of_sequences_is_burns(shape in [1..6usize, 1..20usize, 2..60usize]) {
        check_batch_norm(shape);
    }

    #[test]
    fn batch_norm_with_a_rectifier_is_burns(
        shape in [2..9usize, 1..40usize, 1..9usize, 1..20usize],
        slope in prop::sample::select(vec![0.0, 0.01, 0.1]),
    ) {
        check_rectified(shape, slope);
    }

    #[test]
    fn layer_norm_of_rows_is_burns(shape in [1..40usize, 1..9usize, 2..200usize]) {
        check_layer_norm(shape, [shape[2]]);
    }

    #[test]
    fn layer_norm_of_blocks_is_burns(shape in [1..5usize, 1..9usize, 2..20usize, 1..20usize]) {
        check_layer_norm(shape, [shape[1], shape[2], shape[3]]);
        check_layer_norm(shape, [shape[2], shape[3]]);
    }
}

/// More than one block of channels, planes of several pieces, more rows than are summed up at once.
#[test]
fn normalisation_of_larger_sizes_is_burns() {
    check_batch_norm([16, 32, 28, 28]);
    check_batch_norm([128, 40, 7, 7]);
    check_batch_norm([3, 5, 64, 64]);
    check_batch_norm([700, 130]);
    check_layer_norm([20, 16, 28, 28], [16, 28, 28]);
    check_layer_norm([700, 3, 40], [40]);
}

/// Far from zero the squares must not cancel; an outlier must not spoil the first guess of the mean.
#[test]
fn batch_statistics_are_exact_far_from_zero() {
    let shape = [256, 3, 10, 10];
    let mut x = random(shape);
    for (i, v) in x.iter_mut().enumerate() {
        *v += [0.0, 1000.0, 0.0][i / 100 % 3];
    }
    x[200] = 1e4;
    let result = {
        let x = Tensor::<1>::from_floats(x.as_slice(), &Device::flex()).reshape(shape);
        let one = Tensor::ones([3], &Device::flex());
        kernels::batch_norm_train(x, one.clone(), one, 1e-5)
    };
    let (mean, variance) = (values(result.mean), values(result.variance));
    for c in 0..3 {
        let channel = |i: &usize| i / 100 % 3 == c;
        let x: Vec<f64> = (0..x.len())
            .filter(channel)
            .map(|i| f64::from(x[i]))
            .collect();
        let count = x.len() as f64;
        let want_mean = x.iter().sum::<f64>() / count;
        let want = x.iter().map(|v| (v - want_mean).powi(2)).sum::<f64>() / count;
        let error = (f64::from(mean[c]) - want_mean).abs();
        assert!(
            error < 1e-6 * (want_mean.abs() + want.sqrt()),
            "{} {want_mean}",
            mean[c]
        );
        assert!(
            (f64::from(variance[c]) / want - 1.0).abs() < 1e-5,
            "{} {want}",
            variance[c]
        );
    }
}

#[test]
fn one_example_has_no_deviation() {
    check_batch_norm([1, 7]);
    check_batch_norm([1, 3, 4, 4]);
    check_layer_norm([1, 1, 1], [1]);
    let device = Device::flex().autodiff();
    let layer = nn::BatchNormConfig::new(7).init(&device);
    let y = layer.forward(Tensor::<2>::ones([1, 7], &device));
    assert_eq!(values(y), [0.0; 7]);
    assert_eq!(values(layer.running_var.value_sync()), [1.0; 7]);
    assert_eq!(values(layer.running_mean.value_sync()), [0.0; 7]);
}

#[test]
fn empty_batches_stay_empty() {
    let device = Device::flex().autodiff();
    let norm = nn::BatchNormConfig::new(3).init(&device);
    let x = Tensor::<4>::zeros([0, 3, 4, 4], &device).require_grad();
    let grads = norm.forward(x.clone()).sum().backward();
    assert_eq!(x.grad(&grads).unwrap().dims(), [0, 3, 4, 4]);
    assert_eq!(values(norm.gamma.val().grad(&grads).unwrap()), [0.0; 3]);
    assert_eq!(values(norm.running_var.value_sync()), [1.0; 3]);

    let norm = nn::LayerNormConfig::over([3, 4, 4]).init(&device);
    let grads = norm.forward(x.clone()).sum().backward();
    assert_eq!(x.grad(&grads).unwrap().dims(), [0, 3, 4, 4]);
    assert_eq!(values(norm.gamma.val().grad(&grads).unwrap()), [0.0; 48]);

    let y = kernels::avg_pool2d(x.clone(), AvgPoolOptions::new([2, 2]));
    assert_eq!(y.dims(), [0, 3, 2, 2]);
    let grads = y.sum().backward();
    assert_eq!(x.grad(&grads).unwrap().dims(), [0, 3, 4, 4]);
    assert_eq!(kernels::global_avg_pool(x).dims(), [0, 3]);
}

/// A view has no slice of values in order; a gradient may be one too.
#[test]
fn normalisation_of_views_is_burns() {
    let shape = [4, 6, 5, 3];
    let data = [
        random(shape),
        random([5]),
        random([5]),
        random([4, 5, 3, 6]),
    ];
    let data = data.each_ref().map(Vec::as_slice);
    let view = |x: Tensor<4>| x.permute([0, 2, 1, 3]); // [4, 5, 6, 3]
    let back = |y: Tensor<4>| y.permute([0, 1, 3, 2]); // [4, 5, 3, 6]
    assert_all_close(
        results(Device::flex(), data, shape, [5], |x, gamma, beta| {
            back(kernels::batch_norm_train(view(x), gamma, beta, 1e-5).output)
        }),
        results(reference(), data, shape, [5], |x, gamma, beta| {
            back(module::batch_norm_train(view(x), gamma, beta, 1e-5).output)
        }),
    );
    let data = [data[0], &data[0][..3], &data[0][3..6], data[3]];
    assert_all_close(
        results(Device::flex(), data, shape, [3], |x, gamma, beta| {
            back(kernels::layer_norm(view(x), gamma, Some(beta), 1e-5))
        }),
        results(reference(), data, shape, [3], |x, gamma, beta| {
            back(module::layer_norm(view(x), gamma, Some(beta), 1e-5))
        }),
    );
}

#[test]
fn normalisation_gives_the_same_numbers_each_time() {
    let shape = [64, 24, 13, 13];
    let data = [uneven(shape), random([24]), random([24]), random(shape)];
    let data = data.each_ref().map(Vec::as_slice);
    let run = || {
        results(Device::flex(), data, shape, [24], |x, gamma, beta| {
            let y = kernels::batch_norm_train(x, gamma, beta, 1e-5).output;
            kernels::layer_norm::<4, 1>(
                y,
                Tensor::ones([13], &Device::flex().autodiff()),
                None,
                1e-5,
            )
        })
    };
    let first = run();
    for _ in 0..10 {
        assert_eq!(run(), first);
    }
}

#[test]
fn what_is_not_a_number_spoils_its_channel_only() {
    let device = Device::flex();
    let mut x = random([2, 3, 4, 4]);
    x[20] = f32::NAN;
    let x = Tensor::<1>::from_floats(x.as_slice(), &device).reshape([2, 3, 4, 4]);
    let one = Tensor::ones([3], &device);
    let y = values(kernels::batch_norm_train(x, one.clone(), one, 1e-5).output);
    for (i, v) in y.iter().enumerate() {
        assert_eq!(v.is_nan(), i / 16 % 3 == 1, "{i}");
    }
}

#[test]
#[should_panic(expected = "axis 1 expected 3, got 4")]
fn batch_norm_of_the_wrong_channels_fails_as_burns() {
    let device = Device::flex();
    let layer = nn::BatchNormConfig::new(3).init(&device);
    layer.forward(Tensor::<3>::zeros([1, 4, 2], &device));
}

#[test]
#[should_panic(expected = "layer norm over [3, 4] does not fit a tensor of shape [2, 4, 3]")]
fn layer_norm_of_the_wrong_shape_fails() {
    let device = Device::flex();
    let layer = nn::LayerNormConfig::over([3, 4]).init(&device);
    layer.forward(Tensor::<3>::zeros([2, 4, 3], &device));
}

/// Output and gradient of a pool, its output weighted by numbers that differ.
fn pool_results<const D: usize, const R: usize>(
    device: Device,
    x: &[f32],
    shape: [usize; D],
    f: impl Fn(Tensor<D>) -> Tensor<R>,
) -> [Vec<f32>; 2] {
    let device = device.autodiff();
    let x = leaf(x, shape, &device);
    let y = f(x.clone());
    let grads = y.clone().powi_scalar(2).sum().backward();
    [values(y), values(x.grad(&grads).unwrap())]
}

fn assert_same_pool<const D: usize, const R: usize>(
    shape: [usize; D],
    ours: impl Fn(Tensor<D>) -> Tensor<R>,
    theirs: impl Fn(Tensor<D>) -> Tensor<R>,
) {
    let x = random(shape);
    let ours = pool_results(Device::flex(), &x, shape, ours);
    let theirs = pool_results(reference(), &x, shape, theirs);
    assert_close("output", &ours[0], &theirs[0]);
    assert_close("gradient", &ours[1], &theirs[1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn avg_pool2d_is_burns(
        (shape, kernel, stride) in (
            [1..3usize, 1..4usize, 1..20usize, 1..40usize],
            [1..5usize, 1..5usize],
            [1..4usize, 1..4usize],
        ),
        padding in [0..3usize, 0..3usize],
        count in any::<bool>(),
    ) {
        let padding = [padding[0].min(kernel[0] / 2), padding[1].min(kernel[1] / 2)];
        prop_assume!((0..2).all(|i| shape[2 + i] + 2 * padding[i] >= kernel[i]));
        let options = AvgPoolOptions::new(kernel)
            .with_stride(stride)
            .with_padding(padding)
            .with_count_include_pad(count);
        assert_same_pool(
            shape,
            |x| kernels::avg_pool2d(x, options.clone()),
            |x| module::avg_pool2d(x, options.clone()),
        );
    }

    #[test]
    fn avg_pool1d_is_burns(shape in [1..4usize, 1..6usize, 3..60usize], kernel in 1..4usize, stride in 1..4usize) {
        let options = AvgPoolOptions::new([kernel]).with_stride([stride]);
        assert_same_pool(
            shape,
            |x| kernels::avg_pool1d(x, options.clone()),
            |x| module::avg_pool1d(x, options.clone()),
        );
    }

    #[test]
    fn adaptive_avg_pools_are_burns(shape in [1..4usize, 1..6usize, 1..30usize, 1..30usize], size in [1..9usize, 1..9usize]) {
        assert_same_pool(
            shape,
            |x| kernels::adaptive_avg_pool2d(x, size),
            |x| module::adaptive_avg_pool2d(x, size),
        );
        let [batch, channels, height, width] = shape;
        let rows = [batch, channels, height * width];
        assert_same_pool(
            rows,
            |x| kernels::adaptive_avg_pool1d(x, size[0]),
            |x| module::adaptive_avg_pool1d(x, size[0]),
        );
        assert_same_pool(
            shape,
            kernels::global_avg_pool,
            |x| x.flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2),
        );
    }
}

/// Windows that the kernels leave to Burn: beyond the image, or of nothing but padding.
#[test]
fn unusual_average_pools_are_burns() {
    let ceil = AvgPoolOptions::new([2, 2]).with_ceil_mode(true);
    let outside = AvgPoolOptions::new([2, 2])
        .with_stride([1, 1])
        .with_padding_pairs([(2, 0), (0, 1)]);
    for options in [ceil, outside] {
        assert_same_pool(
            [2, 3, 5, 5],
            |x| kernels::avg_pool2d(x, options.clone()),
            |x| module::avg_pool2d(x, options.clone()),
        );
    }
}

/// Layers have Burn's records, defaults and names.
#[test]
fn layers_are_burns() {
    let device = Device::flex();
    let x = |shape: [usize; 4]| {
        Tensor::<1>::from_floats(random(shape).as_slice(), &device).reshape(shape)
    };

    let slow = slow::BatchNormConfig::new(5).init(&device);
    let fast = nn::BatchNormConfig::new(5).init(&device);
    assert_eq!(fast.to_string(), slow.to_string());
    let fast = fast.load_record(slow.clone().into_record());
    let images = x([2, 5, 3, 3]);
    let (ours, theirs) = (fast.forward(images.clone()), slow.forward(images));
    assert_close("batch norm", &values(ours), &values(theirs));

    let slow = slow::LayerNormConfig::new(6)
        .with_epsilon(1e-3)
        .with_bias(false)
        .init(&device);
    let fast = nn::LayerNormConfig::new(6)
        .with_epsilon(1e-3)
        .with_bias(false)
        .init(&device);
    assert_eq!(fast.to_string(), slow.to_string());
    let fast = fast.load_record(slow.clone().into_record());
    let images = x([2, 5, 3, 6]);
    let (ours, theirs) = (fast.forward(images.clone()), slow.forward(images));
    assert_close("layer norm", &values(ours), &values(theirs));

    for padding in [
        slow::PaddingConfig2d::Valid,
        slow::PaddingConfig2d::Same,
        slow::PaddingConfig2d::Explicit(1, 0, 0, 1),
    ] {
        let slow = slow::pool::AvgPool2dConfig::new([3, 2])
            .with_padding(padding.clone())
            .init();
        let fast = nn::pool::AvgPool2dConfig::new([3, 2])
            .with_padding(padding)
            .init();
        assert_eq!(fast.to_string(), slow.to_string());
        let images = x([2, 3, 7, 8]);
        let (ours, theirs) = (fast.forward(images.clone()), slow.forward(images));
        assert_eq!(ours.dims(), theirs.dims());
        assert_close("average pool", &values(ours), &values(theirs));
    }
    for padding in [
        slow::PaddingConfig1d::Same,
        slow::PaddingConfig1d::Explicit(1, 0),
    ] {
        let slow = slow::pool::AvgPool1dConfig::new(2)
            .with_stride(1)
            .with_padding(padding.clone())
            .init();
        let fast = nn::pool::AvgPool1dConfig::new(2)
            .with_stride(1)
            .with_padding(padding)
            .init();
        assert_eq!(fast.to_string(), slow.to_string());
        let rows = x([2, 3, 1, 8]).squeeze_dim::<3>(2);
        let (ours, theirs) = (fast.forward(rows.clone()), slow.forward(rows));
        assert_close("average pool", &values(ours), &values(theirs));
    }
    let slow = slow::pool::AdaptiveAvgPool2dConfig::new([2, 3]).init();
    let fast = nn::pool::AdaptiveAvgPool2dConfig::new([2, 3]).init();
    assert_eq!(fast.to_string(), slow.to_string());
    let slow = slow::pool::AdaptiveAvgPool1dConfig::new(2).init();
    let fast = nn::pool::AdaptiveAvgPool1dConfig::new(2).init();
    assert_eq!(fast.to_string(), slow.to_string());
}

/// With a rectifier a layer gives the same values, on every device, and keeps the same statistics.
#[test]
fn layers_with_a_rectifier_are_both_layers() {
    for device in devices() {
        let layers = [(); 2].map(|()| nn::BatchNormConfig::new(3).init(&device));
        let x = Tensor::<1>::from_floats(random([48]).as_slice(), &device).reshape([4, 3, 4]);
        let once = layers[0].forward_leaky_relu(x.clone(), 0.1);
        let twice = kernels::leaky_relu(layers[1].forward(x.clone()), 0.1);
        assert_close("training", &values(once), &values(twice));
        let [once, twice] = layers
            .each_ref()
            .map(|l| values(l.running_var.value_sync()));
        assert_close("running", &once, &twice);
        let once = layers[0]
            .clone()
            .freeze()
            .forward_leaky_relu(x.clone(), 0.0);
        let twice = kernels::relu(layers[1].clone().freeze().forward(x));
        assert_close("evaluation", &values(once), &values(twice));
    }
}

/// A frozen layer neither uses nor changes the statistics of the batch.
#[test]
fn frozen_batch_norm_keeps_its_statistics() {
    let device = Device::flex().autodiff();
    let layer = nn::BatchNormConfig::new(3).init(&device).freeze();
    let x = Tensor::<1>::from_floats(random([24]).as_slice(), &device).reshape([8, 3]);
    let y = layer.forward(x.clone());
    assert_close("output", &values(y), &values(x / (1.0f64 + 1e-5).sqrt()));
    assert_eq!(values(layer.running_mean.value_sync()), [0.0; 3]);
}

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read("tests/kernels_norm/golden.json").unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn shape<const D: usize>(value: &Value) -> [usize; D] {
    let list = value.as_array().expect("a shape");
    std::array::from_fn(|i| list[i].as_u64().unwrap() as usize)
}

/// A device with the kernels, and one without.
fn devices() -> [Device; 2] {
    [Device::flex().autodiff(), reference().autodiff()]
}

/// Three steps of training with running statistics, then evaluation.
fn check_golden_batch_norm<const D: usize>(case: &Value, device: &Device) {
    let shape: [usize; D] = shape(&case["shape"]);
    let mut layer = nn::BatchNormConfig::new(3).init(device);
    let param = |value: &Value| {
        burn::module::Param::from_tensor(Tensor::from_floats(floats(value).as_slice(), device))
    };
    layer.gamma = param(&case["gamma"]);
    layer.beta = param(&case["beta"]);
    let mut weighting = Vec::new();
    for step in case["steps"].as_array().unwrap() {
        weighting = floats(&step["weighting"]);
        check_golden_step(&layer, step, shape, &weighting, device);
        for (running, want) in [&layer.running_mean, &layer.running_var]
            .into_iter()
            .zip(step["running"].as_array().unwrap())
        {
            assert_close("running", &values(running.value_sync()), &floats(want));
        }
    }
    let evaluation = &case["evaluation"];
    check_golden_step(
        &layer.clone().freeze(),
        &unweighted(evaluation),
        shape,
        &weighting,
        device,
    );
    let plain = layer.valid();
    let x = floats(&evaluation["x"]);
    let x =
        Tensor::<1>::from_floats(x.as_slice(), &device.clone().without_autodiff()).reshape(shape);
    assert_close(
        "evaluation",
        &values(plain.forward(x)),
        &floats(&evaluation["y"]),
    );
}

/// Of a frozen layer only the gradient of the input.
fn unweighted(evaluation: &Value) -> Value {
    let mut evaluation = evaluation.clone();
    evaluation["gradients"].as_array_mut().unwrap().truncate(1);
    evaluation
}

fn check_golden_step<const D: usize>(
    layer: &nn::BatchNorm,
    step: &Value,
    shape: [usize; D],
    weighting: &[f32],
    device: &Device,
) {
    let x = leaf(&floats(&step["x"]), shape, device);
    let y = layer.forward(x.clone());
    let weighting = Tensor::<1>::from_floats(weighting, device).reshape(shape);
    let grads = (y.clone() * weighting).sum().backward();
    assert_close("output", &values(y), &floats(&step["y"]));
    let want = step["gradients"].as_array().unwrap();
    assert_close("input", &values(x.grad(&grads).unwrap()), &floats(&want[0]));
    for (param, want) in [&layer.gamma, &layer.beta].into_iter().zip(&want[1..]) {
        assert_close(
            "parameter",
            &values(param.val().grad(&grads).unwrap()),
            &floats(want),
        );
    }
}

#[test]
fn batch_norm_is_pytorchs() {
    let golden = golden();
    let cases = golden["batch_norm"].as_array().unwrap();
    for device in devices() {
        check_golden_batch_norm::<2>(&cases[0], &device);
        check_golden_batch_norm::<3>(&cases[1], &device);
        check_golden_batch_norm::<4>(&cases[2], &device);
    }
}

#[test]
fn layer_norm_over_blocks_is_pytorchs() {
    let case = &golden()["layer_norm"];
    let shape: [usize; 4] = shape(&case["shape"]);
    let normalised = [shape[1], shape[2], shape[3]];
    let epsilon = case["epsilon"].as_f64().unwrap();
    let data = ["x", "gamma", "beta", "weighting"].map(|name| floats(&case[name]));
    let gradients = case["gradients"].as_array().unwrap();
    let want = || {
        let [x, gamma, beta] = [0, 1, 2].map(|i| floats(&gradients[i]));
        [floats(&case["y"]), x, gamma, beta]
    };
    for device in [Device::flex(), reference()] {
        let data = data.each_ref().map(Vec::as_slice);
        let found = results(device, data, shape, normalised, |x, gamma, beta| {
            kernels::layer_norm(x, gamma, Some(beta), epsilon)
        });
        assert_all_close(found, want());
    }
}

#[test]
fn average_pools_are_pytorchs() {
    let golden = golden();
    let pools = &golden["pools"];
    let shape: [usize; 4] = shape(&pools["shape"]);
    let padded = AvgPoolOptions::new([3, 3])
        .with_stride([2, 2])
        .with_padding([1, 1]);
    let inner = padded.clone().with_count_include_pad(false);
    for (name, case) in pools["kinds"].as_object().unwrap() {
        let pool = |x: Tensor<4>| match name.as_str() {
            "halving" => kernels::avg_pool2d(x, AvgPoolOptions::new([2, 2])),
            "padded" => kernels::avg_pool2d(x, padded.clone()),
            "padding not counted" => kernels::avg_pool2d(x, inner.clone()),
            "adaptive" => kernels::adaptive_avg_pool2d(x, [2, 3]),
            "global" => kernels::global_avg_pool(x).reshape([1, 1, 1, 1]),
            other => panic!("no pool called {other}"),
        };
        let [y, gradient] = pool_results(Device::flex(), &floats(&pools["x"]), shape, pool);
        assert_close(name, &y, &floats(&case["y"]));
        assert_close(name, &gradient, &floats(&case["gradient"]));
    }
}
