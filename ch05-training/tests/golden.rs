//! The chapter's network computes what PyTorch computes: logits, gradients, and twenty steps by each optimizer with each schedule.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and images are made by a formula
//! that both languages have.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use ch05_training::networks::Mlp;
use common::seed::mix;
use common::train::{Clip, Losses, Network, Optimizer, Schedule, cross_entropy};
use serde_json::Value;

/// Largest difference from PyTorch, relative to the largest number of the tensor.
const TOLERANCE: f64 = 1e-5;
const IMAGES: usize = 8;
const STEPS: usize = 20;
/// So low that it cuts most gradients.
const CLIP: f64 = 0.01;

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
        // PyTorch's linear weights are [outputs, inputs], Burn's [inputs, outputs].
        if D == 2 {
            self.fan_in = shape[0];
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

/// The gradient of each parameter, in PyTorch's layout.
struct ReadGradients<'a> {
    gradients: &'a GradientsParams,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for ReadGradients<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(parameter.id);
        let gradient = gradient.expect("each parameter has a gradient");
        let shape = gradient.dims();
        let values = gradient.into_data().try_to_vec::<f32>().unwrap();
        self.found.push(match D {
            2 => transposed(&values, shape[0], shape[1]),
            _ => values,
        });
    }
}

fn assert_close(what: &str, found: f64, want: f64, allowed: f64) {
    assert!(
        (found - want).abs() <= allowed,
        "{what}: {found} is not {want} within {allowed:.1e}"
    );
}

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/golden.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The network with the fixture's parameters, ready to be trained, with images and labels.
fn problem(backend: &str) -> (Mlp, Tensor<4>, Tensor<1, Int>) {
    let device = common::device::open(backend).unwrap().device;
    let network = Mlp::book(&device).map(&mut SetParameters { k: 0, fan_in: 1 });
    let device = device.autodiff();
    let pixels = noise(1000, IMAGES * 784).into_iter();
    let pixels: Vec<f32> = pixels.map(|v| (v + 1.0) / 2.0).collect();
    let images = TensorData::new(pixels, [IMAGES, 1, 28, 28]);
    let labels: Vec<i32> = (0..IMAGES as i32).map(|i| i * 3 % 10).collect();
    (
        network.train().fork(&device),
        Tensor::from_data(images, &device),
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
        let loss = cross_entropy(logits.clone(), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let logits = logits.into_data().try_to_vec::<f32>().unwrap();
        let wanted = numbers(&golden["logits"]);
        let scale = wanted.iter().fold(0.0f64, |top, v| top.max(v.abs()));
        assert_eq!(logits.len(), wanted.len());
        for (found, want) in logits.iter().zip(wanted) {
            let what = format!("{backend}: logits");
            assert_close(&what, f64::from(*found), want, tolerance * scale);
        }
        let mut read = ReadGradients {
            gradients: &gradients,
            found: Vec::new(),
        };
        network.visit(&mut read);
        let wanted = golden["gradients"].as_array().unwrap();
        assert_eq!(read.found.len(), wanted.len());
        for (k, (found, want)) in read.found.iter().zip(wanted).enumerate() {
            assert_gradient(&format!("{backend}, gradient {k}"), found, want, tolerance);
        }
    }
}

/// Compares a gradient with its first values, length, and projection on noise, which a wrong order would change.
fn assert_gradient(what: &str, found: &[f32], want: &Value, tolerance: f64) {
    let found: Vec<f64> = found.iter().map(|v| f64::from(*v)).collect();
    let scale = found.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    for (i, (f, w)) in found.iter().zip(numbers(&want["first"])).enumerate() {
        assert_close(&format!("{what}[{i}]"), *f, w, tolerance * scale);
    }
    let number = |name: &str| want[name].as_f64().unwrap();
    let length = found.iter().map(|v| v * v).sum::<f64>().sqrt();
    let allowed = tolerance * number("length");
    assert_close(
        &format!("length of {what}"),
        length,
        number("length"),
        allowed,
    );
    let directions = noise(99, found.len());
    let projection = found.iter().zip(directions).map(|(v, d)| v * f64::from(d));
    assert_close(
        &format!("projection of {what}"),
        projection.sum(),
        number("projection"),
        tolerance * number("absolute"),
    );
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
