//! Gradients and gradient descent against PyTorch (`fixtures/descent.py`).

use burn::tensor::{Device, Tensor, TensorData};
use ch01_tensors::descent::{Walk, gradient_descent, minimize};
use ch01_tensors::function::{derivative, f};
use common::Error;

/// The device that `--device auto` takes.
fn device() -> Device {
    common::device::open("auto").unwrap().device
}

/// A list of numbers that PyTorch has computed.
fn torch(name: &str) -> Vec<f32> {
    let text = include_str!("fixtures/descent.json");
    let fixture: serde_json::Value = serde_json::from_str(text).unwrap();
    let list = fixture[name].as_array().unwrap();
    list.iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn on(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

#[track_caller]
fn assert_near(got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= tolerance,
            "element {i}: {got}, PyTorch has {want}"
        );
    }
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let x = on(&torch("points"), &device().autodiff()).require_grad();
    let values = f(x.clone());
    let gradients = values.clone().sum().backward();
    let gradient = x.grad(&gradients).unwrap();
    let values = values.into_data().try_to_vec::<f32>().unwrap();
    assert_near(&values, &torch("values"), 1e-5);
    let gradient = gradient.into_data().try_to_vec::<f32>().unwrap();
    assert_near(&gradient, &torch("gradients"), 1e-5);
}

#[test]
fn the_derivative_by_hand_is_that_of_pytorch() {
    let slopes = derivative(on(&torch("points"), &device())).into_data();
    assert_near(
        &slopes.try_to_vec::<f32>().unwrap(),
        &torch("gradients"),
        1e-5,
    );
}

#[test]
fn the_gradient_at_minus_3_5_is_minus_11() {
    let x = Tensor::<1>::from_data([-3.5], &device().autodiff()).require_grad();
    let value = f(x.clone());
    assert_eq!(value.clone().into_scalar::<f32>(), 30.25);
    let gradient = x.grad(&value.backward()).unwrap();
    assert_eq!(gradient.into_scalar::<f32>(), -11.0);
}

#[test]
fn by_hand_it_takes_the_steps_that_pytorch_takes() {
    let path = gradient_descent(f, -3.5, Walk::default(), &device()).unwrap();
    assert!(path.arrived);
    assert_eq!(path.steps(), 54);
    assert_near(&path.xs, &torch("by_hand"), 1e-6);
    assert_eq!(format!("{:.4}", path.end()), "2.0000");
}

#[test]
fn the_optimizer_takes_the_steps_that_pytorch_takes() {
    let path = minimize(f, -3.5, 0.1, 60, &device()).unwrap();
    assert_eq!(path.steps(), 60);
    assert_near(&path.xs, &torch("with_optimizer"), 1e-6);
    assert_eq!(format!("{:.4}", path.end()), "2.0000");
}

#[test]
fn a_walk_that_swings_for_ever_ends_and_says_so() {
    let swinging = Walk {
        eta: 1.0,
        max_steps: 25,
        ..Walk::default()
    };
    let path = gradient_descent(f, -3.5, swinging, &device()).unwrap();
    assert_eq!((path.steps(), path.arrived), (25, false));
    assert_eq!(path.end(), 7.5);
}

#[test]
fn a_step_size_that_is_too_large_is_an_error_and_not_a_number() {
    let wild = Walk {
        eta: 1e30,
        ..Walk::default()
    };
    let by_hand = gradient_descent(f, -3.5, wild, &device());
    let by_optimizer = minimize(f, -3.5, 1e30, 60, &device());
    for result in [by_hand, by_optimizer] {
        match result {
            Err(Error::Training(text)) => assert!(text.contains("too large"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_function_that_does_not_depend_on_x_is_an_error() {
    let constant = |x: Tensor<1>| Tensor::<1>::ones([1], &x.device());
    let by_hand = gradient_descent(constant, -3.5, Walk::default(), &device());
    let by_optimizer = minimize(constant, -3.5, 0.1, 60, &device());
    for result in [by_hand, by_optimizer] {
        match result {
            Err(Error::Training(text)) => assert!(text.contains("no gradient"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn no_step_is_a_path_of_one_point() {
    let path = minimize(f, -3.5, 0.1, 0, &device()).unwrap();
    assert_eq!(
        (path.xs.as_slice(), path.steps(), path.end()),
        ([-3.5].as_slice(), 0, -3.5)
    );
}
