//! ResNet-18 and EfficientNet-Lite0 compute what torchvision's and PyTorch's do: output in training, gradients, and output in evaluation with
//! the running statistics of that one batch; and each backend the same.
//!
//! All gradients are compared of a narrow ResNet-18, whose rectifiers can be kept away from their kinks. The numbers are in
//! `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::tensor::{Device, Tensor, TensorData};
use ch13_transfer::efficientnet::EfficientNetLite0;
use ch13_transfer::resnet::ResNetConfig;
use common::train::{Network, count_parameters};
use golden_setup::{SetParameters, assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, noise, values};

/// How much further than in small networks rounding takes these: some fifty layers, each norm over few values.
const DEPTH: f64 = 20.0;

fn compare<N: Network<Input = Tensor<4>>>(
    name: &str,
    shape: [usize; 4],
    fresh: impl Fn(&Device) -> N,
) {
    let want = golden(name);
    let input = noise(want["seed"].as_u64().unwrap(), shape.iter().product());
    for (backend, tolerance) in devices() {
        let what = |which: &str| format!("{name} on {backend}: {which}");
        let device = common::device::open(backend).unwrap().device;
        let network = fresh(&device);
        assert_eq!(want["parameters"], count_parameters(&network));
        let network = network.map(&mut SetParameters::default());
        let autodiff = device.clone().autodiff();
        let network = network.train().fork(&autodiff);
        let input = TensorData::new(input.clone(), shape);
        let leaf = Tensor::<4>::from_data(input.clone(), &autodiff).require_grad();

        let output = network.forward(leaf.clone());
        let directions = noise(2000, output.shape().num_elements());
        let directions = TensorData::new(directions, output.dims());
        let loss = (output.clone() * Tensor::from_data(directions, &autodiff)).sum();
        let gradients = loss.backward();
        let check = |which: &str, found: Vec<f32>| {
            assert_described(&what(which), &found, &want[which], DEPTH * tolerance);
        };
        check("training", values(output));
        check("input", values(leaf.grad(&gradients).unwrap()));
        if want.get("gradients").is_some() {
            let found = gradients_of(&network, &gradients);
            assert_gradients(
                &what("training"),
                &found,
                &want["gradients"],
                DEPTH * tolerance,
            );
        }
        let input = Tensor::from_data(input, &device);
        check("evaluation", values(network.valid().forward(input)));
    }
}

#[test]
fn a_narrow_resnet18_equals_torchvision_s_in_all_gradients() {
    let config = ResNetConfig {
        width: 4,
        ..ResNetConfig::resnet18(3)
    };
    compare("narrow", [4, 3, 64, 64], |device| config.init(device));
}

#[test]
fn resnet18_equals_torchvision_s() {
    let config = ResNetConfig::resnet18(2);
    compare("ResNet-18", [2, 3, 64, 64], |device| config.init(device));
}

#[test]
fn efficientnet_lite0_equals_pytorch() {
    compare("EfficientNet-Lite0", [4, 3, 96, 96], |device| {
        EfficientNetLite0::new(2, device)
    });
}
