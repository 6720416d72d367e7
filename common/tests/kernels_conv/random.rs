//! Random convolutions against Burn's own operations on the ndarray backend.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, module};
use common::kernels;
use proptest::prelude::*;

use crate::case::{Case, constant, noise};
use crate::kernel_setup::{assert_close, leaf, random, reference, values};

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
        (inputs, filters, groups) in (channels(), channels(), prop_oneof![2 => Just(1usize), 1 => 2..4usize]),
        (kernel, stride, dilation) in (1..6usize, 1..4usize, 1..3usize),
        padding in (0..4usize, 0..4usize),
    ) {
        prop_assume!(length + padding.0 + padding.1 > dilation * (kernel - 1));
        let (channels, filters) = (inputs * groups, filters * groups);
        let (x, w, b) = (random([batch, channels, length]), random([filters, inputs, kernel]), random([filters]));
        let options = |groups| ConvOptions::new_with_padding([stride], [padding], [dilation], groups);
        let run = |device: Device, ours: bool| {
            let device = device.autodiff();
            let x = leaf(&x, [batch, channels, length], &device);
            let w = leaf(&w, [filters, inputs, kernel], &device);
            let b = leaf(&b, [filters], &device);
            let out = if ours {
                kernels::conv1d(x.clone(), w.clone(), Some(b.clone()), options(groups))
            } else {
                // Group by group: the backward pass of Burn's own 1-D convolution in groups panics on ndarray.
                let one = |group| {
                    let part = filters / groups;
                    let x = x.clone().narrow(1, group * inputs, inputs);
                    let w = w.clone().narrow(0, group * part, part);
                    let b = b.clone().narrow(0, group * part, part);
                    module::conv1d(x, w, Some(b), options(1))
                };
                Tensor::cat((0..groups).map(one).collect(), 1)
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
