//! The chapter's networks compute what PyTorch computes: logits, loss, gradients, five steps; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and images are made by a formula
//! that both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::tensor::{Device, Tensor};
use ch03_cnn::networks::{FullyConnected, PooledCnn, SimpleCnn};
use common::train::{Network, count_parameters};
use golden_setup::read_golden;
use golden_setup::training::{compare_steps, images};

const LABELS: [i32; 4] = [3, 1, 4, 1];

fn compare<N: Network<Input = Tensor<4>>>(
    name: &str,
    parameters: usize,
    fresh: impl Fn(&Device) -> N,
) {
    let golden = read_golden("tests/golden/golden.json");
    assert_eq!(count_parameters(&fresh(&Device::flex())), parameters);
    compare_steps(name, &golden, &LABELS, fresh, |device| {
        images(LABELS.len(), device)
    });
}

#[test]
fn the_fully_connected_network_equals_pytorch() {
    compare("FullyConnected", 203_530, FullyConnected::new);
}

#[test]
fn the_simple_cnn_equals_pytorch() {
    compare("SimpleCnn", 125_610, SimpleCnn::new);
}

#[test]
fn the_pooled_cnn_equals_pytorch() {
    compare("PooledCnn", 43_626, PooledCnn::new);
}
