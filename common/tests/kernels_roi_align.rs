//! RoI-align: values and gradients against a composition of Burn's operations on the reference device. (Against torchvision: chapter 8.)

mod kernel_setup;

use burn::tensor::{Device, Tensor};
use common::kernels::{Region, RoiAlign, roi_align};
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

/// Output and gradient of the features, where each value of the output has another weight.
fn results(
    device: Device,
    features: &[f32],
    shape: [usize; 4],
    regions: &[Region],
    options: RoiAlign,
) -> [Vec<f32>; 2] {
    let device = device.autodiff();
    let features = leaf(features, shape, &device);
    let out = roi_align(features.clone(), regions, options);
    let [rows, columns] = options.output;
    assert_eq!(out.dims(), [regions.len(), shape[1], rows, columns]);
    let weighting = |i: usize| ((i * 7919) % 1000) as f32 / 500.0 - 1.0;
    let weighting: Vec<f32> = (0..out.shape().num_elements()).map(weighting).collect();
    let weighting = Tensor::<1>::from_floats(weighting.as_slice(), &device).reshape(out.dims());
    let gradients = (out.clone() * weighting).sum().backward();
    let gradient = features.grad(&gradients).unwrap();
    [values(out), values(gradient)]
}

fn check(shape: [usize; 4], regions: &[Region], options: RoiAlign) {
    let features = random(shape);
    let [out, gradient] = results(Device::flex(), &features, shape, regions, options);
    let [want, want_gradient] = results(reference(), &features, shape, regions, options);
    assert_close("output", &out, &want);
    assert_close("gradient", &gradient, &want_gradient);
}

fn region(image: usize, corners: [f32; 4]) -> Region {
    Region { image, corners }
}

prop_compose! {
    /// A region partly or wholly on a picture of up to 100 pixels a side, rarely upside down.
    fn any_region(images: usize)(
        image in 0..images,
        (x, y) in (-40.0..130.0f32, -40.0..130.0f32),
        (width, height) in (-5.0..120.0f32, -5.0..120.0f32),
    ) -> Region {
        region(image, [x, y, x + width, y + height])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn roi_align_is_burns(
        (channels, height, width) in (1..40usize, 1..20usize, 1..20usize),
        regions in prop::collection::vec(any_region(3), 1..12),
        output in [1..8usize, 1..8usize],
        (scale, samples) in (0.05..1.0f32, 1..4usize),
    ) {
        check([3, channels, height, width], &regions, RoiAlign { output, scale, samples });
    }
}

const SEVEN: RoiAlign = RoiAlign {
    output: [7, 7],
    scale: 0.25,
    samples: 2,
};

#[test]
fn many_regions_are_burns_and_the_same_each_time() {
    let shape = [4, 37, 25, 25];
    let regions: Vec<Region> = (0..200)
        .map(|i| {
            let (x, y) = ((i * 37 % 90) as f32, (i * 53 % 80) as f32);
            region(i % 4, [x, y, x + 28.0, y + 32.0])
        })
        .collect();
    check(shape, &regions, SEVEN);
    let features = random(shape);
    let run = || results(Device::flex(), &features, shape, &regions, SEVEN);
    let first = run();
    for _ in 0..5 {
        assert_eq!(run(), first);
    }
}

#[test]
fn no_region_gives_no_row_and_no_gradient() {
    let features = random([1, 3, 5, 5]);
    let [out, gradient] = results(Device::flex(), &features, [1, 3, 5, 5], &[], SEVEN);
    assert!(out.is_empty());
    assert_eq!(gradient, vec![0.0; 75]);
}

#[test]
fn wild_regions_are_harmless() {
    let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30];
    let regions = [
        region(0, wild),
        region(0, [1e30, -1e30, 2e30, 1e30]),
        region(0, [f32::MAX; 4]),
    ];
    let features = random([1, 3, 5, 5]);
    let [out, _] = results(Device::flex(), &features, [1, 3, 5, 5], &regions, SEVEN);
    assert_eq!(out.len(), 3 * 3 * 49);
}

#[test]
#[should_panic(expected = "a region on picture 1 of 1")]
fn a_region_on_no_picture_fails() {
    let features = Tensor::zeros([1, 3, 5, 5], &Device::flex());
    roi_align(features, &[region(1, [0.0, 0.0, 1.0, 1.0])], SEVEN);
}
