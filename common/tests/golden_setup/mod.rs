//! What the golden tests of a chapter share: numbers that Rust and Python both can make, parameters set to them, gradients in
//! PyTorch's layout, and the comparison with a fixture.
//!
//! A chapter takes it in with `#[path = "../../common/tests/golden_setup/mod.rs"] mod golden_setup;`.

// Each test program uses its own part of this.
#![allow(dead_code)]

pub mod modules;
pub mod training;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use common::seed::mix;
use serde_json::Value;

/// A gradient this small beside those just before it is what is left of sums that cancel.
const CANCELLED: f64 = 0.006;

/// The backends of this build, and how near to PyTorch each comes, relative to the size of a tensor.
pub fn devices() -> Vec<(&'static str, f64)> {
    let all = [
        ("flex", cfg!(feature = "flex"), 1e-5),
        ("ndarray", cfg!(feature = "ndarray"), 5e-5),
        ("wgpu", cfg!(feature = "wgpu"), 1e-3),
    ];
    let compiled_in = all.into_iter().filter(|(_, compiled_in, _)| *compiled_in);
    compiled_in
        .map(|(name, _, tolerance)| (name, tolerance))
        .collect()
}

/// `n` numbers of [-1, 1), exact in f32.
pub fn noise(seed: u64, n: usize) -> Vec<f32> {
    let number = |i: u64| (mix(seed, i) >> 40) as f32 / 8_388_608.0 - 1.0;
    (0..n as u64).map(number).collect()
}

/// The path of a parameter in its module.
#[derive(Default)]
struct Place(Vec<String>);

impl Place {
    fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Burn's visitors see the running averages of a batch norm as if they were parameters.
    fn is_statistic(&self) -> bool {
        ["running_mean", "running_var"].contains(&self.name())
    }

    fn is_norm(&self) -> bool {
        ["gamma", "beta"].contains(&self.name())
    }

    /// Whether a matrix is one of a linear layer: [inputs, outputs], where PyTorch's is [outputs, inputs].
    fn is_linear(&self, axes: usize) -> bool {
        let is_recurrent = self.name().starts_with("weight_");
        let is_embedding = self.0.iter().any(|part| part == "embedding");
        axes == 2 && !is_recurrent && !is_embedding
    }
}

/// Gives the k-th parameter the values of `make_golden.py`.
#[derive(Default)]
pub struct SetParameters {
    place: Place,
    k: u64,
    fan_in: usize,
}

impl ModuleMapper for SetParameters {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.0.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.0.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.place.is_statistic() {
            return parameter;
        }
        self.k += 1;
        let shape = parameter.dims();
        let turned = self.place.is_linear(D);
        match D {
            2 if turned => self.fan_in = shape[0],
            2 | 4 => self.fan_in = shape[1..].iter().product(),
            _ => {}
        }
        let bound = match self.place.is_norm() {
            true => 1.0,
            false => 2f32.powf((self.fan_in as f32).powf(-0.5).log2().floor()),
        };
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

/// The values of a tensor, row-major.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

/// Path and gradient of each parameter, in PyTorch's layout.
pub fn gradients_of(module: &impl Module, gradients: &Gradients) -> Vec<(String, Vec<f32>)> {
    let mut read = ReadGradients {
        place: Place::default(),
        gradients,
        found: Vec::new(),
    };
    module.visit(&mut read);
    read.found
}

struct ReadGradients<'a> {
    place: Place,
    gradients: &'a Gradients,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for ReadGradients<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.0.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.place.is_statistic() {
            return;
        }
        let path = self.place.0.join(".");
        let gradient = parameter.val().grad(self.gradients);
        let gradient = gradient.unwrap_or_else(|| panic!("{path} has no gradient"));
        let shape = gradient.dims();
        let values = values(gradient);
        let values = match self.place.is_linear(D) {
            true => transposed(&values, shape[0], shape[1]),
            false => values,
        };
        self.found.push((path, values));
    }
}

fn length(values: &[f32]) -> f64 {
    let squares = values.iter().map(|v| f64::from(*v).powi(2));
    squares.sum::<f64>().sqrt()
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list of numbers");
    let number = |value: &Value| value.as_f64().expect("a number");
    list.iter().map(number).collect()
}

/// What PyTorch computes with the module of this name of the package's fixture.
pub fn golden(name: &str) -> Value {
    read_golden("tests/golden/golden.json")[name].take()
}

/// The fixture in `path`.
pub fn read_golden(path: &str) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn assert_close(what: &str, found: f64, want: f64, allowed: f64) {
    assert!(
        (found - want).abs() <= allowed,
        "{what}: {found} is not {want} within {allowed:.1e}"
    );
}

/// Compares all values, relative to the largest.
pub fn assert_numbers(what: &str, found: &[f32], want: &Value, tolerance: f64) {
    let want = numbers(want);
    assert_eq!(found.len(), want.len(), "{what}");
    let top = want.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    for (i, (found, want)) in found.iter().zip(want).enumerate() {
        assert_close(
            &format!("value {i} of {what}"),
            f64::from(*found),
            want,
            tolerance * top,
        );
    }
}

/// Compares a tensor with its first values, length, and projection on noise, which a wrong order would change.
pub fn assert_described(what: &str, found: &[f32], want: &Value, tolerance: f64) {
    assert_near(what, found, want, tolerance, 0.0);
}

/// The same, where the rounding errors are those of numbers as large as `scale`.
fn assert_near(what: &str, found: &[f32], want: &Value, tolerance: f64, scale: f64) {
    let close = |which: &str, found: f64, want: f64, size: f64| {
        let allowed = tolerance * size.max(scale);
        assert_close(&format!("{which} of {what}"), found, want, allowed);
    };
    let number = |name: &str| want[name].as_f64().expect(name);
    let top = f64::from(found.iter().fold(0.0f32, |top, v| top.max(v.abs())));
    for (i, (f, w)) in found.iter().zip(numbers(&want["first"])).enumerate() {
        close(&format!("value {i}"), f64::from(*f), w, top);
    }
    close("length", length(found), number("length"), number("length"));
    let directions = noise(99, found.len());
    let products = found.iter().zip(directions);
    let projection = products.map(|(v, d)| f64::from(*v) * f64::from(d)).sum();
    let size = number("absolute");
    close("projection", projection, number("projection"), size);
}

/// Compares all gradients.
///
/// A bias before a batch norm has no gradient but rounding errors, since the norm takes the bias away again, and weights of one input
/// hardly have one, since the norm takes their scale away. Such gradients are compared at the scale of those just before them.
pub fn assert_gradients(what: &str, found: &[(String, Vec<f32>)], want: &Value, tolerance: f64) {
    let want = want.as_array().expect("a list of gradients");
    assert_eq!(found.len(), want.len(), "{what}");
    let wanted = want.iter().map(|want| want["length"].as_f64());
    let lengths: Vec<f64> = wanted.map(|length| length.expect("a length")).collect();
    for (k, ((path, found), want)) in found.iter().zip(want).enumerate() {
        let before = &lengths[k.saturating_sub(3)..k];
        let before = before.iter().fold(0.0f64, |top, v| top.max(*v));
        let cancelled = lengths[k] < CANCELLED * before;
        let scale = if cancelled { before } else { 0.0 };
        let what = format!("{what}: gradient of {path}");
        assert_near(&what, found, want, tolerance, scale);
    }
}
