//! What the tests of training share: two small networks, data, a recipe, and how results are compared.

#![allow(dead_code)] // each test file uses its part

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor};
use common::data::{Points, two_moons};
use common::train::{Classifier, Display, Folders, History, Network, Recipe, Session};

/// Burn's CPU backend has one generator of random numbers for the whole process: tests that train run one at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// 2 -> 8 -> tanh -> dropout -> 2, 42 parameters; the dropout draws random numbers while it trains.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Linear,
    dropout: Dropout,
    output: Linear,
}

impl Network for Mlp {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = tanh(self.hidden.forward(x)); // [B, 8]
        self.output.forward(self.dropout.forward(h)) // [B, 2]
    }
}

/// What most tests train.
pub type Model = Classifier<Mlp>;

pub fn classifier(device: &Device) -> Model {
    Classifier::new(Mlp {
        hidden: LinearConfig::new(2, 8).init(device),
        dropout: DropoutConfig::new(0.1).init(),
        output: LinearConfig::new(8, 2).init(device),
    })
}

/// y = wx
#[derive(Module, Debug)]
pub struct Line {
    linear: Linear,
}

impl Line {
    pub fn new(device: &Device) -> Self {
        let linear = LinearConfig::new(1, 1).with_bias(false).init(device);
        Self { linear }
    }
}

impl Network for Line {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear.forward(x)
    }
}

/// 96 training and 40 test points.
pub fn moons() -> (Arc<Points>, Arc<Points>) {
    (
        Arc::new(two_moons(96, 0.2, 1)),
        Arc::new(two_moons(40, 0.2, 2)),
    )
}

/// AdamW, whose state a resumed run needs too, on shuffled batches of 16.
pub fn recipe(epochs: usize) -> Recipe {
    Recipe {
        lr: 0.02,
        ..Recipe::adamw(16, epochs)
    }
}

/// A quiet session on the fast CPU backend; with a folder it writes checkpoints and models.
pub fn session(folder: Option<&Path>) -> Session {
    Session {
        device: common::device::open("flex").unwrap().device,
        seed: 42,
        display: Display::Quiet,
        folders: folder.map(|folder| Folders {
            checkpoints: folder.join("checkpoints"),
            models: folder.join("models"),
        }),
        resume: false,
        reuse: Vec::new(),
        context: serde_json::Value::Null,
    }
}

struct Weights(Vec<f32>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let values = parameter.val().into_data().try_to_vec::<f32>().unwrap();
        self.0.extend(values);
    }
}

/// All parameters of a model.
pub fn weights<M: Module>(model: &M) -> Vec<f32> {
    let mut weights = Weights(Vec::new());
    model.visit(&mut weights);
    weights.0
}

/// All parameters of a model, to be compared bit by bit.
pub fn bits<M: Module>(model: &M) -> Vec<u32> {
    weights(model).into_iter().map(f32::to_bits).collect()
}

/// A history without its times, to be compared bit by bit.
pub fn numbers(history: &History) -> Vec<(String, Vec<u64>)> {
    let columns = history.columns().iter().filter(|c| *c != "total time");
    let bits = |column: &String| history.column(column).iter().map(|v| v.to_bits()).collect();
    columns
        .map(|column| (column.clone(), bits(column)))
        .collect()
}

/// All files below `folder`, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}
