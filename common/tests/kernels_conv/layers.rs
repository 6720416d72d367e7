//! The layers against Burn's.

use burn::module::Module;
use burn::nn::{PaddingConfig1d, PaddingConfig2d, conv as slow};
use burn::tensor::Device;
use common::nn::conv as fast;

use crate::case::constant;
use crate::kernel_setup::{assert_close, random, values};

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
