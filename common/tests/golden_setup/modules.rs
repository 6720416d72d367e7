//! A module compared with what PyTorch computes with it: output in training, all gradients, and output in evaluation with the running
//! statistics of that one batch.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use common::train::count_parameters;
use serde_json::Value;

use super::{SetParameters, assert_described, assert_gradients, devices};
use super::{gradients_of, noise, values};

/// Noise of this shape.
pub fn noisy<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = noise(seed, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// `output` weighted by noise, so that each value has another gradient.
pub fn weighted<const D: usize>(output: Tensor<D>) -> Tensor<1> {
    let directions = noisy(2000, output.dims(), &output.device());
    (output * directions).sum()
}

/// The module with the fixture's parameters, on a device with automatic differentiation.
pub fn prepared<M: Module>(want: &Value, fresh: impl Fn(&Device) -> M, device: &Device) -> M {
    let module = fresh(device);
    assert_eq!(want["parameters"], count_parameters(&module));
    let module = module.map(&mut SetParameters::default());
    module.train().fork(&device.clone().autodiff())
}

/// A module's fixture.
pub struct Wanted<'a> {
    /// What failures are called by.
    pub name: &'a str,
    /// What PyTorch has found.
    pub numbers: Value,
    /// How much further than others this module may be from PyTorch: 1, or more if it is deep, or divides by small spreads.
    pub rounding: f64,
}

impl Wanted<'_> {
    /// The input that the fixture was made with.
    pub fn input(&self, values: usize) -> Vec<f32> {
        noise(self.numbers["seed"].as_u64().expect(self.name), values)
    }

    /// Compares the module on each backend. Where the fixture has no gradients of parameters, only that of the input is compared.
    pub fn compare<M: Module, const I: usize, const O: usize>(
        &self,
        input: Vec<f32>,
        shape: [usize; I],
        fresh: impl Fn(&Device) -> M,
        forward: impl Fn(&M, Tensor<I>) -> Tensor<O>,
    ) {
        let want = &self.numbers;
        for (backend, tolerance) in devices() {
            let tolerance = self.rounding * tolerance;
            let what = |which: &str| format!("{} on {backend}: {which}", self.name);
            let device = common::device::open(backend).unwrap().device;
            let module = prepared(want, &fresh, &device);
            let input = TensorData::new(input.clone(), shape);
            let leaf = Tensor::<I>::from_data(input.clone(), &device.clone().autodiff());
            let leaf = leaf.require_grad();

            let output = forward(&module, leaf.clone());
            let gradients = weighted(output.clone()).backward();
            let check = |which: &str, found: Vec<f32>| {
                assert_described(&what(which), &found, &want[which], tolerance);
            };
            check("training", values(output));
            check("input", values(leaf.grad(&gradients).unwrap()));
            if !want["gradients"].is_null() {
                let found = gradients_of(&module, &gradients);
                assert_gradients(&what("training"), &found, &want["gradients"], tolerance);
            }
            let input = Tensor::from_data(input, &device);
            check("evaluation", values(forward(&module.valid(), input)));
        }
    }
}
