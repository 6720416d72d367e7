//! The chapter's layers and networks compute what PyTorch computes: output and all gradients in training, output in evaluation with the
//! running statistics of that one batch; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that
//! both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use ch07_autoencoder::TransposeLinear;
use ch07_autoencoder::auto_regressive::AutoRegressive;
use ch07_autoencoder::autoencoders::DeepAutoencoder;
use ch07_autoencoder::loss::cross_entropy_over_time;
use ch07_autoencoder::pca::{NonLinearPca, Pca, PcaRegressor};
use common::data::Batch;
use common::kernels::tanh;
use common::nn::{Linear, LinearConfig};
use common::train::Network;
use golden_setup::modules::{Wanted, prepared, weighted};
use golden_setup::{SetParameters, assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, noise, values};
use serde_json::Value;

const SYMBOLS: usize = 36;
const TEXTS: usize = 3;
const LENGTH: usize = 20;

fn assert_loss(what: &str, found: Tensor<1>, want: &Value, tolerance: f64) {
    let found = f64::from(values(found)[0]);
    let want = want.as_f64().unwrap();
    assert!(
        (found - want).abs() <= tolerance * want,
        "{what}: {found} is not {want}"
    );
}

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

/// A linear layer, tanh, and its matrix transposed.
#[derive(Module, Debug)]
struct Tied {
    layer: Linear,
    transposed: TransposeLinear,
}

impl Tied {
    fn new(device: &Device) -> Self {
        Self {
            layer: LinearConfig::new(6, 4).init(device),
            transposed: TransposeLinear::with_bias(6, device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = tanh(self.layer.forward(x)); // [B, 4]
        self.transposed.forward(h, &self.layer) // [B, 6]
    }
}

#[test]
fn a_matrix_used_in_both_directions_equals_pytorch() {
    compare("TransposeLinear", [5, 6], Tied::new, Tied::forward);
}

#[test]
fn the_gradient_of_a_tied_matrix_is_the_sum_of_both_uses() {
    for (backend, tolerance) in devices() {
        let plain = common::device::open(backend).unwrap().device;
        let device = plain.clone().autodiff();
        let matrix = |seed, shape: [usize; 2]| {
            let data = TensorData::new(noise(seed, shape[0] * shape[1]), shape);
            Tensor::<2>::from_data(data, &device)
        };
        let x = matrix(1, [5, 6]);
        let tied = Tied::new(&plain).map(&mut SetParameters::default());
        let tied = tied.train().fork(&device);
        let w = tied.layer.weight.val();
        let of = |output: Tensor<2>, leaf: &Tensor<2>| -> Tensor<2> {
            let gradients: Gradients = weighted(output).backward();
            leaf.grad(&gradients).unwrap()
        };
        // Written out with a matrix for each use.
        let [own, other] = [w.clone(), w.clone()].map(|w| w.detach().require_grad());
        let bias = |b: &burn::module::Param<Tensor<1>>| b.val().detach().unsqueeze::<2>();
        let untied = || {
            let h = x.clone().matmul(own.clone()) + bias(tied.layer.bias.as_ref().unwrap());
            h.tanh().matmul(other.clone().transpose())
                + bias(tied.transposed.bias.as_ref().unwrap())
        };
        let sum = of(untied(), &own) + of(untied(), &other);
        let found = values(of(tied.forward(x.clone()), &w));
        let want = values(sum);
        let scale = want.iter().fold(0.0f32, |top, v| top.max(v.abs()));
        assert!(scale > 0.1);
        for (found, want) in found.iter().zip(&want) {
            let allowed = tolerance as f32 * scale;
            assert!(
                (found - want).abs() <= allowed,
                "{backend}: {found}, {want}"
            );
        }
    }
}

#[test]
fn shallow_autoencoders_equal_pytorch() {
    compare_network("Pca", 7, Pca::new);
    compare_network("NonLinearPca", 7, NonLinearPca::new);
}

#[test]
fn the_loss_of_pca_with_its_penalty_equals_pytorch() {
    let want = golden("PcaRegressor");
    for (backend, tolerance) in devices() {
        let what = format!("PcaRegressor on {backend}");
        let device = common::device::open(backend).unwrap().device;
        let model = prepared(&want, |d| PcaRegressor::new(Pca::new(d)), &device);
        let images = TensorData::new(noise(1000, 7 * 784), [7, 1, 28, 28]);
        let inputs = Tensor::<4>::from_data(images, &device.autodiff());
        let targets = inputs.clone().flatten(1, 3);
        let output = model.network.forward(inputs.clone());
        let error = (output - targets.clone()).square().mean();
        let penalty = model.network.penalty();
        let by_hand = error + penalty.clone() * 0.1;
        assert_loss(&what, penalty, &want["penalty"], tolerance);
        let found = gradients_of(&model, &by_hand.backward());
        assert_gradients(&what, &found, &want["gradients"], tolerance);
        // The same as a training step sees it.
        let batch = Batch { inputs, targets };
        let step = burn::train::TrainStep::step(&model, batch);
        assert_loss(&what, step.item.loss, &want["loss"], tolerance);
        assert_eq!(step.grads.len(), 1, "one matrix, one gradient");
    }
}

#[test]
fn deep_autoencoders_equal_pytorch() {
    compare_network("DeepAutoencoder, narrow", 16, DeepAutoencoder::narrow);
    compare_network("DeepAutoencoder, wide", 16, DeepAutoencoder::wide);
}

#[test]
fn what_corrupts_the_input_is_off_in_evaluation() {
    let device = Device::flex();
    let input = TensorData::new(noise(3, 4 * 784), [4, 1, 28, 28]);
    let output = |network: DeepAutoencoder, device: &Device| {
        let network = network.map(&mut SetParameters::default());
        let network = match device.is_autodiff() {
            true => network.train().fork(device),
            false => network.valid(),
        };
        values(network.forward(Tensor::from_data(input.clone(), device)))
    };
    let plain = output(DeepAutoencoder::wide(&device), &device);
    let autodiff = device.clone().autodiff();
    let trained = output(DeepAutoencoder::wide(&device), &autodiff);
    for corrupted in [DeepAutoencoder::denoising, DeepAutoencoder::dropout] {
        assert_eq!(output(corrupted(&device), &device), plain);
        assert_ne!(output(corrupted(&device), &autodiff), trained);
    }
}

#[test]
fn the_character_network_and_its_loss_equal_pytorch() {
    let want = golden("AutoRegressive");
    let text: Vec<i32> = (0..TEXTS)
        .flat_map(|i| (0..=LENGTH).map(move |t| ((7 * i + 5 * t + i * t) % SYMBOLS) as i32))
        .collect();
    for (backend, tolerance) in devices() {
        let what = |which: &str| format!("AutoRegressive on {backend}: {which}");
        let device = common::device::open(backend).unwrap().device;
        let network = prepared(&want, |d| AutoRegressive::new(SYMBOLS, d), &device);
        let data = TensorData::new(text.clone(), [TEXTS, LENGTH + 1]);
        let text = Tensor::<2, Int>::from_data(data, &device.autodiff());
        let logits = network.forward(text.clone().narrow(1, 0, LENGTH)); // [B, T, V]
        let loss = cross_entropy_over_time(logits.clone(), text.narrow(1, 1, LENGTH));
        let gradients = loss.backward();
        assert_described(&what("logits"), &values(logits), &want["logits"], tolerance);
        assert_loss(&what("loss"), loss, &want["loss"], tolerance);
        let found = gradients_of(&network, &gradients);
        assert_gradients(&what("loss"), &found, &want["gradients"], tolerance);
    }
}
