//! Batch and layer normalisation.

mod batch;
mod layer;

pub(in crate::kernels) use batch::{batch_norm, batch_norm_train, takes_batch_norm};
pub(in crate::kernels) use layer::{layer_norm, takes_layer_norm};

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use crate::kernels::norm::batch::Settings;

/// Output, mean and biased variance of a batch normalisation.
type Normalised<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// The normalisations that Flex computes with the kernels of this crate.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait NormKernels: Backend {
    fn fast_batch_norm_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    fn fast_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self>;
    fn fast_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl NormKernels for Flex {
    fn fast_batch_norm_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: Settings,
    ) -> Normalised<Self> {
        batch::train(&x, &gamma, &beta, settings)
    }

    fn fast_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self> {
        batch::evaluate(&x, &gamma, &beta, [&mean, &variance], settings)
    }

    fn fast_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        layer::forward(&x, &gamma, &beta, epsilon).0
    }
}

impl<C: CheckpointStrategy> NormKernels for Autodiff<Flex, C> {
    fn fast_batch_norm_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: Settings,
    ) -> Normalised<Self> {
        batch::tracked_train::<C>(x, gamma, beta, settings)
    }

    fn fast_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self> {
        batch::tracked::<C>(x, gamma, beta, [mean, variance], settings)
    }

    fn fast_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        layer::tracked::<C>(x, gamma, beta, epsilon)
    }
}
