//! What the tests of all kernels share.

// Each test program uses its own part of this.
#![allow(dead_code)]

use burn::tensor::{Device, Distribution, Tensor};

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
    assert_eq!(ours.len(), theirs.len(), "{name}: number of values");
    let finite = theirs.iter().filter(|v| v.is_finite());
    let scale = finite.fold(1e-2f32, |m, v| m.max(v.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        // Written so that a NaN fails. Equal infinities (a pooling window of nothing but padding) have no difference.
        assert!(
            a == b || (a - b).abs() <= TOLERANCE * scale,
            "{name}[{i}]: {a} instead of {b} (largest {scale})"
        );
    }
}

pub fn random<const D: usize>(shape: [usize; D]) -> Vec<f32> {
    values(Tensor::<D>::random(
        shape,
        Distribution::Uniform(-1.0, 1.0),
        &Device::flex(),
    ))
}

pub fn leaf<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<1>::from_floats(values, device)
        .reshape(shape)
        .detach()
        .require_grad()
}
