//! Optimizers, schedules, losses and scores give PyTorch's and scikit-learn's numbers.
//!
//! The numbers are in `train_golden/golden.json`, written by `train_golden/make_golden.py`.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::train::{Optimizer, Predictions, Schedule, Score, cross_entropy, mean_squared_error};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read("tests/train_golden/golden.json").unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

fn tensor<const D: usize>(value: &Value, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(floats(value), shape), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec::<f32>().unwrap()
}

/// Compares within `tolerance` of the largest number.
fn assert_close(what: &str, found: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(found.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0f64, |top, w| top.max(w.abs()));
    for (i, (f, w)) in found.iter().zip(want).enumerate() {
        assert!(
            (f64::from(*f) - w).abs() <= tolerance * scale,
            "{what}[{i}]: {f} is not {w}"
        );
    }
}

/// Ten steps on a linear model with mean squared error.
fn steps(optimizer: &Optimizer, lr: f64, problem: &Value) -> (Vec<f32>, Linear) {
    let device = Device::flex().autodiff();
    let mut model = LinearConfig::new(3, 2).init(&device);
    model.weight = Param::from_tensor(tensor(&problem["weight"], [3, 2], &device));
    model.bias = Some(Param::from_tensor(tensor(&problem["bias"], [2], &device)));
    let x = tensor(&problem["x"], [5, 3], &device);
    let y = tensor(&problem["y"], [5, 2], &device);
    let mut optimizer = optimizer.init();
    let mut losses = Vec::new();
    for _ in 0..10 {
        let loss = mean_squared_error(model.forward(x.clone()), y.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        losses.push(loss.into_scalar::<f32>());
        model = optimizer.step(lr, model, gradients);
    }
    (losses, model.valid())
}

#[test]
fn every_optimizer_steps_as_pytorch_does() {
    let golden = golden();
    let optimizers = [
        ("sgd", Optimizer::sgd()),
        ("momentum", Optimizer::sgd_momentum(0.9)),
        ("nesterov", Optimizer::nesterov(0.9)),
        (
            "sgd with decay",
            Optimizer::Sgd {
                momentum: 0.5,
                nesterov: false,
                weight_decay: 0.1,
            },
        ),
        ("adam", Optimizer::adam()),
        (
            "adam with other betas",
            Optimizer::Adam {
                betas: (0.0, 0.9),
                eps: 1e-3,
            },
        ),
        ("adamw", Optimizer::adamw()),
    ];
    for (name, optimizer) in optimizers {
        let want = &golden["optimizers"][name];
        let lr = want["lr"].as_f64().unwrap();
        let (losses, model) = steps(&optimizer, lr, &golden["problem"]);
        assert_close(
            &format!("{name}: losses"),
            &losses,
            &numbers(&want["losses"]),
            1e-5,
        );
        let weight = values(model.weight.val());
        let wanted = numbers(&want["weight"]);
        assert_close(&format!("{name}: weight"), &weight, &wanted, 1e-5);
        let bias = values(model.bias.unwrap().val());
        assert_close(
            &format!("{name}: bias"),
            &bias,
            &numbers(&want["bias"]),
            1e-5,
        );
    }
    assert_eq!(golden["optimizers"].as_object().unwrap().len(), 7);
}

#[test]
fn every_schedule_gives_pytorchs_rates() {
    let golden = golden();
    let schedules = [
        ("constant", Schedule::Constant),
        ("exponential", Schedule::Exponential { gamma: 0.8 }),
        (
            "step",
            Schedule::Step {
                every: 3,
                gamma: 0.3,
            },
        ),
        (
            "cosine",
            Schedule::Cosine {
                epochs: 10,
                min: 0.01,
            },
        ),
    ];
    for (name, schedule) in schedules {
        let mut scheduler = schedule.init(0.1).unwrap();
        let want = numbers(&golden["schedules"][name]);
        assert_eq!(want.len(), 11);
        for (epoch, want) in want.into_iter().enumerate() {
            let rate = scheduler.step().base();
            assert!(
                (rate - want).abs() < 1e-12,
                "{name}, epoch {epoch}: {rate} is not {want}"
            );
        }
    }
}

#[test]
fn a_schedule_that_makes_no_sense_is_a_usage_error() {
    let schedules = [
        Schedule::Exponential { gamma: 0.0 },
        Schedule::Exponential { gamma: f64::NAN },
        Schedule::Step {
            every: 0,
            gamma: 0.1,
        },
        Schedule::Cosine {
            epochs: 0,
            min: 0.0,
        },
        Schedule::Cosine {
            epochs: 5,
            min: 0.2,
        },
    ];
    for schedule in schedules {
        match schedule.init(0.1) {
            Err(error) => assert_eq!(error.exit_code(), 2, "{error}"),
            Ok(_) => panic!("{schedule:?} was accepted"),
        }
    }
}

#[test]
fn scores_equal_scikit_learn() {
    let golden = golden();
    for (classes, want) in golden["scores"].as_object().unwrap() {
        let logits = floats(&want["logits"]);
        let labels = numbers(&want["labels"]);
        let labels: Vec<usize> = labels.into_iter().map(|label| label as usize).collect();
        let classes: usize = classes.parse().unwrap();
        // The size of the batches must not matter.
        for batch in [1, 7, labels.len()] {
            let mut predictions = Predictions::default();
            for (rows, labels) in logits.chunks(batch * classes).zip(labels.chunks(batch)) {
                predictions.extend(rows, labels.iter().copied());
            }
            for score in [Score::Accuracy, Score::F1, Score::Auc] {
                let (found, want) = (score.of(&predictions), want[score.name()].as_f64().unwrap());
                assert!(
                    (found - want).abs() < 1e-12,
                    "{} of {classes} classes, batch {batch}: {found} is not {want}",
                    score.name()
                );
            }
        }
    }
    assert_eq!(golden["scores"].as_object().unwrap().len(), 3);
}

#[test]
fn losses_and_their_gradients_equal_pytorch() {
    let golden = &golden()["losses"];
    let device = Device::flex().autodiff();

    let want = &golden["cross_entropy"];
    let logits = tensor(&want["input"], [4, 3], &device).require_grad();
    let labels: Vec<i32> = floats(&want["target"]).iter().map(|v| *v as i32).collect();
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [4]), &device);
    let loss = cross_entropy(logits.clone(), labels);
    let gradient = logits.grad(&loss.backward()).unwrap();
    let loss = [loss.into_scalar::<f32>()];
    assert_close(
        "cross-entropy",
        &loss,
        &[want["loss"].as_f64().unwrap()],
        1e-6,
    );
    let wanted = numbers(&want["gradient"]);
    assert_close(
        "gradient of cross-entropy",
        &values(gradient),
        &wanted,
        1e-6,
    );

    let want = &golden["mean_squared_error"];
    let output = tensor(&want["input"], [3, 2], &device).require_grad();
    let target = tensor(&want["target"], [3, 2], &device);
    let loss = mean_squared_error(output.clone(), target);
    let gradient = output.grad(&loss.backward()).unwrap();
    let loss = [loss.into_scalar::<f32>()];
    assert_close(
        "mean squared error",
        &loss,
        &[want["loss"].as_f64().unwrap()],
        1e-6,
    );
    let wanted = numbers(&want["gradient"]);
    assert_close(
        "gradient of mean squared error",
        &values(gradient),
        &wanted,
        1e-6,
    );
}
