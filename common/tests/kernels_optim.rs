//! Optimizers, schedules and clipping take PyTorch's steps, on every device, and their records carry the whole state.
//!
//! The numbers are in `kernels_optim/golden.json`, written by `kernels_optim/make_golden.py`.

mod kernel_setup;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use common::train::{Clip, Optimizer, Recipe, Schedule, mean_squared_error};
use kernel_setup::{random, reference, values};
use serde_json::Value;

const STEPS: usize = 20;
const LR: f64 = 0.05;

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read("tests/kernels_optim/golden.json").unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn tensor<const D: usize>(value: &Value, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(floats(value), shape), device)
}

fn optimizer(name: &str) -> Optimizer {
    let sgd = |momentum, nesterov, weight_decay| Optimizer::Sgd {
        momentum,
        nesterov,
        weight_decay,
    };
    match name {
        "sgd" => Optimizer::sgd(),
        "sgd decay" => sgd(0.0, false, 0.1),
        "momentum" => Optimizer::sgd_momentum(0.9),
        "momentum decay" => sgd(0.5, false, 0.1),
        "nesterov" => Optimizer::nesterov(0.9),
        "adam" => Optimizer::adam(),
        "adam betas" => Optimizer::Adam {
            betas: (0.0, 0.9),
            eps: 1e-3,
        },
        "adamw" => Optimizer::adamw(),
        other => panic!("{other}"),
    }
}

fn schedule(name: &str) -> Schedule {
    match name {
        "constant" => Schedule::Constant,
        "exponential" => Schedule::Exponential { gamma: 0.8 },
        "step" => Schedule::Step {
            every: 3,
            gamma: 0.3,
        },
        "cosine" => Schedule::Cosine {
            epochs: STEPS,
            min: 0.001,
        },
        other => panic!("{other}"),
    }
}

fn clip(name: &str) -> Option<Clip> {
    match name {
        "none" => None,
        "value" => Some(Clip::Value(0.1)),
        "norm" => Some(Clip::Norm(0.3)),
        other => panic!("{other}"),
    }
}

/// What the fixture trains: tanh(xW + b) against y.
struct Problem {
    model: Linear,
    x: Tensor<2>,
    y: Tensor<2>,
}

impl Problem {
    fn new(problem: &Value, device: &Device) -> Self {
        let mut model = LinearConfig::new(2, 19).init(device);
        model.weight = Param::from_tensor(tensor(&problem["weight"], [2, 19], device));
        model.bias = Some(Param::from_tensor(tensor(&problem["bias"], [19], device)));
        Self {
            model,
            x: tensor(&problem["x"], [6, 2], device),
            y: tensor(&problem["y"], [6, 19], device),
        }
    }

    fn gradients(&self) -> GradientsParams {
        let output = self.model.forward(self.x.clone()).tanh();
        let loss = mean_squared_error(output, self.y.clone()) * 20.0;
        GradientsParams::from_grads(loss.backward(), &self.model)
    }

    fn step(&mut self, optimizer: &mut ModuleOptimizer, lr: f64, clip: Option<Clip>) {
        let mut gradients = self.gradients();
        if let Some(clip @ Clip::Norm(_)) = clip {
            gradients = clip.apply(gradients, &self.model);
        }
        self.model = optimizer.step(lr, self.model.clone(), gradients);
    }

    fn weights(&self) -> Vec<f32> {
        let model = self.model.valid();
        let mut all = values(model.weight.val());
        all.extend(values(model.bias.unwrap().val()));
        all
    }
}

fn assert_near(what: &str, found: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(found.len(), want.len(), "{what}");
    for (i, (f, w)) in found.iter().zip(want).enumerate() {
        assert!((f - w).abs() <= tolerance, "{what}[{i}]: {f} is not {w}");
    }
}

#[test]
fn twenty_steps_are_pytorchs_on_every_device() {
    let golden = golden();
    let runs = golden["runs"].as_object().unwrap();
    assert_eq!(runs.len(), 8 * 4 + 7 * 2);
    for device in [Device::flex(), reference()] {
        let device = device.autodiff();
        for (name, want) in runs {
            let parts: Vec<&str> = name.split(", ").collect();
            let (kind, clip) = (optimizer(parts[0]), clip(parts[2]));
            let mut schedule = schedule(parts[1]).init(LR).unwrap();
            let mut optimizer = kind.init_with(clip);
            let mut problem = Problem::new(&golden["problem"], &device);
            for _ in 0..STEPS {
                problem.step(&mut optimizer, schedule.step().base(), clip);
            }
            let weights: Vec<f32> = problem.weights().into_iter().step_by(4).collect();
            let what = format!("{name} on {device:?}");
            assert_near(&what, &weights, &floats(want), 1e-5);
        }
    }
}

/// The optimizer of a resumed training goes on as if it had never stopped.
#[test]
fn a_record_carries_the_whole_state() {
    let golden = golden();
    let device = Device::flex().autodiff();
    for name in ["sgd", "momentum", "nesterov", "adam", "adamw"] {
        let kind = optimizer(name);
        let mut optimizer = kind.init();
        let mut problem = Problem::new(&golden["problem"], &device);
        for _ in 0..3 {
            problem.step(&mut optimizer, LR, None);
        }
        let model = problem.model.clone();
        let bytes = optimizer.into_bytes().unwrap();
        let mut restored = kind.init().from_bytes(bytes).unwrap();
        for _ in 0..3 {
            problem.step(&mut optimizer, LR, None);
        }
        let straight = problem.weights();
        problem.model = model;
        for _ in 0..3 {
            problem.step(&mut restored, LR, None);
        }
        assert_eq!(problem.weights(), straight, "{name}");
    }
}

/// A model that someone else holds, and gradients that are used twice, stay as they are.
#[test]
fn a_step_changes_neither_the_old_model_nor_the_gradients() {
    let golden = golden();
    let device = Device::flex().autodiff();
    let problem = Problem::new(&golden["problem"], &device);
    let before = problem.weights();
    let id = problem.model.weight.id;
    let gradient: Tensor<2> = problem.gradients().remove(id).unwrap();
    let of_gradient = values(gradient.clone());
    for name in ["sgd", "nesterov", "adamw"] {
        let mut gradients = GradientsParams::new();
        gradients.register(id, gradient.clone());
        let stepped = optimizer(name)
            .init()
            .step(LR, problem.model.clone(), gradients);
        assert_ne!(values(stepped.weight.val()), before[..38], "{name}");
        assert_eq!(problem.weights(), before, "{name}");
        assert_eq!(values(gradient.clone()), of_gradient, "{name}");
    }
}

/// Parameters of every size from nothing to several pieces of work, and a gradient that is a view.
#[test]
fn sizes_and_views_are_those_of_the_reference() {
    for [rows, cols] in [[1, 1], [3, 5], [1, 16], [4, 8], [37, 41], [300, 500]] {
        for kind in [
            Optimizer::sgd(),
            Optimizer::nesterov(0.9),
            Optimizer::adamw(),
        ] {
            let (weight, gradient) = (random([rows, cols]), random([cols, rows]));
            let stepped = [Device::flex(), reference()].map(|device| {
                let device = device.autodiff();
                let mut layer = LinearConfig::new(rows, cols).with_bias(false).init(&device);
                let data = TensorData::new(weight.clone(), [rows, cols]);
                layer.weight = Param::from_tensor(Tensor::from_data(data, &device));
                let mut optimizer = kind.init_with(Some(Clip::Value(0.8)));
                for _ in 0..3 {
                    let data = TensorData::new(gradient.clone(), [cols, rows]);
                    let view = Tensor::<2>::from_data(data, &device.clone().without_autodiff());
                    let mut gradients = GradientsParams::new();
                    gradients.register(layer.weight.id, view.transpose());
                    layer = optimizer.step(LR, layer, gradients);
                }
                values(layer.valid().weight.val())
            });
            let what = format!("{kind:?}, {rows} x {cols}");
            assert_near(&what, &stepped[0], &stepped[1], 1e-5);
        }
    }
}

#[test]
fn what_is_not_a_number_is_not_clipped_away() {
    let device = Device::flex().autodiff();
    let layer = LinearConfig::new(1, 3).with_bias(false).init(&device);
    for kind in [Optimizer::sgd(), Optimizer::adam()] {
        let data = TensorData::new(vec![f32::NAN, 1.0, -9.0], [1, 3]);
        let gradient = Tensor::<2>::from_data(data, &device.clone().without_autodiff());
        let mut gradients = GradientsParams::new();
        gradients.register(layer.weight.id, gradient);
        let mut optimizer = kind.init_with(Some(Clip::Value(1.0)));
        let stepped = optimizer.step(LR, layer.clone(), gradients);
        let stepped = values(stepped.valid().weight.val());
        assert!(stepped[0].is_nan() && stepped[1].is_finite(), "{stepped:?}");
    }
}

#[test]
fn a_bound_that_makes_no_sense_is_a_usage_error() {
    for bound in [0.0, -1.0, f64::NAN] {
        for clip in [Clip::Value(bound), Clip::Norm(bound)] {
            let recipe = Recipe::sgd(0.1, 8, 1).with_clip(clip);
            let error = recipe.validate().unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
        }
    }
    let recipe = Recipe::sgd(0.1, 8, 1).with_clip(Clip::Value(5.0));
    assert!(recipe.validate().is_ok());
}

/// Clipping by hand, for a loop that a chapter writes.
#[test]
fn clipping_by_value_is_the_clamp() {
    let device = Device::flex().autodiff();
    let problem = Problem::new(&golden()["problem"], &device);
    let clipped = Clip::Value(0.1).apply(problem.gradients(), &problem.model);
    let id = problem.model.weight.id;
    let plain = values(problem.gradients().get::<2>(id).unwrap());
    let clipped = values(clipped.get::<2>(id).unwrap());
    let want: Vec<f32> = plain.iter().map(|g| g.clamp(-0.1, 0.1)).collect();
    assert_ne!(plain, want);
    assert_eq!(clipped, want);
}
