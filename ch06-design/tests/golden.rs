//! The chapter's layers, blocks and networks compute what PyTorch computes: output in training, all gradients, and output in
//! evaluation with the running statistics of that one batch; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that
//! both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch06_design::deep::{ResidualCnn, SkipCnn, SkipMlp};
use ch06_design::layers::{ConvNorm, Hidden, LeakyRelu, LinearNorm, Style};
use ch06_design::mixing::InfoShare;
use ch06_design::names::NameClassifier;
use ch06_design::networks::{Cnn, Mlp};
use ch06_design::residual::{ResidualBlockE, ResidualBottleNeck};
use ch06_design::skip::{SkipConv2d, SkipFc};
use common::data::{PaddedSequences, Sequences, spell};
use common::train::Network;
use golden_setup::modules::{Wanted, prepared, weighted};
use golden_setup::{assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, values};

const STYLES: [(&str, Style); 4] = [
    ("tanh", Style::Tanh),
    ("leaky relu", Style::LeakyRelu),
    ("batch norm", Style::BatchNorm),
    ("layer norm", Style::LayerNorm),
];
const NAMES: [&str; 4] = ["frank", "x", "o'neal", "dostoevsky"];

fn compare<M: Module, const I: usize, const O: usize>(
    name: &str,
    shape: [usize; I],
    fresh: impl Fn(&Device) -> M,
    forward: impl Fn(&M, Tensor<I>) -> Tensor<O>,
) {
    let wanted = Wanted {
        name,
        numbers: golden(name),
        rounding: 1.0,
    };
    let input = wanted.input(shape.iter().product());
    wanted.compare(input, shape, fresh, forward);
}

/// A network with this many images.
fn compare_network<N: Network<Input = Tensor<4>>>(
    name: &str,
    images: usize,
    fresh: impl Fn(&Device) -> N,
) {
    compare(name, [images, 1, 28, 28], fresh, N::forward);
}

#[test]
fn activations_and_normalisations_equal_pytorch() {
    compare("LeakyRelu", [3, 4, 5], |_| LeakyRelu, |m, x| m.forward(x));
    for (name, style) in STYLES {
        compare(
            &format!("hidden vectors, {name}"),
            [5, 7],
            |device| Hidden::new(style, [7], device),
            |m, x| m.forward(x),
        );
        compare(
            &format!("hidden images, {name}"),
            [4, 3, 5, 4],
            |device| Hidden::new(style, [3, 5, 4], device),
            |m, x| m.forward(x),
        );
    }
    compare(
        "LinearNorm",
        [5, 6],
        |device| LinearNorm::new(6, 9, device),
        LinearNorm::forward,
    );
    compare(
        "ConvNorm",
        [4, 3, 6, 5],
        |device| ConvNorm::new([3, 5], 3, 0.3, device),
        ConvNorm::forward,
    );
}

#[test]
fn skip_connections_equal_pytorch() {
    for layers in [2, 4] {
        compare(
            &format!("SkipFc of {layers}"),
            [5, 6],
            |device| SkipFc::new(layers, 6, 9, device),
            SkipFc::forward,
        );
        compare(
            &format!("SkipConv2d of {layers}"),
            [4, 3, 6, 5],
            |device| SkipConv2d::new(layers, 3, 5, device),
            SkipConv2d::forward,
        );
    }
}

#[test]
fn mixing_and_residual_blocks_equal_pytorch() {
    let fresh = |device: &Device| InfoShare::new(6, device);
    compare("InfoShare", [4, 6, 5, 4], fresh, InfoShare::forward);
    let fresh = |device: &Device| ResidualBlockE::new(6, device);
    compare(
        "ResidualBlockE",
        [4, 6, 5, 4],
        fresh,
        ResidualBlockE::forward,
    );
    for (inputs, outputs, [height, width]) in [(3, 16, [6, 5]), (8, 8, [6, 5]), (6, 3, [5, 4])] {
        compare(
            &format!("ResidualBottleNeck {inputs} to {outputs}"),
            [4, inputs, height, width],
            |device| ResidualBottleNeck::new(inputs, outputs, device),
            ResidualBottleNeck::forward,
        );
    }
}

#[test]
fn plain_networks_equal_pytorch() {
    for (name, style) in STYLES {
        let mlp = |device: &Device| Mlp::new(style, device);
        compare_network(&format!("Mlp, {name}"), 16, mlp);
        let cnn = |device: &Device| Cnn::new(style, device);
        compare_network(&format!("Cnn, {name}"), 2, cnn);
    }
    compare_network("Cnn, sharing", 2, Cnn::sharing);
}

#[test]
fn networks_of_skip_connections_equal_pytorch() {
    compare_network("SkipMlp", 16, SkipMlp::new);
    compare_network("SkipCnn", 2, SkipCnn::new);
}

#[test]
fn the_residual_network_equals_pytorch() {
    compare_network("ResidualCnn", 2, ResidualCnn::new);
}

fn names(device: &Device) -> PaddedSequences {
    let spelled = NAMES.map(|name| spell(name).ids);
    let names: Sequences = spelled.iter().map(Vec::as_slice).collect();
    names.padded(&[0, 1, 2, 3], 0, device)
}

#[test]
fn name_networks_equal_pytorch_with_packed_names() {
    type Fresh = fn(&Device) -> NameClassifier;
    let networks: [(&str, Fresh); 2] =
        [("RNN", NameClassifier::rnn), ("LSTM", NameClassifier::lstm)];
    for (name, fresh) in networks {
        let name = format!("NameClassifier, {name}");
        let want = golden(&name);
        for (backend, tolerance) in devices() {
            let what = format!("{name} on {backend}");
            let device = common::device::open(backend).unwrap().device;
            let network = prepared(&want, fresh, &device);
            let output = network.forward(names(&device.clone().autodiff())); // [B, 18]
            let gradients = weighted(output.clone()).backward();
            assert_described(&what, &values(output), &want["training"], tolerance);
            let found = gradients_of(&network, &gradients);
            assert_gradients(&what, &found, &want["gradients"], tolerance);
            let output = network.valid().forward(names(&device));
            assert_described(&what, &values(output), &want["evaluation"], tolerance);
        }
    }
}
