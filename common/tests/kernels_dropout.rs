//! Dropout: what stays is scaled, what goes is random, and the gradient has the same zeros.

mod kernel_setup;

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::kernels;
use common::nn::{Dropout, DropoutConfig};
use kernel_setup::{leaf, random, reference, values};
use proptest::prelude::*;

/// Flex has one generator for the whole process: tests draw from it one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static DRAWING: Mutex<()> = Mutex::new(());
    DRAWING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Output and gradient where each value of the output has a weight of its own.
fn results(device: Device, x: &[f32], rate: f64) -> [Vec<f32>; 3] {
    let device = device.autodiff();
    let x = leaf(x, [x.len()], &device);
    let out = kernels::dropout(x.clone(), rate);
    let weights = random([x.dims()[0]]);
    let weighting = Tensor::<1>::from_floats(weights.as_slice(), &device);
    let gradients = (out.clone() * weighting).sum().backward();
    [values(out), values(x.grad(&gradients).unwrap()), weights]
}

/// Values of [1, 2), so that a zero is one that was dropped.
fn never_zero(n: usize) -> Vec<f32> {
    random([n]).iter().map(|v| 1.0 + v.abs().min(0.9)).collect()
}

fn near(found: f32, want: f32) -> bool {
    (found - want).abs() <= 1e-6 * want.abs()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn each_value_is_dropped_or_scaled_and_so_is_its_gradient(
        n in prop_oneof![Just(0usize), 1..100usize, 16_000..50_000usize],
        rate in 0.0..0.95f64,
    ) {
        let _alone = alone();
        let x = never_zero(n);
        let factor = (1.0 / (1.0 - rate)) as f32;
        for device in [Device::flex(), reference()] {
            let [out, gradient, weights] = results(device, &x, rate);
            prop_assert_eq!(out.len(), n);
            let mut dropped = 0;
            for i in 0..n {
                if out[i] == 0.0 {
                    dropped += 1;
                    prop_assert_eq!(gradient[i], 0.0);
                } else {
                    prop_assert!(near(out[i], x[i] * factor), "{} of {}", out[i], x[i]);
                    prop_assert!(near(gradient[i], weights[i] * factor));
                }
            }
            // Six standard deviations.
            let allowed = 6.0 * (n as f64 * rate * (1.0 - rate)).sqrt();
            let expected = n as f64 * rate;
            prop_assert!((f64::from(dropped) - expected).abs() <= allowed + 1e-9, "{dropped} of {n} at {rate}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_zeros_and_the_next_draw_others() {
    let _alone = alone();
    let x = never_zero(40_000);
    let drawn = |reseed: bool| {
        if reseed {
            Device::flex().seed(7);
        }
        let x = Tensor::<1>::from_floats(x.as_slice(), &Device::flex());
        values(kernels::dropout(x, 0.5))
    };
    let first = drawn(true);
    let next = drawn(false);
    assert_ne!(first, next);
    assert_eq!(first, drawn(true));
    assert_eq!(next, drawn(false));
}

#[test]
fn neighbours_are_dropped_independently() {
    let _alone = alone();
    let n = 1 << 18;
    let x = Tensor::<1>::ones([n], &Device::flex());
    let kept = values(kernels::dropout(x, 0.3));
    // A lag of a row, of a block and of one.
    for lag in [1, 2, 128, 2048, 16 * 1024] {
        let both = kept.iter().zip(&kept[lag..]);
        let both = both.filter(|(a, b)| **a == 0.0 && **b == 0.0).count();
        let expected = 0.09 * (n - lag) as f64;
        let allowed = 6.0 * expected.sqrt();
        assert!(
            (both as f64 - expected).abs() < allowed,
            "lag {lag}: {both}, expected {expected}"
        );
    }
}

#[test]
fn the_layer_drops_in_training_only() {
    let _alone = alone();
    let layer: Dropout = DropoutConfig::new(0.5).init();
    let x = never_zero(1000);
    for device in [Device::flex(), reference()] {
        let tensor = |device: &Device| Tensor::<1>::from_floats(x.as_slice(), device);
        assert_eq!(values(layer.forward(tensor(&device))), x);
        let training = device.autodiff();
        let dropped = values(layer.forward(tensor(&training)));
        assert!(dropped.contains(&0.0));
        let frozen = layer.clone().freeze();
        assert_eq!(values(frozen.forward(tensor(&training))), x);
    }
}

#[test]
#[should_panic(expected = "a dropout of 1")]
fn a_rate_of_one_is_refused() {
    DropoutConfig::new(1.0).init();
}
