//! The chapter's networks compute what PyTorch computes: logits, loss, gradients, five steps; and each backend the same. Names of
//! different lengths come in one padded batch, which PyTorch computes with packed sequences.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and images are made by a formula
//! that both languages have.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use ch04_rnn::networks::NameClassifier;
use ch04_rnn::sharing::{Mlp, SharedMlp};
use common::data::{PaddedSequences, Sequences, spell};
use common::seed::mix;
use common::train::{Network, Optimizer, cross_entropy};
use serde_json::Value;

/// Largest difference from PyTorch, relative to the largest number of the tensor.
const TOLERANCE: f64 = 1e-5;
const LEARNING_RATE: f64 = 0.01;
const LABELS: [i32; 4] = [6, 1, 8, 9];
const NAMES: [&str; 4] = ["frank", "x", "o'neal", "dostoevsky"];

/// `n` numbers of [-1, 1), exact in f32.
fn noise(seed: u64, n: usize) -> Vec<f32> {
    let number = |i: u64| (mix(seed, i) >> 40) as f32 / 8_388_608.0 - 1.0;
    (0..n as u64).map(number).collect()
}

/// The backends of this build, and how near to PyTorch each comes.
fn devices() -> Vec<(&'static str, f64)> {
    let all = [
        ("flex", cfg!(feature = "flex"), TOLERANCE),
        ("ndarray", cfg!(feature = "ndarray"), TOLERANCE),
        ("wgpu", cfg!(feature = "wgpu"), 1e-3),
    ];
    let compiled_in = all.into_iter().filter(|(_, compiled_in, _)| *compiled_in);
    compiled_in
        .map(|(name, _, tolerance)| (name, tolerance))
        .collect()
}

/// Gives the k-th parameter the values of `make_golden.py`.
#[derive(Default)]
struct SetParameters {
    path: Vec<String>,
    k: u64,
    fan_in: usize,
}

/// Whether a matrix is one of a linear layer: [inputs, outputs], where PyTorch's is [outputs, inputs].
fn is_linear(path: &[String]) -> bool {
    !path.iter().any(|part| part == "rnn" || part == "embedding")
}

impl ModuleMapper for SetParameters {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.k += 1;
        let shape = parameter.dims();
        let turned = D == 2 && is_linear(&self.path);
        if D == 2 {
            self.fan_in = if turned { shape[0] } else { shape[1] };
        }
        let bound = 2f32.powf((self.fan_in as f32).powf(-0.5).log2().floor());
        let mut values = noise(self.k, shape.iter().product());
        values.iter_mut().for_each(|value| *value *= bound);
        if turned {
            values = transposed(&values, shape[1], shape[0]);
        }
        parameter.map(|tensor| Tensor::from_data(TensorData::new(values, shape), &tensor.device()))
    }
}

/// A row-major [rows, columns] as [columns, rows].
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let column = |c: usize| (0..rows).map(move |r| values[r * columns + c]);
    (0..columns).flat_map(column).collect()
}

/// Path and gradient of each parameter, in PyTorch's layout.
struct ReadGradients<'a> {
    path: Vec<String>,
    gradients: &'a GradientsParams,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for ReadGradients<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let gradient = self.gradients.get::<D>(parameter.id);
        let gradient = gradient.unwrap_or_else(|| panic!("{path} has no gradient"));
        let shape = gradient.dims();
        let values = gradient.into_data().try_to_vec::<f32>().unwrap();
        let values = match D {
            2 if is_linear(&self.path) => transposed(&values, shape[0], shape[1]),
            _ => values,
        };
        self.found.push((path, values));
    }
}

fn assert_close(what: &str, found: f64, want: f64, allowed: f64) {
    assert!(
        (found - want).abs() <= allowed,
        "{what}: {found} is not {want} within {allowed:.1e}"
    );
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Compares a gradient with its first values, length, and projection on noise, which a wrong order would change.
fn assert_gradient(what: &str, found: &[f32], want: &Value, tolerance: f64) {
    let found: Vec<f64> = found.iter().map(|v| f64::from(*v)).collect();
    let scale = found.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    for (i, (f, w)) in found.iter().zip(numbers(&want["first"])).enumerate() {
        assert_close(&format!("{what}[{i}]"), *f, w, tolerance * scale);
    }
    let length = want["length"].as_f64().unwrap();
    let found_length = found.iter().map(|v| v * v).sum::<f64>().sqrt();
    assert_close(
        &format!("length of {what}"),
        found_length,
        length,
        tolerance * length,
    );
    let absolute = want["absolute"].as_f64().unwrap();
    let directions = noise(99, found.len());
    let projection = found.iter().zip(directions).map(|(v, d)| v * f64::from(d));
    let (found, want) = (projection.sum(), want["projection"].as_f64().unwrap());
    assert_close(
        &format!("projection of {what}"),
        found,
        want,
        tolerance * absolute,
    );
}

fn compare<N: Network>(
    name: &str,
    parameters: usize,
    fresh: impl Fn(&Device) -> N,
    inputs: impl Fn(&Device) -> N::Input,
) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/golden.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let golden = &golden[name];
    assert_eq!(golden["parameters"], parameters);

    for (backend, tolerance) in devices() {
        let what = |which: &str| format!("{name} on {backend}: {which}");
        let device = common::device::open(backend).unwrap().device;
        let network = fresh(&device);
        assert_eq!(Module::num_params(&network), parameters, "{}", what("size"));
        let network = network.map(&mut SetParameters::default());
        let device = device.autodiff();
        let mut network = network.train().fork(&device);
        let labels = Tensor::<1, Int>::from_data(LABELS, &device);

        let mut optimizer = Optimizer::sgd().init();
        let losses = numbers(&golden["losses"]);
        assert_eq!(losses.len(), 5);
        for (step, want) in losses.into_iter().enumerate() {
            let logits = network.forward(inputs(&device)); // [B, C]
            let loss = cross_entropy(logits.clone(), labels.clone());
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let loss = f64::from(loss.into_scalar::<f32>());
            assert_close(
                &what(&format!("loss of step {step}")),
                loss,
                want,
                tolerance * want,
            );
            if step == 0 {
                let logits = logits.into_data().try_to_vec::<f32>().unwrap();
                let wanted = numbers(&golden["logits"]);
                let scale = wanted.iter().fold(0.0f64, |top, v| top.max(v.abs()));
                assert_eq!(logits.len(), wanted.len());
                for (found, want) in logits.iter().zip(wanted) {
                    assert_close(&what("logits"), f64::from(*found), want, tolerance * scale);
                }
                let mut read = ReadGradients {
                    path: Vec::new(),
                    gradients: &gradients,
                    found: Vec::new(),
                };
                network.visit(&mut read);
                let wanted = golden["gradients"].as_array().unwrap();
                assert_eq!(read.found.len(), wanted.len());
                for ((path, found), want) in read.found.iter().zip(wanted) {
                    let what = what(&format!("gradient of {path}"));
                    assert_gradient(&what, found, want, tolerance);
                }
            }
            network = optimizer.step(LEARNING_RATE, network, gradients);
        }
    }
}

fn images(device: &Device) -> Tensor<4> {
    let pixels = noise(1000, LABELS.len() * 784);
    let pixels: Vec<f32> = pixels.into_iter().map(|v| (v + 1.0) / 2.0).collect();
    Tensor::from_data(TensorData::new(pixels, [LABELS.len(), 1, 28, 28]), device)
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
    compare("Mlp", 335_114, Mlp::new, images);
}

#[test]
fn the_mlp_with_a_shared_layer_equals_pytorch() {
    compare("SharedMlp", 269_322, SharedMlp::new, images);
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
    let gradients = GradientsParams::from_grads(gradients, network);
    let mut read = ReadGradients {
        path: Vec::new(),
        gradients: &gradients,
        found: Vec::new(),
    };
    network.visit(&mut read);
    let found = read.found.into_iter().map(|(_, values)| values);
    (logits.into_data().try_to_vec().unwrap(), found.collect())
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
