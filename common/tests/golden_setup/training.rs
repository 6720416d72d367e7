//! Steps of gradient descent that a classifier takes as PyTorch does.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::train::{Network, Optimizer, count_parameters, cross_entropy};
use serde_json::Value;

use super::{SetParameters, assert_close, assert_gradients, assert_numbers};
use super::{devices, gradients_of, noise, numbers, values};

const STEPS: usize = 5;
const LEARNING_RATE: f64 = 0.01;

/// `n` images of noise in [0, 1).
pub fn images(n: usize, device: &Device) -> Tensor<4> {
    let pixels = noise(1000, n * 784);
    let pixels: Vec<f32> = pixels.into_iter().map(|v| (v + 1.0) / 2.0).collect();
    Tensor::from_data(TensorData::new(pixels, [n, 1, 28, 28]), device)
}

/// Compares the number of parameters, the logits, the gradients and the losses of five steps of SGD, on each backend.
pub fn compare_steps<N: Network>(
    name: &str,
    golden: &Value,
    labels: &[i32],
    fresh: impl Fn(&Device) -> N,
    inputs: impl Fn(&Device) -> N::Input,
) {
    let golden = &golden[name];
    for (backend, tolerance) in devices() {
        let what = |which: &str| format!("{name} on {backend}: {which}");
        let device = common::device::open(backend).unwrap().device;
        let network = fresh(&device);
        assert_eq!(golden["parameters"], count_parameters(&network), "{name}");
        let network = network.map(&mut SetParameters::default());
        let device = device.autodiff();
        let mut network = network.train().fork(&device);
        let labels = Tensor::<1, Int>::from_data(labels, &device);

        let mut optimizer = Optimizer::sgd().init();
        let losses = numbers(&golden["losses"]);
        assert_eq!(losses.len(), STEPS);
        for (step, want) in losses.into_iter().enumerate() {
            let logits = network.forward(inputs(&device)); // [B, C]
            let loss = cross_entropy(logits.clone(), labels.clone());
            let gradients = loss.backward();
            let loss = f64::from(loss.into_scalar::<f32>());
            let which = what(&format!("loss of step {step}"));
            assert_close(&which, loss, want, tolerance * want);
            if step == 0 {
                let logits = values(logits);
                assert_numbers(&what("logits"), &logits, &golden["logits"], tolerance);
                let found = gradients_of(&network, &gradients);
                assert_gradients(name, &found, &golden["gradients"], tolerance);
            }
            let gradients = GradientsParams::from_grads(gradients, &network);
            network = optimizer.step(LEARNING_RATE, network, gradients);
        }
    }
}
