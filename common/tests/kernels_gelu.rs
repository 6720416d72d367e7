//! The Gaussian error linear unit: values and gradients are those of Burn's operations on ndarray, and those of PyTorch.

mod kernel_setup;

use burn::tensor::{Device, Tensor};
use common::kernels;
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

/// Values between -6 and 6.
fn wide(n: usize) -> Vec<f32> {
    random([n]).iter().map(|v| 6.0 * v).collect()
}

/// Output, and the gradient where each value of the output has a weight of its own.
fn results(x: Tensor<1>, weights: &[f32], f: fn(Tensor<1>) -> Tensor<1>) -> [Vec<f32>; 2] {
    let out = f(x.clone());
    let weights = Tensor::<1>::from_floats(weights, &x.device());
    let gradients = (out.clone() * weights).sum().backward();
    [values(out), values(x.grad(&gradients).unwrap())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn it_equals_burns_operations(n in prop_oneof![Just(0usize), 1..70usize, 16_000..50_000usize]) {
        let (x, weights) = (wide(n), random([n]));
        let ours = leaf(&x, [n], &Device::flex().autodiff());
        let ours = results(ours, &weights, kernels::gelu);
        let theirs = leaf(&x, [n], &reference().autodiff());
        let theirs = results(theirs, &weights, kernels::gelu);
        assert_close("output", &ours[0], &theirs[0]);
        assert_close("gradient", &ours[1], &theirs[1]);
        let plain = kernels::gelu(Tensor::<1>::from_floats(x.as_slice(), &Device::flex()));
        prop_assert_eq!(values(plain), ours[0].clone());
    }

    #[test]
    fn the_gradient_is_the_slope(n in 1..40usize) {
        let x = wide(n);
        let [_, gradient] = results(leaf(&x, [n], &Device::flex().autodiff()), &vec![1.0; n], kernels::gelu);
        let at = |shift: f32| {
            let x: Vec<f32> = x.iter().map(|x| x + shift).collect();
            values(kernels::gelu(Tensor::<1>::from_floats(x.as_slice(), &Device::flex())))
        };
        let (above, below) = (at(0.02), at(-0.02));
        for i in 0..n {
            let slope = (above[i] - below[i]) / 0.04;
            prop_assert!((gradient[i] - slope).abs() < 3e-4, "{} instead of {slope}", gradient[i]);
        }
    }
}

#[test]
fn it_equals_pytorch() {
    // torch.nn.functional.gelu in double precision, and its gradient.
    let want: [(f32, f64, f64); 7] = [
        (-4.0, -1.266_849_75e-4, -5.036_405_1e-4),
        (-1.0, -0.158_655_254, -0.083_315_471),
        (-0.1, -0.046_017_216, 0.420_476_91),
        (0.0, 0.0, 0.5),
        (0.5, 0.345_731_231, 0.867_495_11),
        (1.0, 0.841_344_746, 1.083_315_47),
        (3.0, 2.995_950_31, 1.011_945_65),
    ];
    let x: Vec<f32> = want.iter().map(|row| row.0).collect();
    let leaf = leaf(&x, [x.len()], &Device::flex().autodiff());
    let [output, gradient] = results(leaf, &vec![1.0; x.len()], kernels::gelu);
    for (i, (x, value, slope)) in want.into_iter().enumerate() {
        assert!(
            (f64::from(output[i]) - value).abs() < 5e-7,
            "{x}: {}",
            output[i]
        );
        assert!(
            (f64::from(gradient[i]) - slope).abs() < 5e-7,
            "{x}: {}",
            gradient[i]
        );
    }
}
