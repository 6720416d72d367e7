//! The chapter's networks compute what PyTorch computes: logits, loss, gradients, five steps; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and images are made by a formula
//! that both languages have.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use ch03_cnn::networks::{FullyConnected, PooledCnn, SimpleCnn};
use common::seed::mix;
use common::train::{Network, Optimizer, cross_entropy};
use serde_json::Value;

/// Largest difference from PyTorch, relative to the largest number of the tensor.
const TOLERANCE: f64 = 1e-5;
const LEARNING_RATE: f64 = 0.01;
const IMAGES: usize = 4;
const LABELS: [i32; IMAGES] = [3, 1, 4, 1];

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
struct SetParameters {
    k: u64,
    fan_in: usize,
}

impl ModuleMapper for SetParameters {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.k += 1;
        let shape = parameter.dims();
        // PyTorch's shape is [outputs, inputs] for linear weights, where Burn's is [inputs, outputs].
        match D {
            2 => self.fan_in = shape[0],
            4 => self.fan_in = shape[1] * shape[2] * shape[3],
            _ => {}
        }
        let bound = 2f32.powf((self.fan_in as f32).powf(-0.5).log2().floor());
        let mut values = noise(self.k, shape.iter().product());
        values.iter_mut().for_each(|value| *value *= bound);
        if D == 2 {
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
            2 => transposed(&values, shape[0], shape[1]),
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

fn compare<N: Network<Input = Tensor<4>>>(
    name: &str,
    parameters: usize,
    fresh: impl Fn(&Device) -> N,
) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/golden.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let golden = &golden[name];
    assert_eq!(golden["parameters"], parameters);
    let pixels: Vec<f32> = noise(1000, IMAGES * 784)
        .into_iter()
        .map(|v| (v + 1.0) / 2.0)
        .collect();

    for (backend, tolerance) in devices() {
        let what = |which: &str| format!("{name} on {backend}: {which}");
        let device = common::device::open(backend).unwrap().device;
        let network = fresh(&device);
        assert_eq!(Module::num_params(&network), parameters, "{}", what("size"));
        let network = network.map(&mut SetParameters { k: 0, fan_in: 1 });
        let device = device.autodiff();
        let mut network = network.train().fork(&device);
        let images = TensorData::new(pixels.clone(), [IMAGES, 1, 28, 28]);
        let images = Tensor::<4>::from_data(images, &device);
        let labels = Tensor::<1, Int>::from_data(LABELS, &device);

        let mut optimizer = Optimizer::sgd().init();
        let losses = numbers(&golden["losses"]);
        assert_eq!(losses.len(), 5);
        for (step, want) in losses.into_iter().enumerate() {
            let logits = network.forward(images.clone()); // [B, 10]
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
                let wanted = golden["gradients"].as_object().unwrap();
                assert_eq!(read.found.len(), wanted.len());
                for (path, found) in &read.found {
                    let what = what(&format!("gradient of {path}"));
                    assert_gradient(&what, found, &wanted[path], tolerance);
                }
            }
            network = optimizer.step(LEARNING_RATE, network, gradients);
        }
    }
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
