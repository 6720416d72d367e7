//! Chosen convolutions: large and tiny ones, views, wrong shapes, the same numbers each time.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor};
use common::kernels;

use crate::case::{Case, constant};
use crate::kernel_setup::{assert_close, leaf, random, reference, values};

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

/// Windows that miss the image, on either axis, with few and with many channels.
#[test]
fn windows_may_see_nothing_but_padding() {
    for (channels, filters) in [(3, 4), (32, 12), (16, 48)] {
        for (stride, padding) in [
            ([2, 2], [(1, 0), (1, 0)]),
            ([2, 1], [(1, 0), (0, 0)]),
            ([1, 3], [(0, 0), (1, 0)]),
        ] {
            Case {
                stride,
                padding,
                ..Case::plain([2, channels, 1, 1], filters, [1, 1])
            }
            .check();
        }
        for padding in [[(3, 0), (0, 2)], [(4, 4), (5, 3)]] {
            Case {
                padding,
                stride: [4, 4],
                ..Case::plain([2, channels, 1, 1], filters, [3, 3])
            }
            .check();
        }
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
