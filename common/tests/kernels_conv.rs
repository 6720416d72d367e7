//! Convolutions on Flex against Burn's own operations on the ndarray backend, and against PyTorch.
//!
//! PyTorch's numbers are in `kernels_conv/golden.json`, written by `kernels_conv/make_golden.py`.

mod kernel_setup;

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor, module};
use common::kernels;
use common::seed::mix;
use kernel_setup::{TOLERANCE, assert_close, leaf, random, reference, values};
use proptest::prelude::*;

/// A convolution to test, plain or transposed.
#[derive(Debug, Clone)]
struct Case {
    transposed: bool,
    input: [usize; 4],
    /// Channels out.
    filters: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Before and after each axis; a transposed convolution has the same on both sides.
    padding: [(usize, usize); 2],
    padding_out: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
    bias: bool,
}

impl Case {
    /// A convolution of stride 1 without padding.
    fn plain(input: [usize; 4], filters: usize, kernel: [usize; 2]) -> Self {
        Self {
            transposed: false,
            input,
            filters,
            kernel,
            stride: [1, 1],
            padding: [(0, 0); 2],
            padding_out: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    fn weight(&self) -> [usize; 4] {
        let [rows, cols] = self.kernel;
        if self.transposed {
            [self.input[1], self.filters / self.groups, rows, cols]
        } else {
            [self.filters, self.input[1] / self.groups, rows, cols]
        }
    }

    /// Whether the output has at least one row and one column.
    fn fits(&self) -> bool {
        (0..2).all(|i| {
            let (before, after) = self.padding[i];
            let window = self.dilation[i] * (self.kernel[i] - 1);
            if self.transposed {
                (self.input[2 + i] - 1) * self.stride[i] + window + self.padding_out[i]
                    >= before + after
            } else {
                self.input[2 + i] + before + after > window
            }
        })
    }

    /// The kernel's result.
    fn ours(&self, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        if self.transposed {
            kernels::conv_transpose2d(x, weight, bias, self.transpose_options())
        } else {
            kernels::conv2d(x, weight, bias, self.options())
        }
    }

    /// The result of Burn's operation.
    fn theirs(&self, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        if self.transposed {
            module::conv_transpose2d(x, weight, bias, self.transpose_options())
        } else {
            module::conv2d(x, weight, bias, self.options())
        }
    }

    fn options(&self) -> ConvOptions<2> {
        ConvOptions::new_with_padding(self.stride, self.padding, self.dilation, self.groups)
    }

    fn transpose_options(&self) -> ConvTransposeOptions<2> {
        let padding = self.padding.map(|p| p.0);
        ConvTransposeOptions::new(
            self.stride,
            padding,
            self.padding_out,
            self.dilation,
            self.groups,
        )
    }

    /// Compares output and gradients.
    fn check(&self) {
        let [x, w] = [random(self.input), random(self.weight())];
        let b = random([self.filters]);
        let data = [x.as_slice(), &w, &b];
        let ours = self.results(&Device::flex(), data, Self::ours);
        let theirs = self.results(&reference(), data, Self::theirs);
        let names = ["output", "input", "weight", "bias"];
        for (name, (ours, theirs)) in names.iter().zip(ours.iter().zip(&theirs)) {
            assert_close(&format!("{name} of {self:?}"), ours, theirs);
        }
    }

    /// Output and gradients (input, weight, bias) of a convolution whose output is weighted by numbers.
    fn results(
        &self,
        device: &Device,
        [x, w, b]: [&[f32]; 3],
        conv: impl Fn(&Self, Tensor<4>, Tensor<4>, Option<Tensor<1>>) -> Tensor<4>,
    ) -> Vec<Vec<f32>> {
        let device = device.clone().autodiff();
        let x = leaf(x, self.input, &device);
        let w = leaf(w, self.weight(), &device);
        let b = self.bias.then(|| leaf(b, [self.filters], &device));
        let out = conv(self, x.clone(), w.clone(), b.clone());
        let shape = out.dims();
        let weighting = constant(&noise(4, shape.iter().product()), shape, &device);
        let grads = (out.clone() * weighting).sum().backward();
        let mut results = vec![
            values(out),
            values(x.grad(&grads).unwrap()),
            values(w.grad(&grads).unwrap()),
        ];
        results.extend(b.map(|b| values(b.grad(&grads).unwrap())));
        results
    }
}

/// A tensor that is not tracked.
fn constant<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<1>::from_floats(values, device).reshape(shape)
}

/// `n` numbers of [-1, 1), exact in f32.
fn noise(seed: u64, n: usize) -> Vec<f32> {
    let number = |i: u64| (mix(seed, i) >> 40) as f32 / 8_388_608.0 - 1.0;
    (0..n as u64).map(number).collect()
}

/// Few channels and many: blocks of sixteen with and without a rest.
fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..9usize, 3 => 12..20usize, 1 => 32..70usize]
}

/// Any convolution of small images.
fn case() -> impl Strategy<Value = Case> {
    let pair = |max: usize| (0..=max, 0..=max);
    (
        (1..5usize, 1..18usize, 1..18usize),
        (
            channels(),
            channels(),
            prop_oneof![4 => Just(1usize), 1 => 2..5usize],
        ),
        [1..6usize, 1..6usize],
        [1..4usize, 1..4usize],
        ([pair(4), pair(4)], [0..3usize, 0..3usize]),
        [1..3usize, 1..3usize],
        any::<[bool; 2]>(),
    )
        .prop_map(
            |(
                (b, h, w),
                (c, f, groups),
                kernel,
                stride,
                (padding, padding_out),
                dilation,
                flags,
            )| {
                let [transposed, bias] = flags;
                // Groups of few channels; Burn's reference takes its time for many.
                let per_group = |n: usize| if groups > 1 { groups * n.min(6) } else { n };
                Case {
                    transposed,
                    input: [b, per_group(c), h, w],
                    filters: per_group(f),
                    kernel,
                    stride,
                    padding: if transposed {
                        padding.map(|p| (p.0, p.0))
                    } else {
                        padding
                    },
                    // PyTorch's rule: less than the stride or the dilation.
                    padding_out: if transposed {
                        std::array::from_fn(|i| padding_out[i] % stride[i])
                    } else {
                        [0, 0]
                    },
                    dilation,
                    groups,
                    bias,
                }
            },
        )
        .prop_filter("the window fits", Case::fits)
}

/// 3x3 kernels of stride 1, for which there is an algorithm of its own.
fn three_by_three() -> impl Strategy<Value = Case> {
    let pair = || (0..=3usize, 0..=3usize);
    (
        (1..7usize, 1..23usize, 1..23usize),
        (12..40usize, 12..70usize),
        [pair(), pair()],
        any::<[bool; 2]>(),
    )
        .prop_map(|((b, h, w), (c, f), padding, [transposed, bias])| Case {
            transposed,
            padding: if transposed {
                padding.map(|p| (p.0, p.0))
            } else {
                padding
            },
            bias,
            ..Case::plain([b, c, h, w], f, [3, 3])
        })
        .prop_filter("the window fits", Case::fits)
}

/// Each channel by itself.
fn depth_wise() -> impl Strategy<Value = Case> {
    (
        (1..4usize, 1..20usize, 1..30usize, 1..30usize),
        [1..7usize, 1..7usize],
        [1..4usize, 1..4usize],
        [0..4usize, 0..4usize],
    )
        .prop_map(|((b, c, h, w), kernel, stride, padding)| Case {
            stride,
            padding: padding.map(|p| (p, p)),
            groups: c,
            ..Case::plain([b, c, h, w], c, kernel)
        })
        .prop_filter("the window fits", Case::fits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn convolutions_are_burns(case in case()) {
        case.check();
    }

    #[test]
    fn three_by_three_is_burns(case in three_by_three()) {
        case.check();
    }

    #[test]
    fn depth_wise_is_burns(case in depth_wise()) {
        case.check();
    }

    #[test]
    fn conv1d_is_burns(
        (batch, length) in (1..5usize, 1..40usize),
        (inputs, filters) in (channels(), channels()),
        (kernel, stride, dilation) in (1..6usize, 1..4usize, 1..3usize),
        padding in (0..4usize, 0..4usize),
    ) {
        prop_assume!(length + padding.0 + padding.1 > dilation * (kernel - 1));
        let (x, w, b) = (random([batch, inputs, length]), random([filters, inputs, kernel]), random([filters]));
        let options = ConvOptions::new_with_padding([stride], [padding], [dilation], 1);
        let run = |device: Device, ours: bool| {
            let device = device.autodiff();
            let x = leaf(&x, [batch, inputs, length], &device);
            let w = leaf(&w, [filters, inputs, kernel], &device);
            let b = leaf(&b, [filters], &device);
            let out = if ours {
                kernels::conv1d(x.clone(), w.clone(), Some(b.clone()), options.clone())
            } else {
                module::conv1d(x.clone(), w.clone(), Some(b.clone()), options.clone())
            };
            let shape = out.dims();
            let weighting = constant(&noise(4, shape.iter().product()), shape, &device);
            let grads = (out.clone() * weighting).sum().backward();
            [values(out), values(x.grad(&grads).unwrap()), values(w.grad(&grads).unwrap()), values(b.grad(&grads).unwrap())]
        };
        let (ours, theirs) = (run(Device::flex(), true), run(reference(), false));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_close("conv1d", ours, theirs);
        }
    }
}

/// Many filters and channels, images in several bands of rows, batches in several bands of images: more than one of
/// everything that the work is split into.
#[test]
fn larger_convolutions_are_burns() {
    let same = |n: usize| [(n, n), (n, n)];
    for (input, filters, kernel, stride, padding) in [
        ([2, 16, 28, 28], 16, 3, 1, 1),
        ([9, 33, 14, 14], 37, 3, 1, 1),
        ([1, 64, 40, 40], 20, 3, 1, 1),
        ([2, 16, 9, 150], 16, 3, 1, 1),
        ([2, 48, 39, 39], 24, 3, 2, 1),
        // So many weights that the threads share them.
        ([16, 160, 5, 5], 160, 3, 1, 1),
        ([4, 130, 9, 9], 200, 3, 2, 1),
        ([3, 200, 7, 7], 140, 1, 1, 0),
        ([40, 16, 7, 7], 24, 5, 1, 2),
        ([2, 3, 60, 60], 32, 7, 2, 3),
        ([20, 8, 28, 28], 4, 5, 1, 2),
        ([20, 4, 28, 28], 1, 5, 1, 2),
    ] {
        Case {
            stride: [stride, stride],
            padding: same(padding),
            ..Case::plain(input, filters, [kernel, kernel])
        }
        .check();
    }
    Case {
        transposed: true,
        stride: [2, 2],
        padding: same(1),
        padding_out: [1, 1],
        ..Case::plain([2, 64, 24, 24], 32, [3, 3])
    }
    .check();
    Case {
        groups: 2,
        padding: same(1),
        ..Case::plain([3, 40, 20, 20], 48, [3, 3])
    }
    .check();
}

#[test]
fn one_pixel_is_enough() {
    for (channels, filters) in [(1, 1), (16, 16), (3, 40)] {
        Case::plain([1, channels, 1, 1], filters, [1, 1]).check();
        let padded = Case {
            padding: [(1, 1), (1, 1)],
            ..Case::plain([1, channels, 1, 1], filters, [3, 3])
        };
        padded.check();
        Case {
            transposed: true,
            ..padded
        }
        .check();
    }
}

#[test]
fn an_empty_batch_is_empty() {
    let same = [(1, 1), (1, 1)];
    for (channels, filters, stride, groups) in
        [(3, 4, 1, 1), (16, 16, 1, 1), (16, 20, 2, 1), (6, 6, 1, 6)]
    {
        for transposed in [false, true] {
            let case = Case {
                transposed,
                stride: [stride, stride],
                padding: same,
                groups,
                ..Case::plain([0, channels, 9, 9], filters, [3, 3])
            };
            let weight = random(case.weight());
            let results = case.results(
                &Device::flex(),
                [&[], &weight, &random([filters])],
                Case::ours,
            );
            let [out, input, weight_gradient, bias] = results.try_into().unwrap();
            assert!(out.is_empty() && input.is_empty());
            assert_eq!(weight_gradient, vec![0.0; weight.len()]);
            assert_eq!(bias, vec![0.0; filters]);
        }
    }
    let x = Tensor::<3>::zeros([0, 4, 9], &Device::flex());
    let w = Tensor::<3>::zeros([5, 4, 3], &Device::flex());
    let out = kernels::conv1d(x, w, None, ConvOptions::new([1], [1], [1], 1));
    assert_eq!(out.dims(), [0, 5, 9]);
}

/// A view (here a transposed one) has no slice of values in order.
#[test]
fn a_view_is_convolved_as_burns() {
    let (x, w) = (random([2, 9, 3, 7]), random([5, 3, 3, 3]));
    let case = Case {
        padding: [(1, 1), (1, 1)],
        ..Case::plain([2, 3, 9, 7], 5, [3, 3])
    };
    let run = |device: &Device, ours: bool| {
        let x = constant(&x, [2, 9, 3, 7], device).swap_dims(1, 2);
        let w = constant(&w, [5, 3, 3, 3], device).swap_dims(2, 3);
        values(if ours {
            case.ours(x, w, None)
        } else {
            case.theirs(x, w, None)
        })
    };
    assert_close(
        "output",
        &run(&Device::flex(), true),
        &run(&reference(), false),
    );
}

/// The first layer: its input is data, only the weights learn.
#[test]
fn untracked_input_has_weight_gradients() {
    let (x, w) = (random([3, 1, 9, 9]), random([4, 1, 3, 3]));
    let case = Case::plain([3, 1, 9, 9], 4, [3, 3]);
    let run = |device: Device, ours: bool| {
        let device = device.autodiff();
        let x = constant(&x, [3, 1, 9, 9], &device);
        let w = leaf(&w, [4, 1, 3, 3], &device);
        let (input, weight) = (x.clone(), w.clone());
        let out = if ours {
            case.ours(input, weight, None)
        } else {
            case.theirs(input, weight, None)
        };
        let grads = out.powi_scalar(2).sum().backward();
        assert!(x.grad(&grads).is_none());
        values(w.grad(&grads).unwrap())
    };
    assert_close(
        "weight",
        &run(Device::flex(), true),
        &run(reference(), false),
    );
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

#[test]
#[should_panic(
    expected = "Number of channels in input tensor and input channels of convolution must be equal"
)]
fn conv_transpose2d_with_the_wrong_channels_fails_as_burns() {
    let device = Device::flex();
    let (x, w) = (
        Tensor::<4>::zeros([1, 4, 8, 8], &device),
        Tensor::<4>::zeros([5, 2, 3, 3], &device),
    );
    let options = ConvTransposeOptions::new([1, 1], [0, 0], [0, 0], [1, 1], 1);
    kernels::conv_transpose2d(x, w, None, options);
}

/// Partial sums are added in a fixed order, whichever thread is first.
#[test]
fn the_numbers_are_the_same_each_time() {
    let padding = [(1, 1), (1, 1)];
    for (channels, filters, kernel) in [(8, 12, 3), (16, 24, 3), (16, 24, 2), (4, 4, 3)] {
        let case = Case {
            padding,
            ..Case::plain([32, channels, 15, 15], filters, [kernel, kernel])
        };
        let (x, w, b) = (random(case.input), random(case.weight()), random([filters]));
        let run = || case.results(&Device::flex(), [&x, &w, &b], Case::ours);
        let first = run();
        for _ in 0..10 {
            assert_eq!(run(), first);
        }
    }
}

/// Compares with the numbers of a case in the golden file.
fn assert_golden(golden: &serde_json::Value, name: &str, results: &[(&str, Vec<usize>, Vec<f32>)]) {
    for (what, shape, ours) in results {
        let theirs = &golden[name][what];
        let number = |v: &serde_json::Value| v.as_f64().unwrap();
        let want: Vec<f64> = theirs["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect();
        let dims: Vec<usize> = theirs["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| number(d) as usize)
            .collect();
        assert_eq!(*shape, dims, "{name}: shape of {what}");
        let step = ours.len().div_ceil(24);
        let shown: Vec<f64> = ours.iter().step_by(step).map(|v| f64::from(*v)).collect();
        assert_eq!(shown.len(), want.len());
        let scale = want.iter().fold(1e-2, |m: f64, v| m.max(v.abs()));
        let tolerance = f64::from(TOLERANCE) * scale;
        for (a, b) in shown.iter().zip(&want) {
            assert!(
                (a - b).abs() <= tolerance,
                "{name}: {what} has {a} instead of {b}"
            );
        }
        let all = || ours.iter().map(|v| f64::from(*v));
        let sum: f64 = all().sum();
        let squares: f64 = all().map(|v| v * v).sum();
        assert!(
            (sum - number(&theirs["sum"])).abs() <= tolerance * (ours.len() as f64).sqrt(),
            "{name}: sum of {what}"
        );
        assert!(
            (squares / number(&theirs["squares"]) - 1.0).abs() < 1e-5,
            "{name}: squares of {what}"
        );
    }
}

/// All shapes of the fixture; what it took of PyTorch's options is written here once more.
#[test]
fn convolutions_are_pytorchs() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("kernels_conv/golden.json")).unwrap();
    let transposed = true;
    let square = |n: usize| [(n, n), (n, n)];
    let cases = [
        (
            "same 3x3",
            Case {
                padding: square(1),
                ..Case::plain([3, 16, 13, 10], 20, [3, 3])
            },
        ),
        (
            "strided 3x3",
            Case {
                stride: [2, 2],
                padding: square(1),
                ..Case::plain([2, 16, 9, 11], 24, [3, 3])
            },
        ),
        (
            "7x7 of an image",
            Case {
                stride: [2, 2],
                padding: square(3),
                ..Case::plain([2, 3, 19, 17], 16, [7, 7])
            },
        ),
        (
            "dilated 5x5",
            Case {
                padding: square(4),
                dilation: [2, 2],
                ..Case::plain([2, 13, 12, 12], 12, [5, 5])
            },
        ),
        (
            "groups",
            Case {
                stride: [1, 2],
                padding: [(1, 1), (0, 0)],
                groups: 3,
                ..Case::plain([2, 6, 8, 9], 9, [3, 2])
            },
        ),
        (
            "depth-wise",
            Case {
                stride: [2, 2],
                groups: 5,
                ..Case::plain([2, 5, 9, 8], 5, [3, 3])
            },
        ),
        (
            "U-Net up",
            Case {
                transposed,
                stride: [2, 2],
                padding: square(1),
                padding_out: [1, 1],
                ..Case::plain([2, 12, 5, 6], 14, [3, 3])
            },
        ),
        (
            "generator up",
            Case {
                transposed,
                stride: [2, 2],
                padding: square(1),
                ..Case::plain([2, 4, 7, 7], 3, [4, 4])
            },
        ),
        (
            "transposed groups",
            Case {
                transposed,
                stride: [3, 2],
                padding: [(0, 0), (1, 1)],
                padding_out: [2, 0],
                dilation: [1, 2],
                groups: 2,
                ..Case::plain([2, 4, 4, 5], 6, [2, 3])
            },
        ),
    ];
    for (name, case) in cases {
        let (input, weight) = (case.input, case.weight());
        let [x, w, b] = [
            noise(1, input.iter().product()),
            noise(2, weight.iter().product()),
            noise(3, case.filters),
        ];
        let [out, gx, gw, gb] = case
            .results(&Device::flex(), [&x, &w, &b], Case::ours)
            .try_into()
            .unwrap();
        let device = Device::flex();
        let shape = case
            .ours(
                constant(&x, input, &device),
                constant(&w, weight, &device),
                None,
            )
            .dims();
        assert_golden(
            &golden,
            name,
            &[
                ("output", shape.to_vec(), out),
                ("input", input.to_vec(), gx),
                ("weight", weight.to_vec(), gw),
                ("bias", vec![case.filters], gb),
            ],
        );
    }
    for (name, input, weight, options) in [
        (
            "conv1d",
            [3, 14, 17],
            [18, 14, 3],
            ConvOptions::new([1], [1], [1], 1),
        ),
        (
            "strided conv1d",
            [2, 4, 15],
            [6, 2, 4],
            ConvOptions::new([2], [0], [2], 2),
        ),
    ] {
        let device = Device::flex().autodiff();
        let x = leaf(&noise(1, input.iter().product()), input, &device);
        let w = leaf(&noise(2, weight.iter().product()), weight, &device);
        let b = leaf(&noise(3, weight[0]), [weight[0]], &device);
        let out = kernels::conv1d(x.clone(), w.clone(), Some(b.clone()), options);
        let shape = out.dims();
        let weighting = constant(&noise(4, shape.iter().product()), shape, &device);
        let grads = (out.clone() * weighting).sum().backward();
        assert_golden(
            &golden,
            name,
            &[
                ("output", shape.to_vec(), values(out)),
                ("input", input.to_vec(), values(x.grad(&grads).unwrap())),
                ("weight", weight.to_vec(), values(w.grad(&grads).unwrap())),
                ("bias", vec![weight[0]], values(b.grad(&grads).unwrap())),
            ],
        );
    }
}

mod layers {
    use super::*;
    use burn::module::Module;
    use burn::nn::{PaddingConfig1d, PaddingConfig2d, conv as slow};
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
            let x = constant(&random([2, 3, 9, 8]), [2, 3, 9, 8], &device);
            let theirs = slow.forward(x.clone());
            let ours = fast.forward(x);
            assert_eq!(ours.dims(), theirs.dims());
            assert_close("output", &values(ours), &values(theirs));
            assert_eq!(fast.to_string(), slow.to_string());
        }
    }

    #[test]
    fn conv1d_starts_from_burns_weights_and_computes_the_same() {
        let device = Device::flex();
        for padding in [
            PaddingConfig1d::Valid,
            PaddingConfig1d::Same,
            PaddingConfig1d::Explicit(2, 1),
        ] {
            for stride in [1, 2] {
                let slow = slow::Conv1dConfig::new(3, 5, 4)
                    .with_stride(stride)
                    .with_padding(padding.clone());
                let fast = fast::Conv1dConfig::new(3, 5, 4)
                    .with_stride(stride)
                    .with_padding(padding.clone());
                let slow = slow.init(&device);
                assert_eq!(fast.init(&device).num_params(), slow.num_params());
                let fast = fast.init(&device).load_record(slow.clone().into_record());
                let x = constant(&random([2, 3, 9]), [2, 3, 9], &device);
                let theirs = slow.forward(x.clone());
                let ours = fast.forward(x);
                assert_eq!(ours.dims(), theirs.dims());
                assert_close("output", &values(ours), &values(theirs));
                assert_eq!(fast.to_string(), slow.to_string());
            }
        }
    }

    #[test]
    fn conv_transpose2d_starts_from_burns_weights_and_computes_the_same() {
        let device = Device::flex();
        let slow = slow::ConvTranspose2dConfig::new([6, 4], [3, 4])
            .with_stride([2, 3])
            .with_padding([1, 0])
            .with_padding_out([1, 2])
            .with_groups(2)
            .init(&device);
        let fast = fast::ConvTranspose2dConfig::new([6, 4], [3, 4])
            .with_stride([2, 3])
            .with_padding([1, 0])
            .with_padding_out([1, 2])
            .with_groups(2)
            .init(&device);
        assert_eq!(fast.num_params(), slow.num_params());
        let fast = fast.load_record(slow.clone().into_record());
        let x = constant(&random([2, 6, 5, 4]), [2, 6, 5, 4], &device);
        let theirs = slow.forward(x.clone());
        let ours = fast.forward(x);
        assert_eq!(ours.dims(), theirs.dims());
        assert_close("output", &values(ours), &values(theirs));
        assert_eq!(fast.to_string(), slow.to_string());
    }

    /// PyTorch: U(-k, k), k = 1 / sqrt(fan in), for weight and bias.
    fn assert_uniform(weight: &[f32], bias: &[f32], fan_in: f32) {
        let k = 1.0 / fan_in.sqrt();
        assert!(weight.iter().chain(bias).all(|v| v.abs() <= k));
        let variance = weight.iter().map(|v| v * v).sum::<f32>() / weight.len() as f32;
        assert!((variance / (k * k / 3.0) - 1.0).abs() < 0.1, "{variance}");
    }

    #[test]
    fn layers_start_in_pytorchs_range() {
        let device = Device::flex();
        let layer = fast::Conv2dConfig::new([8, 64], [3, 3]).init(&device);
        let bias = layer.bias.as_ref().unwrap().val();
        assert_uniform(&values(layer.weight.val()), &values(bias), 8.0 * 9.0);
        let layer = fast::Conv1dConfig::new(32, 64, 3).init(&device);
        let bias = layer.bias.as_ref().unwrap().val();
        assert_uniform(&values(layer.weight.val()), &values(bias), 32.0 * 3.0);
        // PyTorch's fan in is that of the second axis of the weight: the channels out.
        let layer = fast::ConvTranspose2dConfig::new([64, 8], [3, 3]).init(&device);
        let bias = layer.bias.as_ref().unwrap().val();
        assert_uniform(&values(layer.weight.val()), &values(bias), 8.0 * 9.0);
    }
}
