//! The chapter's players and losses compute what PyTorch computes; the gradients of the gradient penalty are those of its double
//! backward pass.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that
//! both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::tensor::{Device, Tensor, TensorData};
use ch09_gan::conditional::Conditional;
use ch09_gan::convolutional::{ConvDiscriminator, ConvGenerator};
use ch09_gan::losses::{CriticBatch, critic_loss, discriminator_loss, gradient_penalty};
use ch09_gan::players::{Discriminator, Generator};
use ch09_gan::simple::{SimpleDiscriminator, SimpleGenerator};
use golden_setup::modules::prepared;
use golden_setup::{assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, noise, values};

const BATCH: usize = 3;
const CLASSES: [u8; BATCH] = [2, 0, 3];
const WEIGHT: f64 = 10.0;

/// Rows of noise.
fn rows(seed: u64, width: usize, device: &Device) -> Tensor<2> {
    let values = noise(seed, BATCH * width);
    Tensor::from_data(TensorData::new(values, [BATCH, width]), device)
}

fn compare_generator<G: Generator>(name: &str, fresh: impl Fn(&Device) -> G) {
    let want = golden(name);
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device;
        let g = prepared(&want, &fresh, &device);
        let seed = want["seed"].as_u64().unwrap();
        let z = Tensor::from_inner(rows(seed, g.noise_size(), &device));
        let output = g.generate(z, Some(&CLASSES));
        let directions = rows(2000, output.dims()[1], &device);
        let loss = (output.clone() * Tensor::from_inner(directions)).sum();
        let found = gradients_of(&g, &loss.backward());
        let what = format!("{name} on {backend}");
        assert_described(&what, &values(output), &want["output"], tolerance);
        assert_gradients(&what, &found, &want["gradients"], tolerance);
    }
}

fn compare_discriminator<D: Discriminator>(name: &str, width: usize, fresh: impl Fn(&Device) -> D) {
    let want = golden(name);
    let seed = want["seed"].as_u64().unwrap();
    for (backend, tolerance) in devices() {
        // Second derivatives of sums over 784 pixels.
        let tolerance = f64::max(tolerance, 1e-4);
        let device = common::device::open(backend).unwrap().device;
        let d = prepared(&want, &fresh, &device);
        let real = rows(seed, width, &device);
        let fake = rows(seed + 10_000, width, &device);
        let part = (rows(seed + 20_000, 1, &device) + 1.0) / 2.0;
        let x = part.clone() * real.clone() + (part.neg() + 1.0) * fake.clone();
        let part = (rows(seed + 20_000, 1, &device) + 1.0) / 2.0;
        let classes = Some(&CLASSES[..]);
        let what = |which: &str| format!("{name} on {backend}: {which}");

        let scores = d.score(Tensor::from_inner(x.clone()), classes);
        assert_described(
            &what("scores"),
            &values(scores.clone()),
            &want["scores"],
            tolerance,
        );
        let check = |which: &str, objective: Tensor<1>, value: f32| {
            // Zeros for parameters that the loss does not depend on, in place of no gradient.
            let none = d.score(Tensor::from_inner(x.clone()), classes).sum() * 0.0;
            let found = gradients_of(&d, &(objective + none).backward());
            let want = &want[which];
            let wanted = want["value"].as_f64().unwrap();
            let error = (f64::from(value) - wanted).abs();
            assert!(
                error <= tolerance * wanted.abs().max(1.0),
                "{}: {value} is not {wanted}",
                what(which)
            );
            assert_gradients(&what(which), &found, &want["gradients"], tolerance);
        };
        let penalty = gradient_penalty(&d, x.clone(), classes, WEIGHT);
        check("penalty", penalty.objective, penalty.value);
        if width == 784 && backend != "flex" {
            continue; // the other losses are made of the same layers, and its convolutions take seconds
        }
        let batch = CriticBatch {
            real: real.clone(),
            fake: fake.clone(),
            part,
            classes,
        };
        let critic = critic_loss(&d, batch, WEIGHT);
        check("critic", critic.objective, critic.value);
        if name != "Conditional discriminator" {
            let [real, fake] = [real, fake].map(Tensor::from_inner);
            let gan = discriminator_loss(&d, real, fake);
            check("gan", gan.objective, gan.value);
        }
    }
}

#[test]
fn generators_equal_pytorch() {
    let simple = |device: &Device| SimpleGenerator::new(5, 9, 12, true, device);
    compare_generator("SimpleGenerator", simple);
    compare_generator("Conditional generator", |device| {
        Conditional::new(simple(device), 5, 4, device)
    });
    compare_generator("ConvGenerator", ConvGenerator::new);
}

#[test]
fn fully_connected_discriminators_and_their_penalty_equal_pytorch() {
    let simple = |device: &Device| SimpleDiscriminator::new(12, 9, device);
    compare_discriminator("SimpleDiscriminator", 12, simple);
    compare_discriminator("Conditional discriminator", 12, |device| {
        Conditional::new(simple(device), 12, 4, device)
    });
}

#[test]
fn the_convolutional_discriminator_and_its_penalty_equal_pytorch() {
    compare_discriminator("ConvDiscriminator", 784, ConvDiscriminator::new);
}
