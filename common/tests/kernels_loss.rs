//! Losses: values and gradients equal PyTorch's and those of Burn's operations on the reference device.
//!
//! PyTorch's numbers are in `kernels_loss/golden.json`, written by `kernels_loss/make_golden.py`.

mod kernel_setup;

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::kernels;
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;
use serde_json::Value;

type Loss = fn(Tensor<2>, Tensor<2>) -> Tensor<1>;

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read("tests/kernels_loss/golden.json").unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn classes(numbers: &[i64], device: &Device) -> Tensor<1, Int> {
    let data = TensorData::new(numbers.to_vec(), [numbers.len()]);
    Tensor::from_data(data, device)
}

/// Loss and gradient of a function of logits, which are computed from a leaf as those of a network are.
fn results(
    device: Device,
    x: &[f32],
    shape: [usize; 2],
    loss: impl Fn(Tensor<2>, &Device) -> Tensor<1>,
) -> [Vec<f32>; 2] {
    let device = device.autodiff();
    let x = leaf(x, shape, &device);
    let loss = loss(x.clone() * 1.0, &device);
    assert_eq!(loss.dims(), [1]);
    let gradient = x.grad(&loss.backward()).unwrap();
    [values(loss), values(gradient)]
}

/// Both devices give the same loss and gradient; without automatic differentiation the loss is the same too.
fn check(
    name: &str,
    x: &[f32],
    shape: [usize; 2],
    loss: impl Fn(Tensor<2>, &Device) -> Tensor<1>,
) -> [Vec<f32>; 2] {
    let ours = results(Device::flex(), x, shape, &loss);
    let theirs = results(reference(), x, shape, &loss);
    assert_close(&format!("{name}: loss"), &ours[0], &theirs[0]);
    assert_close(&format!("{name}: gradient"), &ours[1], &theirs[1]);
    let plain = Tensor::<1>::from_floats(x, &Device::flex()).reshape(shape);
    assert_eq!(
        values(loss(plain, &Device::flex())),
        ours[0],
        "{name}: without autodiff"
    );
    ours
}

#[test]
fn losses_are_pytorchs() {
    let golden = golden();
    let target = |case: &Value| -> Vec<i64> {
        case["target"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap() as i64)
            .collect()
    };
    for (name, case) in golden.as_object().unwrap() {
        let x = floats(&case["x"]);
        let shape = match name.as_str() {
            "binary" | "squared" => [1, 37],
            _ => [7, 19],
        };
        let [loss, gradient] = check(name, &x, shape, |x, device| match name.as_str() {
            "mean" => kernels::cross_entropy(x, classes(&target(case), device)),
            "ignoring" => kernels::cross_entropy_ignoring(x, classes(&target(case), device), 3),
            "binary" | "squared" => {
                let y = floats(&case["target"]);
                let y = Tensor::<1>::from_floats(y.as_slice(), device).reshape([1, 37]);
                match name.as_str() {
                    "binary" => kernels::binary_cross_entropy_with_logits(x, y),
                    _ => kernels::mean_squared_error(x, y),
                }
            }
            "log softmax" => {
                let weights: Vec<f32> = (0..7 * 19).map(|i| i as f32 / 100.0).collect();
                let weights = Tensor::<1>::from_floats(weights.as_slice(), device);
                (kernels::log_softmax(x) * weights.reshape([7, 19])).sum()
            }
            other => panic!("{other}"),
        });
        assert_close(name, &loss, &[case["loss"].as_f64().unwrap() as f32]);
        assert_close(name, &gradient, &floats(&case["gradient"]));
    }
    assert_eq!(golden.as_object().unwrap().len(), 5);
}

/// Random weights above zero: a sum of losses of both signs can be nothing but their rounding errors.
fn weights<const D: usize>(shape: [usize; D]) -> Vec<f32> {
    random(shape).iter().map(|v| v.abs() + 0.1).collect()
}

/// Random class numbers below `count`.
fn numbers(rows: usize, count: usize) -> Vec<i64> {
    let random = random([rows]);
    let class = |v: f32| ((v + 1.0) / 2.0 * count as f32) as i64;
    random
        .into_iter()
        .map(|v| class(v).min(count as i64 - 1))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn cross_entropy_is_burns(rows in 1..70usize, width in 1..90usize) {
        let x: Vec<f32> = random([rows, width]).iter().map(|v| v * 8.0).collect();
        let target = numbers(rows, width);
        let weights = weights([rows]);
        check("mean", &x, [rows, width], |x, device| {
            kernels::cross_entropy(x, classes(&target, device))
        });
        // The first row counts, others may not.
        let ignored = i64::from(target[0] == 0);
        check("ignoring", &x, [rows, width], |x, device| {
            kernels::cross_entropy_ignoring(x, classes(&target, device), ignored)
        });
        check("weighted", &x, [rows, width], |x, device| {
            let weights = Tensor::<1>::from_floats(weights.as_slice(), device);
            kernels::weighted_cross_entropy(x, classes(&target, device), weights)
        });
        check("part of a larger loss", &x, [rows, width], |x, device| {
            kernels::cross_entropy(x.clone(), classes(&target, device)) * 0.25 + x.mean()
        });
    }

    #[test]
    fn log_softmax_is_burns(rows in 1..70usize, width in 1..90usize) {
        let x: Vec<f32> = random([rows, width]).iter().map(|v| v * 8.0).collect();
        let weights = weights([rows, width]);
        check("log softmax", &x, [rows, width], |x, device| {
            let weights = Tensor::<1>::from_floats(weights.as_slice(), device);
            (kernels::log_softmax(x) * weights.reshape([rows, width])).sum()
        });
    }

    #[test]
    fn pointwise_losses_are_burns(rows in 1..70usize, width in 1..90usize) {
        let x: Vec<f32> = random([rows, width]).iter().map(|v| v * 8.0).collect();
        let y: Vec<f32> = random([rows, width]).iter().map(|v| (v + 1.0) / 2.0).collect();
        let losses: [(&str, Loss); 2] = [
            ("squared", kernels::mean_squared_error),
            ("binary", kernels::binary_cross_entropy_with_logits),
        ];
        for (name, loss) in losses {
            let y = |device: &Device| {
                Tensor::<1>::from_floats(y.as_slice(), device).reshape([rows, width])
            };
            check(name, &x, [rows, width], |x, device| loss(x, y(device)) * 3.0);
            check(&format!("{name}, for the targets"), &x, [rows, width], |x, device| {
                loss(y(device), x)
            });
            check(&format!("{name}, for both"), &x, [rows, width], |x, device| {
                loss(x.clone() * 2.0, x + y(device))
            });
        }
    }
}

/// More rows and more values than one piece of work.
#[test]
fn large_losses_are_burns() {
    let (rows, width) = (3000, 36);
    let x = random([rows, width]);
    let target = numbers(rows, width);
    check("cross-entropy", &x, [rows, width], |x, device| {
        kernels::cross_entropy(x, classes(&target, device))
    });
    check("squared", &x, [rows, width], |x, _| {
        kernels::mean_squared_error(x.clone(), x * 0.5)
    });
    check("log softmax", &x, [rows, width], |x, _| {
        kernels::log_softmax(x).slice([0..rows, 3..4]).sum() / 100.0
    });
}

/// Partial sums are added in a fixed order, whichever thread is first.
#[test]
fn losses_are_the_same_each_time() {
    let x = random([3000, 36]);
    let target = numbers(3000, 36);
    let run = || {
        let ours = results(Device::flex(), &x, [3000, 36], |x, device| {
            kernels::cross_entropy(x, classes(&target, device))
        });
        let squared = results(Device::flex(), &x, [3000, 36], |x, _| {
            kernels::mean_squared_error(x.clone(), x * 0.5)
        });
        [ours, squared]
    };
    let first = run();
    for _ in 0..20 {
        assert_eq!(run(), first);
    }
}

#[test]
fn a_view_is_read_in_its_own_order() {
    let x = random([5, 9]);
    let target = numbers(9, 5);
    check("transposed", &x, [5, 9], |x, device| {
        kernels::cross_entropy(x.transpose(), classes(&target, device))
    });
}

#[test]
fn no_counted_row_gives_no_number() {
    for device in [Device::flex(), reference()] {
        let x = Tensor::<2>::ones([2, 3], &device);
        let loss = kernels::cross_entropy_ignoring(x, classes(&[1, 1], &device), 1);
        assert!(values(loss)[0].is_nan(), "{device:?}");
    }
}

/// A number for padding need not be a class.
#[test]
fn an_ignored_number_may_be_negative() {
    let x = random([3, 4]);
    let [_, gradient] = check("negative", &x, [3, 4], |x, device| {
        kernels::cross_entropy_ignoring(x, classes(&[2, -100, 0], device), -100)
    });
    assert_eq!(gradient[4..8], [0.0; 4]);
}

#[test]
fn what_is_not_a_number_stays_so() {
    let device = Device::flex();
    let x = || Tensor::<1>::from_floats([1.0, f32::NAN, 2.0, 3.0], &device).reshape([1, 4]);
    let zero = || classes(&[0], &device);
    assert!(values(kernels::cross_entropy(x(), zero()))[0].is_nan());
    assert!(values(kernels::mean_squared_error(x(), x().ones_like()))[0].is_nan());
    let binary = kernels::binary_cross_entropy_with_logits(x(), x().ones_like());
    assert!(values(binary)[0].is_nan());
    assert!(values(kernels::log_softmax(x())).iter().all(|v| v.is_nan()));
}

#[test]
#[should_panic(expected = "target 4 is not one of 4 classes")]
fn a_class_too_large_fails() {
    let device = Device::flex();
    kernels::cross_entropy(Tensor::zeros([2, 4], &device), classes(&[0, 4], &device));
}

#[test]
#[should_panic(expected = "is not one of 4 classes")]
fn a_negative_class_fails() {
    let device = Device::flex();
    kernels::cross_entropy(Tensor::zeros([2, 4], &device), classes(&[0, -1], &device));
}

#[test]
#[should_panic]
fn too_few_targets_fail() {
    let device = Device::flex();
    kernels::cross_entropy(Tensor::zeros([3, 4], &device), classes(&[0, 1], &device));
}
