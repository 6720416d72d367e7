//! From a tensor on a device to numbers on the host.

use burn::tensor::Tensor;
use burn::tensor::kind::Basic;
use common::{Error, Result};

/// The elements of a tensor of any kind as 32-bit floats, row-major. Waits until the device has computed them.
///
/// # Errors
/// [`Error::Training`] when the device can't deliver them.
pub(crate) fn floats<const D: usize, K: Basic>(tensor: Tensor<D, K>) -> Result<Vec<f32>> {
    tensor.try_into_vec_as::<f32>().map_err(unreadable)
}

/// The one element of a tensor.
///
/// # Errors
/// As [`floats`], and when there is not exactly one element.
pub(crate) fn scalar<const D: usize>(tensor: Tensor<D>) -> Result<f32> {
    tensor.try_into_scalar::<f32>().map_err(unreadable)
}

/// An [`Error::Training`] with the device's reason.
pub(crate) fn unreadable(error: impl std::fmt::Debug) -> Error {
    Error::Training(format!("reading from the device: {error:?}"))
}
