//! What the tests of all kernels share.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::cell::RefCell;

use burn::tensor::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Largest difference, relative to the largest value.
pub const TOLERANCE: f32 = 1e-4;

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// The device whose operations are the reference: an implementation of its own, independent of Flex.
#[allow(deprecated)]
pub fn reference() -> Device {
    Device::ndarray()
}

pub fn assert_close(name: &str, ours: &[f32], theirs: &[f32]) {
    assert_close_beside(name, ours, theirs, 1e-2);
}

/// As [`assert_close`]; where all values are smaller than `size`, the difference is relative to that.
pub fn assert_close_beside(name: &str, ours: &[f32], theirs: &[f32], size: f32) {
    assert_eq!(ours.len(), theirs.len(), "{name}: number of values");
    let finite = theirs.iter().filter(|v| v.is_finite());
    let scale = finite.fold(size, |m, v| m.max(v.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        // Written so that a NaN fails. Equal infinities (a pooling window of nothing but padding) have no difference.
        assert!(
            a == b || (a - b).abs() <= TOLERANCE * scale,
            "{name}[{i}]: {a} instead of {b} (largest {scale})"
        );
    }
}

thread_local! {
    // A test has a thread of its own: its numbers are those of the seed that the property tests go by (.cargo/config.toml).
    static RANDOM: RefCell<ChaCha8Rng> = {
        let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|v| v.parse().ok());
        RefCell::new(ChaCha8Rng::seed_from_u64(seed.unwrap_or(1)))
    };
}

/// Uniform between -1 and 1; the same numbers in each run of a test.
pub fn random<const D: usize>(shape: [usize; D]) -> Vec<f32> {
    RANDOM.with_borrow_mut(|random| {
        let values = (0..shape.iter().product()).map(|_| random.random_range(-1.0..1.0));
        values.collect()
    })
}

pub fn leaf<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<1>::from_floats(values, device)
        .reshape(shape)
        .detach()
        .require_grad()
}
