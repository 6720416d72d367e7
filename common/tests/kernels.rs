//! Every kernel against Burn's own operation on the ndarray backend: values and all gradients.

use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Distribution, Tensor, module};
use common::kernels;
use proptest::prelude::*;

/// Largest difference, relative to the largest value.
const TOLERANCE: f32 = 1e-4;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The device whose operations are the reference: an implementation of its own, independent of Flex.
#[allow(deprecated)]
fn reference() -> Device {
    Device::ndarray()
}

fn assert_close(name: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{name}: number of values");
    let finite = theirs.iter().filter(|v| v.is_finite());
    let scale = finite.fold(1e-2f32, |m, v| m.max(v.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        // Written so that a NaN fails. Equal infinities (a pooling window of nothing but padding) have no difference.
        assert!(
            a == b || (a - b).abs() <= TOLERANCE * scale,
            "{name}[{i}]: {a} instead of {b} (largest {scale})"
        );
    }
}

fn random<const D: usize>(shape: [usize; D]) -> Vec<f32> {
    values(Tensor::<D>::random(
        shape,
        Distribution::Uniform(-1.0, 1.0),
        &Device::flex(),
    ))
}

fn leaf<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<1>::from_floats(values, device)
        .reshape(shape)
        .detach()
        .require_grad()
}

/// A convolution to test.
#[derive(Debug, Clone)]
struct Case {
    input: [usize; 4],
    weight: [usize; 4],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
    dilation: [usize; 2],
    bias: bool,
}

impl Case {
    fn options(&self) -> ConvOptions<2> {
        ConvOptions::new_with_padding(self.stride, self.padding, self.dilation, 1)
    }

    fn fits(&self) -> bool {
        (0..2).all(|i| {
            self.input[2 + i] + self.padding[i].0 + self.padding[i].1
                > self.dilation[i] * (self.weight[2 + i] - 1)
        })
    }
}

fn case() -> impl Strategy<Value = Case> {
    let pair = |max: usize| (0..=max, 0..=max);
    (
        (1..4usize, 1..8usize, 1..24usize, 1..24usize),
        (1..20usize, 1..5usize, 1..5usize),
        [1..4usize, 1..4usize],
        [pair(3), pair(3)],
        [1..3usize, 1..3usize],
        any::<bool>(),
    )
        .prop_map(
            |((b, c, h, w), (f, kh, kw), stride, padding, dilation, bias)| Case {
                input: [b, c, h, w],
                weight: [f, c, kh, kw],
                stride,
                padding,
                dilation,
                bias,
            },
        )
        .prop_filter("the window fits", Case::fits)
}

/// Output and gradients (input, weight, bias) of a convolution whose output is weighted by random numbers.
fn conv_results(
    case: &Case,
    device: &Device,
    [x, w, b, weighting]: [&[f32]; 4],
    conv: impl Fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, ConvOptions<2>) -> Tensor<4>,
) -> Vec<Vec<f32>> {
    let device = device.clone().autodiff();
    let x = leaf(x, case.input, &device);
    let w = leaf(w, case.weight, &device);
    let b = case.bias.then(|| leaf(b, [case.weight[0]], &device));
    let out = conv(x.clone(), w.clone(), b.clone(), case.options());
    let shape = out.dims();
    let weighting =
        Tensor::<1>::from_floats(&weighting[..shape.iter().product()], &device).reshape(shape);
    let grads = (out.clone() * weighting).sum().backward();
    let mut results = vec![
        values(out),
        values(x.grad(&grads).unwrap()),
        values(w.grad(&grads).unwrap()),
    ];
    results.extend(b.map(|b| values(b.grad(&grads).unwrap())));
    results
}

fn check_conv(case: &Case) {
    let [x, w] = [random(case.input), random(case.weight)];
    let b = random([case.weight[0]]);
    let weighting = random([case.input[0], case.weight[0], 40, 40]);
    let data = [x.as_slice(), &w, &b, &weighting];
    let ours = conv_results(case, &Device::flex(), data, kernels::conv2d);
    let theirs = conv_results(case, &reference(), data, module::conv2d);
    for (name, (ours, theirs)) in ["output", "input", "weight", "bias"]
        .into_iter()
        .zip(ours.iter().zip(&theirs))
    {
        assert_close(name, ours, theirs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn conv2d_is_burns(case in case()) {
        check_conv(&case);
    }
}

/// Many filters and channels, and images in several blocks of rows: more than one tile in every direction.
#[test]
fn conv2d_of_larger_sizes_is_burns() {
    let same = [(1, 1), (1, 1)];
    for (input, weight, stride) in [
        ([2, 16, 28, 28], [16, 16, 3, 3], [1, 1]),
        ([9, 33, 14, 14], [37, 33, 3, 3], [1, 1]),
        ([1, 64, 40, 40], [20, 64, 3, 3], [1, 1]),
        ([2, 48, 39, 39], [24, 48, 3, 3], [2, 2]),
    ] {
        check_conv(&Case {
            input,
            weight,
            stride,
            padding: same,
            dilation: [1, 1],
            bias: true,
        });
    }
}

#[test]
fn conv2d_of_an_empty_batch_is_empty() {
    let device = Device::flex().autodiff();
    let w = leaf(&random([4, 3, 3, 3]), [4, 3, 3, 3], &device);
    let x = Tensor::<4>::zeros([0, 3, 8, 8], &device).require_grad();
    let out = kernels::conv2d(
        x.clone(),
        w.clone(),
        None,
        ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
    );
    assert_eq!(out.dims(), [0, 4, 8, 8]);
    let grads = out.sum().backward();
    assert_eq!(x.grad(&grads).unwrap().dims(), [0, 3, 8, 8]);
    assert_eq!(values(w.grad(&grads).unwrap()), vec![0.0; 108]);
}

/// A view (here a transposed one) has no slice of values in order.
#[test]
fn conv2d_of_a_view_is_burns() {
    let (x, w) = (random([2, 9, 3, 7]), random([5, 3, 3, 3]));
    let run =
        |device: &Device,
         conv: fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, ConvOptions<2>) -> Tensor<4>| {
            let x = Tensor::<1>::from_floats(x.as_slice(), device)
                .reshape([2, 9, 3, 7])
                .swap_dims(1, 2);
            let w = Tensor::<1>::from_floats(w.as_slice(), device)
                .reshape([5, 3, 3, 3])
                .swap_dims(2, 3);
            values(conv(
                x,
                w,
                None,
                ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
            ))
        };
    let theirs = run(&reference(), module::conv2d);
    assert_close("output", &run(&Device::flex(), kernels::conv2d), &theirs);
}

/// The first layer: its input is data, only the weights learn.
#[test]
fn conv2d_of_untracked_input_has_weight_gradients() {
    let (x, w) = (random([3, 1, 9, 9]), random([4, 1, 3, 3]));
    let run = |device: Device, conv: fn(Tensor<4>, Tensor<4>) -> Tensor<4>| {
        let device = device.autodiff();
        let x = Tensor::<1>::from_floats(x.as_slice(), &device).reshape([3, 1, 9, 9]);
        let w = leaf(&w, [4, 1, 3, 3], &device);
        let grads = conv(x.clone(), w.clone()).powi_scalar(2).sum().backward();
        assert!(x.grad(&grads).is_none());
        values(w.grad(&grads).unwrap())
    };
    let ours = run(Device::flex(), |x, w| {
        kernels::conv2d(x, w, None, ConvOptions::new([1, 1], [0, 0], [1, 1], 1))
    });
    let theirs = run(reference(), |x, w| {
        module::conv2d(x, w, None, ConvOptions::new([1, 1], [0, 0], [1, 1], 1))
    });
    assert_close("weight", &ours, &theirs);
}

/// Groups are Burn's own operation, on every device.
#[test]
fn conv2d_with_groups_is_burns() {
    let (x, w) = (random([2, 4, 6, 6]), random([8, 2, 3, 3]));
    let run = |device: &Device| {
        let x = Tensor::<1>::from_floats(x.as_slice(), device).reshape([2, 4, 6, 6]);
        let w = Tensor::<1>::from_floats(w.as_slice(), device).reshape([8, 2, 3, 3]);
        values(kernels::conv2d(
            x,
            w,
            None,
            ConvOptions::new([1, 1], [1, 1], [1, 1], 2),
        ))
    };
    assert_close("output", &run(&Device::flex()), &run(&reference()));
}

#[test]
#[should_panic(
    expected = "Number of channels in input tensor and input channels of convolution must be equal"
)]
fn conv2d_with_the_wrong_channels_fails_as_burns() {
    let device = Device::flex();
    let (x, w) = (
        Tensor::<4>::zeros([1, 4, 8, 8], &device),
        Tensor::<4>::zeros([2, 5, 3, 3], &device),
    );
    kernels::conv2d(x, w, None, ConvOptions::new([1, 1], [0, 0], [1, 1], 1));
}

/// Partial sums are added in a fixed order, whichever thread is first.
#[test]
fn conv2d_gives_the_same_numbers_each_time() {
    let case = Case {
        input: [32, 8, 15, 15],
        weight: [12, 8, 3, 3],
        stride: [1, 1],
        padding: [(1, 1), (1, 1)],
        dilation: [1, 1],
        bias: true,
    };
    let (x, w, b, weighting) = (
        random(case.input),
        random(case.weight),
        random([12]),
        random([32, 12, 15, 15]),
    );
    let run = || {
        conv_results(
            &case,
            &Device::flex(),
            [&x, &w, &b, &weighting],
            kernels::conv2d,
        )
    };
    let first = run();
    for _ in 0..20 {
        assert_eq!(run(), first);
    }
}

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
    use burn::nn::{PaddingConfig2d, conv as slow};
    use common::nn::conv as fast;

    #[test]
    fn conv2d_starts_from_burns_weights_and_computes_the_same() {
        let device = Device::flex();
        for padding in [
            PaddingConfig2d::Valid,
            PaddingConfig2d::Same,
            PaddingConfig2d::Explicit(1, 0, 2, 3),
        ] {
            let slow = slow::Conv2dConfig::new([3, 5], [4, 2])
                .with_stride([2, 1])
                .with_padding(padding.clone());
            let fast = fast::Conv2dConfig::new([3, 5], [4, 2])
                .with_stride([2, 1])
                .with_padding(padding);
            let slow = slow.init(&device);
            assert_eq!(fast.init(&device).num_params(), slow.num_params());
            let fast = fast.init(&device).load_record(slow.clone().into_record());
            let x = Tensor::<1>::from_floats(random([2 * 3 * 9 * 8]).as_slice(), &device)
                .reshape([2, 3, 9, 8]);
            let theirs = slow.forward(x.clone());
            let ours = fast.forward(x);
            assert_eq!(ours.dims(), theirs.dims());
            assert_close("output", &values(ours), &values(theirs));
            assert_eq!(fast.to_string(), slow.to_string());
        }
    }

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

    /// PyTorch's `nn.Conv2d`: U(-k, k), k = 1 / sqrt(fan in), for weight and bias.
    #[test]
    fn conv2d_starts_in_pytorchs_range() {
        let layer = fast::Conv2dConfig::new([8, 64], [3, 3]).init(&Device::flex());
        let k = 1.0 / (8.0f32 * 9.0).sqrt();
        let weight = values(layer.weight.val());
        let bias = values(layer.bias.as_ref().unwrap().val());
        assert!(weight.iter().chain(&bias).all(|v| v.abs() <= k));
        let variance = weight.iter().map(|v| v * v).sum::<f32>() / weight.len() as f32;
        assert!((variance / (k * k / 3.0) - 1.0).abs() < 0.1, "{variance}");
    }
}
