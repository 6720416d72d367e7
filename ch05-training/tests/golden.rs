//! The chapter's network computes what PyTorch computes: logits, gradients, and twenty steps by each optimizer with each schedule.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and images are made by a formula
//! that both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};
use ch05_training::networks::Mlp;
use common::train::{Clip, Losses, Network, Optimizer, Schedule, cross_entropy};
use golden_setup::training::images;
use golden_setup::{SetParameters, assert_close, assert_gradients, assert_numbers};
use golden_setup::{devices, gradients_of, numbers, read_golden, values};
use serde_json::Value;

const IMAGES: usize = 8;
const STEPS: usize = 20;
/// So low that it cuts most gradients.
const CLIP: f64 = 0.01;

fn golden() -> Value {
    read_golden("tests/golden/golden.json")
}

/// The network with the fixture's parameters, ready to be trained, with images and labels.
fn problem(backend: &str) -> (Mlp, Tensor<4>, Tensor<1, Int>) {
    let device = common::device::open(backend).unwrap().device;
    let network = Mlp::book(&device).map(&mut SetParameters::default());
    let device = device.autodiff();
    let labels: Vec<i32> = (0..IMAGES as i32).map(|i| i * 3 % 10).collect();
    (
        network.train().fork(&device),
        images(IMAGES, &device),
        Tensor::from_data(labels.as_slice(), &device),
    )
}

#[test]
fn logits_and_gradients_equal_pytorch() {
    let golden = golden();
    for (backend, tolerance) in devices() {
        let (network, images, labels) = problem(backend);
        assert_eq!(golden["parameters"], Module::num_params(&network));
        let logits = network.forward(images); // [B, 10]
        let gradients = cross_entropy(logits.clone(), labels).backward();
        assert_numbers(backend, &values(logits), &golden["logits"], tolerance);
        let found = gradients_of(&network, &gradients);
        assert_gradients(backend, &found, &golden["gradients"], tolerance);
    }
}

/// The loss before each of twenty steps; a step is an epoch, its loss is what the plateau schedule sees.
fn trained(
    backend: &str,
    optimizer: Optimizer,
    lr: f64,
    schedule: Schedule,
    clip: Option<Clip>,
) -> Vec<f64> {
    let (mut network, images, labels) = problem(backend);
    let seen = Losses::default();
    let mut schedule = schedule.init_with(lr, &seen).unwrap();
    let mut optimizer = optimizer.init_with(clip);
    let mut losses = Vec::new();
    for _ in 0..STEPS {
        seen.set(losses.clone());
        let rate = schedule.step();
        let loss = cross_entropy(network.forward(images.clone()), labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(rate, network, gradients);
        losses.push(f64::from(loss.into_scalar::<f32>()));
    }
    losses
}

#[test]
fn every_optimizer_with_every_schedule_steps_as_pytorch_does() {
    let golden = golden();
    let schedule = |name: &str| match name.trim_end_matches(", clipped") {
        "constant" => Schedule::Constant,
        "exponential" => Schedule::decay_to(1e-4, 0.1, STEPS),
        "step" => Schedule::Step {
            every: 5,
            gamma: 0.3,
        },
        "cosine" => Schedule::Cosine {
            epochs: 6,
            min: 0.0,
        },
        "plateau" => Schedule::Plateau {
            factor: 0.2,
            patience: 2,
            threshold: 0.5,
        },
        other => panic!("{other}: unknown"),
    };
    let optimizers = [
        ("SGD", Optimizer::sgd(), 0.1),
        ("momentum", Optimizer::sgd_momentum(0.9), 0.1),
        ("Nesterov", Optimizer::nesterov(0.9), 0.1),
        ("AdamW", Optimizer::adamw(), 1e-3),
    ];
    let mut compared = 0;
    for (backend, tolerance) in devices() {
        for (name, optimizer, lr) in optimizers {
            for (scheduled, want) in golden["trainings"][name].as_object().unwrap() {
                let clip = scheduled.ends_with("clipped").then_some(Clip::Value(CLIP));
                let found = trained(backend, optimizer, lr, schedule(scheduled), clip);
                let want = numbers(want);
                assert_eq!(want.len(), STEPS);
                for (step, (found, want)) in found.iter().zip(&want).enumerate() {
                    let what = format!("{backend}, {name}, {scheduled}: loss of step {step}");
                    assert_close(&what, *found, *want, tolerance * want.max(1.0));
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 22 * devices().len());
}

#[test]
fn a_network_of_any_size_has_the_parameters_it_should_have() {
    let device = Device::flex();
    for (neurons, layers) in [(128, 3), (16, 1), (256, 6), (1, 1)] {
        let hidden = 784 * neurons + neurons + (layers - 1) * (neurons * neurons + neurons);
        let want = hidden + neurons * 10 + 10;
        let network = Mlp::new(neurons, layers, &device);
        assert_eq!(Module::num_params(&network), want, "{neurons}, {layers}");
    }
    assert_eq!(Module::num_params(&Mlp::book(&device)), 134_794);
}
