//! The chapter's networks compute what PyTorch computes: logits, loss, gradients, five steps; and each backend the same. Names of
//! different lengths come in one padded batch, which PyTorch computes with packed sequences.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and images are made by a formula
//! that both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use ch04_rnn::networks::NameClassifier;
use ch04_rnn::sharing::{Mlp, SharedMlp};
use common::data::{PaddedSequences, Sequences, spell};
use common::train::{Network, count_parameters, cross_entropy};
use golden_setup::training::{compare_steps, images};
use golden_setup::{SetParameters, assert_close, devices, gradients_of, read_golden, values};

const LABELS: [i32; 4] = [6, 1, 8, 9];
const NAMES: [&str; 4] = ["frank", "x", "o'neal", "dostoevsky"];

fn compare<N: Network>(
    name: &str,
    parameters: usize,
    fresh: impl Fn(&Device) -> N,
    inputs: impl Fn(&Device) -> N::Input,
) {
    let golden = read_golden("tests/golden/golden.json");
    assert_eq!(count_parameters(&fresh(&Device::flex())), parameters);
    compare_steps(name, &golden, &LABELS, fresh, inputs);
}

fn pictures(device: &Device) -> Tensor<4> {
    images(LABELS.len(), device)
}

fn names() -> Sequences {
    let spelled = NAMES.map(|name| spell(name).ids);
    spelled.iter().map(Vec::as_slice).collect()
}

fn padded(device: &Device) -> PaddedSequences {
    names().padded(&[0, 1, 2, 3], 0, device)
}

#[test]
fn the_mlp_equals_pytorch() {
    compare("Mlp", 335_114, Mlp::new, pictures);
}

#[test]
fn the_mlp_with_a_shared_layer_equals_pytorch() {
    compare("SharedMlp", 269_322, SharedMlp::new, pictures);
}

#[test]
fn one_layer_equals_pytorch_with_packed_names() {
    let fresh = |device: &Device| NameClassifier::new(1, false, device);
    compare("one layer", 90_706, fresh, padded);
}

#[test]
fn three_layers_equal_pytorch_with_packed_names() {
    let fresh = |device: &Device| NameClassifier::new(3, false, device);
    compare("three layers", 353_874, fresh, padded);
}

#[test]
fn both_directions_equal_pytorch_with_packed_names() {
    let fresh = |device: &Device| NameClassifier::new(3, true, device);
    compare("both directions", 966_226, fresh, padded);
}

/// Logits of `indices`, and the gradients of their mean loss.
fn batch(
    network: &NameClassifier,
    indices: &[usize],
    device: &Device,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let logits = network.forward(names().padded(indices, 0, device)); // [B, C]
    let labels: Vec<i32> = indices.iter().map(|&i| LABELS[i]).collect();
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), device);
    let gradients = cross_entropy(logits.clone(), labels).backward();
    let found = gradients_of(network, &gradients).into_iter();
    (values(logits), found.map(|(_, values)| values).collect())
}

#[test]
fn a_name_in_a_batch_is_what_it_is_alone() {
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device;
        let network = NameClassifier::new(3, true, &device);
        let network = network.map(&mut SetParameters::default());
        let device = device.autodiff();
        let network = network.train().fork(&device);
        let (logits, gradients) = batch(&network, &[0, 1, 2, 3], &device);
        let mut sums: Vec<Vec<f64>> = gradients.iter().map(|g| vec![0.0; g.len()]).collect();
        for (i, together) in logits.chunks(18).enumerate() {
            let (alone, of_it) = batch(&network, &[i], &device);
            for (alone, together) in alone.iter().zip(together) {
                let what = format!("{} on {backend}", NAMES[i]);
                assert_close(&what, f64::from(*together), f64::from(*alone), tolerance);
            }
            for (sum, gradient) in sums.iter_mut().zip(of_it) {
                sum.iter_mut()
                    .zip(gradient)
                    .for_each(|(s, g)| *s += f64::from(g));
            }
        }
        for (found, sum) in gradients.iter().zip(sums) {
            let scale = found
                .iter()
                .fold(0.0f64, |top, v| top.max(f64::from(v.abs())));
            for (found, sum) in found.iter().zip(sum) {
                let mean = sum / NAMES.len() as f64;
                assert_close(backend, f64::from(*found), mean, tolerance * scale);
            }
        }
    }
}
