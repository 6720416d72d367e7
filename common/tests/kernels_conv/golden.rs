//! Convolutions against PyTorch's: its numbers are in `golden.json`, written by `make_golden.py`.

use burn::tensor::Device;
use burn::tensor::ops::ConvOptions;
use common::kernels;

use crate::case::{Case, constant, noise};
use crate::kernel_setup::{TOLERANCE, leaf, values};

/// Compares with the numbers of a case in the golden file.
fn assert_golden(golden: &serde_json::Value, name: &str, results: &[(&str, Vec<usize>, Vec<f32>)]) {
    for (what, shape, ours) in results {
        let theirs = &golden[name][what];
        let number = |v: &serde_json::Value| v.as_f64().unwrap();
        let want: Vec<f64> = theirs["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect();
        let dims: Vec<usize> = theirs["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| number(d) as usize)
            .collect();
        assert_eq!(*shape, dims, "{name}: shape of {what}");
        let step = ours.len().div_ceil(24);
        let shown: Vec<f64> = ours.iter().step_by(step).map(|v| f64::from(*v)).collect();
        assert_eq!(shown.len(), want.len());
        let scale = want.iter().fold(1e-2, |m: f64, v| m.max(v.abs()));
        let tolerance = f64::from(TOLERANCE) * scale;
        for (a, b) in shown.iter().zip(&want) {
            assert!(
                (a - b).abs() <= tolerance,
                "{name}: {what} has {a} instead of {b}"
            );
        }
        let all = || ours.iter().map(|v| f64::from(*v));
        let sum: f64 = all().sum();
        let squares: f64 = all().map(|v| v * v).sum();
        assert!(
            (sum - number(&theirs["sum"])).abs() <= tolerance * (ours.len() as f64).sqrt(),
            "{name}: sum of {what}"
        );
        assert!(
            (squares / number(&theirs["squares"]) - 1.0).abs() < 1e-5,
            "{name}: squares of {what}"
        );
    }
}

/// All shapes of the fixture; what it took of PyTorch's options is written here once more.
#[test]
fn convolutions_are_pytorchs() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let transposed = true;
    let square = |n: usize| [(n, n), (n, n)];
    let cases = [
        (
            "same 3x3",
            Case {
                padding: square(1),
                ..Case::plain([3, 16, 13, 10], 20, [3, 3])
            },
        ),
        (
            "strided 3x3",
            Case {
                stride: [2, 2],
                padding: square(1),
                ..Case::plain([2, 16, 9, 11], 24, [3, 3])
            },
        ),
        (
            "7x7 of an image",
            Case {
                stride: [2, 2],
                padding: square(3),
                ..Case::plain([2, 3, 19, 17], 16, [7, 7])
            },
        ),
        (
            "dilated 5x5",
            Case {
                padding: square(4),
                dilation: [2, 2],
                ..Case::plain([2, 13, 12, 12], 12, [5, 5])
            },
        ),
        (
            "groups",
            Case {
                stride: [1, 2],
                padding: [(1, 1), (0, 0)],
                groups: 3,
                ..Case::plain([2, 6, 8, 9], 9, [3, 2])
            },
        ),
        (
            "depth-wise",
            Case {
                stride: [2, 2],
                groups: 5,
                ..Case::plain([2, 5, 9, 8], 5, [3, 3])
            },
        ),
        (
            "U-Net up",
            Case {
                transposed,
                stride: [2, 2],
                padding: square(1),
                padding_out: [1, 1],
                ..Case::plain([2, 12, 5, 6], 14, [3, 3])
            },
        ),
        (
            "generator up",
            Case {
                transposed,
                stride: [2, 2],
                padding: square(1),
                ..Case::plain([2, 4, 7, 7], 3, [4, 4])
            },
        ),
        (
            "transposed groups",
            Case {
                transposed,
                stride: [3, 2],
                padding: [(0, 0), (1, 1)],
                padding_out: [2, 0],
                dilation: [1, 2],
                groups: 2,
                ..Case::plain([2, 4, 4, 5], 6, [2, 3])
            },
        ),
    ];
    for (name, case) in cases {
        let (input, weight) = (case.input, case.weight());
        let [x, w, b] = [
            noise(1, input.iter().product()),
            noise(2, weight.iter().product()),
            noise(3, case.filters),
        ];
        let [out, gx, gw, gb] = case
            .results(&Device::flex(), [&x, &w, &b], Case::ours)
            .try_into()
            .unwrap();
        let device = Device::flex();
        let shape = case
            .ours(
                constant(&x, input, &device),
                constant(&w, weight, &device),
                None,
            )
            .dims();
        assert_golden(
            &golden,
            name,
            &[
                ("output", shape.to_vec(), out),
                ("input", input.to_vec(), gx),
                ("weight", weight.to_vec(), gw),
                ("bias", vec![case.filters], gb),
            ],
        );
    }
    for (name, input, weight, options) in [
        (
            "conv1d",
            [3, 14, 17],
            [18, 14, 3],
            ConvOptions::new([1], [1], [1], 1),
        ),
        (
            "strided conv1d",
            [2, 4, 15],
            [6, 2, 4],
            ConvOptions::new([2], [0], [2], 2),
        ),
    ] {
        let device = Device::flex().autodiff();
        let x = leaf(&noise(1, input.iter().product()), input, &device);
        let w = leaf(&noise(2, weight.iter().product()), weight, &device);
        let b = leaf(&noise(3, weight[0]), [weight[0]], &device);
        let out = kernels::conv1d(x.clone(), w.clone(), Some(b.clone()), options);
        let shape = out.dims();
        let weighting = constant(&noise(4, shape.iter().product()), shape, &device);
        let grads = (out.clone() * weighting).sum().backward();
        assert_golden(
            &golden,
            name,
            &[
                ("output", shape.to_vec(), values(out)),
                ("input", input.to_vec(), values(x.grad(&grads).unwrap())),
                ("weight", weight.to_vec(), values(w.grad(&grads).unwrap())),
                ("bias", vec![weight[0]], values(b.grad(&grads).unwrap())),
            ],
        );
    }
}
