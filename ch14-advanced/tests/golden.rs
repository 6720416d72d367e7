//! The chapter's layers, blocks and networks compute what PyTorch computes: output in training, all gradients, and output in evaluation with
//! the running statistics of that one batch; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that
//! both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use ch14_advanced::blur::{BlurLayer, Filter, MaxPool2dAa};
use ch14_advanced::mixup::{MixedLabels, mixup_loss};
use ch14_advanced::networks::Cnn;
use ch14_advanced::residual::{ResidualBlock, ResidualNet, Style};
use common::train::Network;
use golden_setup::modules::Wanted;
use golden_setup::{assert_close, assert_described};
use golden_setup::{devices, golden, noise, values};

const FILTERS: [(&str, Filter); 2] = [
    ("binomial", Filter::Binomial),
    ("printed", Filter::AsPrinted),
];
const STYLES: [(&str, Style); 2] = [("plain", Style::Plain), ("rezero", Style::ReZero)];

/// `rounding` is how much further than others a deep module may be from PyTorch.
fn compare<M: Module, const D: usize, const O: usize>(
    name: &str,
    rounding: f64,
    shape: [usize; D],
    fresh: impl Fn(&Device) -> M,
    forward: impl Fn(&M, Tensor<D>) -> Tensor<O>,
) {
    let wanted = Wanted {
        name,
        numbers: golden(name),
        rounding,
    };
    let input = wanted.input(shape.iter().product());
    wanted.compare(input, shape, fresh, forward);
}

fn compare_network<N: Network<Input = Tensor<4>>>(
    name: &str,
    rounding: f64,
    fresh: impl Fn(&Device) -> N,
) {
    compare(name, rounding, [4, 3, 24, 24], fresh, N::forward);
}

#[test]
fn blurs_equal_depth_wise_convolutions() {
    for (kind, filter) in FILTERS {
        for (k, stride) in [(3, 2), (6, 4), (2, 1)] {
            let blur = |_: &Device| BlurLayer::new(k, stride, filter);
            let name = |dims| format!("blur {dims} {k} {stride} {kind}");
            compare(&name(1), 1.0, [3, 4, 11], blur, BlurLayer::forward);
            compare(&name(2), 1.0, [2, 3, 9, 10], blur, BlurLayer::forward);
            compare(&name(3), 1.0, [2, 2, 7, 8, 6], blur, BlurLayer::forward);
        }
    }
}

#[test]
fn anti_aliased_pools_equal_pytorch() {
    for (kind, filter) in FILTERS {
        for (k, ratio, side) in [(2, 1.7, 24), (2, 1.7, 13), (4, 1.5, 20), (3, 1.7, 11)] {
            compare(
                &format!("pool {k} {ratio} {side} {kind}"),
                1.0,
                [2, 3, side, side],
                |_| MaxPool2dAa::with_ratio(k, ratio, filter),
                MaxPool2dAa::forward,
            );
        }
    }
}

#[test]
fn residual_blocks_equal_pytorch() {
    for (kind, style) in STYLES {
        for (inputs, outputs, stride) in [(3, 16, 1), (8, 8, 1), (16, 32, 2), (12, 12, 2)] {
            compare(
                &format!("block {inputs} {outputs} {stride} {kind}"),
                1.0,
                [3, inputs, 7, 6],
                |device| ResidualBlock::new(inputs, outputs, stride, style, device),
                ResidualBlock::forward,
            );
        }
    }
}

#[test]
fn plain_networks_equal_pytorch() {
    compare_network("cnn regular", 1.0, Cnn::regular);
    let smooth = |device: &Device| Cnn::anti_aliased(Filter::Binomial, device);
    compare_network("cnn anti-aliased", 1.0, smooth);
    let printed = |device: &Device| Cnn::anti_aliased(Filter::AsPrinted, device);
    compare_network("cnn printed", 1.0, printed);
}

#[test]
fn residual_networks_equal_pytorch() {
    for (kind, style) in STYLES {
        let small = |device: &Device| ResidualNet::with_size(style, 4, 2, device);
        compare_network(&format!("net 4 2 {kind}"), 10.0, small);
        let whole = |device: &Device| ResidualNet::new(style, device);
        compare_network(&format!("net 16 7 {kind}"), 100.0, whole);
    }
}

#[test]
fn the_loss_of_mixed_labels_equals_pytorch() {
    let want = golden("mixup");
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device.autodiff();
        let logits = TensorData::new(noise(7, 50), [5, 10]);
        let logits = Tensor::<2>::from_data(logits, &device).require_grad();
        let labels = |labels: [i32; 5]| Tensor::<1, Int>::from_data(labels, &device);
        let mixed = MixedLabels {
            labels: labels([3, 1, 4, 1, 5]),
            others: Some((labels([9, 2, 6, 5, 3]), 0.375)),
        };
        let loss = mixup_loss(logits.clone(), &mixed);
        let gradients = loss.backward();
        let (found, book) = (f64::from(values(loss)[0]), want["loss"].as_f64().unwrap());
        assert_close("loss", found, book, tolerance * book);
        let gradient = values(logits.grad(&gradients).unwrap());
        assert_described("gradient", &gradient, &want["gradient"], tolerance);
    }
}
