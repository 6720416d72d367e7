//! Recurrent layers and cells compute what PyTorch's compute: outputs, last states and all gradients, of two layers in both
//! directions over sequences of different lengths.
//!
//! The numbers are in `recurrent_golden/*.safetensors`, written by `recurrent_golden/make_golden.py`.

mod kernel_setup;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::store::{ModuleSnapshot, ModuleStore, SafetensorsStore, bridge::to_data};
use burn::tensor::{Device, Tensor};
use common::nn::rnn::{
    GruCellConfig, GruConfig, LstmCellConfig, LstmConfig, PYTORCH_KEYS, RnnCellConfig, RnnConfig,
};
use kernel_setup::{leaf, reference, values};

/// Largest difference, relative to the largest number of the tensor.
const TOLERANCE: f32 = 1e-5;
const LENGTHS: [usize; 4] = [4, 1, 6, 3];
const INPUTS: usize = 2;
const HIDDEN: usize = 3;
const LAYERS: usize = 2;

/// One of PyTorch's files, or with a prefix a part of it.
struct Golden {
    bytes: Vec<u8>,
    prefix: &'static str,
}

impl Golden {
    fn open(name: &str, prefix: &'static str) -> Self {
        let path = format!("tests/recurrent_golden/{name}.safetensors");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { bytes, prefix }
    }

    fn numbers(&self, key: &str) -> Vec<f32> {
        let mut store = SafetensorsStore::from_bytes(Some(self.bytes.clone()));
        let key = format!("{}{key}", self.prefix);
        let tensor = store.get_tensor(&key).unwrap();
        let data = to_data(tensor.unwrap_or_else(|| panic!("no {key}"))).unwrap();
        data.iter::<f32>().collect()
    }

    /// The numbers `kind.P` of all parameters P in a module of their own.
    fn module<M: Module>(&self, kind: &str, mut module: M) -> M {
        let pattern = format!(r"^{}{kind}\.(.*)", self.prefix.replace('.', r"\."));
        let mut store = SafetensorsStore::from_bytes(Some(self.bytes.clone()))
            .with_key_remapping(pattern, "$1")
            .allow_partial(true);
        for (from, to) in PYTORCH_KEYS {
            store = store.with_key_remapping(from, to);
        }
        let result = module.load_from(&mut store).unwrap();
        assert!(
            result.missing.is_empty() && result.errors.is_empty(),
            "{kind}: {result:?}"
        );
        module
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
        self.found.push((path, values(tensor)));
    }
}

fn read<M: Module>(module: &M, gradients: Option<&GradientsParams>) -> Vec<(String, Vec<f32>)> {
    let mut read = Read {
        path: Vec::new(),
        gradients,
        found: Vec::new(),
    };
    module.visit(&mut read);
    read.found
}

fn assert_close(what: &str, found: &[f32], want: &[f32]) {
    assert_eq!(found.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0f32, |top, w| top.max(w.abs()));
    for (i, (f, w)) in found.iter().zip(want).enumerate() {
        assert!(
            (f - w).abs() <= TOLERANCE * scale,
            "{what}[{i}]: {f} is not {w}"
        );
    }
}

/// Names and tensors.
type Named<const D: usize> = Vec<(&'static str, Tensor<D>)>;

/// Compares `run` of the module `fresh(device)`, from inputs to outputs, with PyTorch's.
fn compare<M: Module, const D: usize>(
    golden: &Golden,
    fresh: impl Fn(&Device) -> M,
    inputs: &[(&'static str, [usize; D])],
    run: impl Fn(&M, &[Tensor<D>]) -> Named<D>,
) {
    for (backend, device) in [("flex", Device::flex()), ("ndarray", reference())] {
        let what = |which: &str| format!("{}{which} on {backend}", golden.prefix);
        let training = device.clone().autodiff();
        let module = golden
            .module("weight", fresh(&device))
            .train()
            .fork(&training);
        let leaves: Vec<_> = inputs
            .iter()
            .map(|(name, shape)| leaf(&golden.numbers(name), *shape, &training))
            .collect();
        let mut loss = Tensor::<1>::zeros([1], &training);
        for (name, output) in run(&module, &leaves) {
            let weighting = golden.numbers(&format!("weighting.{name}"));
            let weighting = Tensor::<1>::from_floats(weighting.as_slice(), &training);
            loss = loss + (output.clone() * weighting.reshape(output.dims())).sum();
            assert_close(&what(name), &values(output), &golden.numbers(name));
        }
        let grads = loss.backward();
        for ((name, _), leaf) in inputs.iter().zip(&leaves) {
            let name = format!("gradient.{name}");
            assert_close(
                &what(&name),
                &values(leaf.grad(&grads).unwrap()),
                &golden.numbers(&name),
            );
        }
        let found = read(&module, Some(&GradientsParams::from_grads(grads, &module)));
        let want = read(&golden.module("gradient", fresh(&device)), None);
        assert_eq!(found.len(), want.len());
        for ((path, found), (_, want)) in found.iter().zip(&want) {
            assert_close(&what(&format!("gradient of {path}")), found, want);
        }
    }
}

const X: [usize; 3] = [LENGTHS.len(), 6, INPUTS];
const STATES: [usize; 3] = [2 * LAYERS, LENGTHS.len(), HIDDEN];

macro_rules! layers_without_cell_state {
    ($test:ident, $name:literal, $config:ident) => {
        #[test]
        fn $test() {
            let config = $config::new(INPUTS, HIDDEN)
                .with_num_layers(LAYERS)
                .with_bidirectional(true);
            compare(
                &Golden::open($name, ""),
                |device| config.init(device),
                &[("x", X), ("h_0", STATES)],
                |module, inputs| {
                    let h = Some(inputs[1].clone());
                    let (output, h) = module.forward(inputs[0].clone(), Some(&LENGTHS), h);
                    vec![("output", output), ("h_n", h)]
                },
            );
        }
    };
}

layers_without_cell_state!(rnn_is_pytorchs, "rnn", RnnConfig);
layers_without_cell_state!(gru_is_pytorchs, "gru", GruConfig);

#[test]
fn lstm_is_pytorchs() {
    let config = LstmConfig::new(INPUTS, HIDDEN)
        .with_num_layers(LAYERS)
        .with_bidirectional(true);
    compare(
        &Golden::open("lstm", ""),
        |device| config.init(device),
        &[("x", X), ("h_0", STATES), ("c_0", STATES)],
        |module, inputs| {
            let states = Some((inputs[1].clone(), inputs[2].clone()));
            let (output, (h, c)) = module.forward(inputs[0].clone(), Some(&LENGTHS), states);
            vec![("output", output), ("h_n", h), ("c_n", c)]
        },
    );
}

const STEP: [usize; 2] = [LENGTHS.len(), INPUTS];
const STATE: [usize; 2] = [LENGTHS.len(), HIDDEN];

macro_rules! cells_without_cell_state {
    ($test:ident, $name:literal, $config:ident) => {
        #[test]
        fn $test() {
            compare(
                &Golden::open($name, "cell."),
                |device| $config::new(INPUTS, HIDDEN).init(device),
                &[("x_0", STEP), ("x_1", STEP), ("h_0", STATE)],
                |module, inputs| {
                    let steps = module.steps();
                    let h = steps.forward(inputs[0].clone(), inputs[2].clone());
                    // One step by the cell itself: its weights are made ready again.
                    vec![("h", module.forward(inputs[1].clone(), h))]
                },
            );
        }
    };
}

cells_without_cell_state!(rnn_cell_is_pytorchs, "rnn", RnnCellConfig);
cells_without_cell_state!(gru_cell_is_pytorchs, "gru", GruCellConfig);

#[test]
fn lstm_cell_is_pytorchs() {
    compare(
        &Golden::open("lstm", "cell."),
        |device| LstmCellConfig::new(INPUTS, HIDDEN).init(device),
        &[("x_0", STEP), ("x_1", STEP), ("h_0", STATE), ("c_0", STATE)],
        |module, inputs| {
            let steps = module.steps();
            let states = (inputs[2].clone(), inputs[3].clone());
            let states = steps.forward(inputs[0].clone(), states);
            let (h, c) = steps.forward(inputs[1].clone(), states);
            vec![("h", h), ("c", c)]
        },
    );
}
