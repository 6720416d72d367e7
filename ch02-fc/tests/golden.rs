//! The chapter's networks compute what PyTorch computes: output, loss, gradients, and five steps of the training loop.
//!
//! The numbers are in `golden/*.safetensors`, written by `golden/make_golden.py`.

use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::store::{
    ModuleSnapshot, ModuleStore, PyTorchToBurnAdapter, SafetensorsStore, bridge::to_data,
};
use burn::tensor::{Device, Tensor};
use ch02_fc::networks::{LinearModel, MoonsMlp, TanhRegressor, TwoLinear};
use ch02_fc::train_simple::{SimpleTraining, train_simple_network};
use common::data::{Batch, Batches, Points, Regression};
use common::train::{Network, cross_entropy, mean_squared_error};

/// Largest difference, relative to the largest number of the tensor.
const TOLERANCE: f32 = 1e-5;
/// Five steps change a parameter by about a thousandth, so a parameter after them must be nearer.
const STEPPED_TOLERANCE: f32 = 1e-6;

/// The backends of this build.
fn devices() -> Vec<(&'static str, Device)> {
    let compiled_in = [
        ("flex", cfg!(feature = "flex")),
        ("ndarray", cfg!(feature = "ndarray")),
    ];
    let names = compiled_in
        .iter()
        .filter(|(_, compiled_in)| *compiled_in)
        .map(|(name, _)| *name);
    names
        .map(|name| (name, common::device::open(name).unwrap().device))
        .collect()
}

/// One of PyTorch's files.
struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        let path = format!("tests/golden/{name}.safetensors");
        Self(std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    fn store(&self) -> SafetensorsStore {
        SafetensorsStore::from_bytes(Some(self.0.clone()))
    }

    fn numbers(&self, key: &str) -> Vec<f32> {
        let mut store = self.store();
        let tensor = store.get_tensor(key).unwrap();
        let data = to_data(tensor.unwrap_or_else(|| panic!("no {key}"))).unwrap();
        data.iter::<f32>().collect()
    }

    /// The numbers `kind.P` of all parameters P, in a network of their own and so in Burn's layout.
    fn network<N: Module>(&self, kind: &str, mut network: N) -> N {
        let mut store = self
            .store()
            .with_from_adapter(PyTorchToBurnAdapter)
            .with_key_remapping(format!(r"^{kind}\.(.*)"), "$1")
            .allow_partial(true);
        let result = network.load_from(&mut store).unwrap();
        assert!(result.missing.is_empty(), "{kind}: {result:?}");
        assert!(result.errors.is_empty(), "{kind}: {result:?}");
        network
    }
}

/// Path and values of each parameter, or with `gradients` of each parameter's gradient.
struct Read<'a> {
    path: Vec<String>,
    gradients: Option<&'a GradientsParams>,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Read<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let tensor = match self.gradients {
            None => parameter.val(),
            Some(gradients) => gradients
                .get::<D>(parameter.id)
                .unwrap_or_else(|| panic!("{path} has no gradient")),
        };
        let values = tensor.into_data().try_to_vec::<f32>().unwrap();
        self.found.push((path, values));
    }
}

fn read<N: Module>(network: &N, gradients: Option<&GradientsParams>) -> Vec<(String, Vec<f32>)> {
    let mut read = Read {
        path: Vec::new(),
        gradients,
        found: Vec::new(),
    };
    network.visit(&mut read);
    read.found
}

fn assert_close(what: &str, found: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(found.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0f32, |top, w| top.max(w.abs()));
    for (i, (f, w)) in found.iter().zip(want).enumerate() {
        assert!(
            (f - w).abs() <= tolerance * scale,
            "{what}[{i}]: {f} is not {w} (scale {scale})"
        );
    }
}

/// Compares `fresh(device)` with PyTorch's network in `golden/name.safetensors`, on each backend.
fn compare<N, T, D>(
    name: &str,
    parameters: usize,
    data: D,
    loss_function: fn(Tensor<2>, T) -> Tensor<1>,
    fresh: impl Fn(&Device) -> N,
) where
    N: Network<Input = Tensor<2>>,
    D: Batches<Batch = Batch<Tensor<2>, T>> + 'static,
    T: Send + 'static,
{
    let golden = Golden::open(name);
    let data = Arc::new(data);
    for (backend, device) in devices() {
        let what = |which: &str| format!("{name} on {backend}: {which}");
        let network = golden.network("weight", fresh(&device));
        assert_eq!(Module::num_params(&network), parameters, "{}", what("size"));

        // One step by hand: output, loss, gradients.
        let training = device.clone().autodiff();
        let all: Vec<usize> = (0..data.len()).collect();
        let batch = data.batch(&all, 0, &training);
        let learner = network.clone().train().fork(&training);
        let output = learner.forward(batch.inputs); // [B, C]
        let loss = loss_function(output.clone(), batch.targets);
        let gradients = GradientsParams::from_grads(loss.backward(), &learner);
        let output = output.into_data().try_to_vec::<f32>().unwrap();
        assert_close(
            &what("output"),
            &output,
            &golden.numbers("output"),
            TOLERANCE,
        );
        let losses = golden.numbers("losses");
        assert_close(
            &what("loss"),
            &[loss.into_scalar::<f32>()],
            &losses[..1],
            TOLERANCE,
        );
        let found = read(&learner, Some(&gradients));
        let want = read(&golden.network("gradient", fresh(&device)), None);
        for ((path, found), (_, want)) in found.iter().zip(&want) {
            assert_close(
                &what(&format!("gradient of {path}")),
                found,
                want,
                TOLERANCE,
            );
        }
        assert_eq!(found.len(), want.len());

        // Five steps by the chapter's own loop: the whole set in a batch, so that an epoch is a step.
        let mut told = Vec::new();
        let trained = train_simple_network(
            network,
            &data,
            loss_function,
            SimpleTraining {
                device: &device,
                epochs: losses.len(),
                batch_size: data.len(),
                lr: 0.001,
                shuffle: None,
                on_epoch: &mut |_, loss| told.push(loss as f32),
            },
        )
        .unwrap();
        assert_eq!(losses.len(), 5);
        for (step, (found, want)) in told.iter().zip(&losses).enumerate() {
            assert_close(
                &what(&format!("loss of step {step}")),
                &[*found],
                &[*want],
                TOLERANCE,
            );
        }
        assert_eq!(told.len(), losses.len());
        let want = read(&golden.network("stepped", fresh(&device)), None);
        for ((path, found), (_, want)) in read(&trained, None).iter().zip(&want) {
            assert_close(
                &what(&format!("{path} after 5 steps")),
                found,
                want,
                STEPPED_TOLERANCE,
            );
        }
    }
}

fn regression(name: &str) -> Regression {
    let golden = Golden::open(name);
    Regression {
        inputs: golden.numbers("input"),
        targets: golden.numbers("target"),
        input_dim: 1,
        target_dim: 1,
    }
}

fn points(name: &str) -> Points {
    let golden = Golden::open(name);
    let labels = golden.numbers("target");
    Points {
        features: golden.numbers("input"),
        dim: 2,
        labels: labels.into_iter().map(|label| label as u8).collect(),
        classes: 2,
    }
}

#[test]
fn linear_regression_equals_pytorch() {
    let data = regression("linear_1_1");
    compare("linear_1_1", 2, data, mean_squared_error, |device| {
        LinearModel::new(1, 1, device)
    });
}

#[test]
fn the_linear_classifier_equals_pytorch() {
    let data = points("linear_2_2");
    compare("linear_2_2", 6, data, cross_entropy, |device| {
        LinearModel::new(2, 2, device)
    });
}

#[test]
fn two_linear_layers_equal_pytorch() {
    let data = regression("two_linear");
    compare("two_linear", 31, data, mean_squared_error, |device| {
        TwoLinear::new(10, device)
    });
}

#[test]
fn the_tanh_regressor_equals_pytorch() {
    let data = regression("tanh_regressor");
    compare("tanh_regressor", 31, data, mean_squared_error, |device| {
        TanhRegressor::new(10, device)
    });
}

#[test]
fn the_moons_network_equals_pytorch() {
    let data = points("moons_mlp");
    compare("moons_mlp", 1_082, data, cross_entropy, MoonsMlp::new);
}
