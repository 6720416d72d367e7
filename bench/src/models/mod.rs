//! The networks, a file per group. Those of written chapters are taken from there.

pub mod attention;
pub mod blocks;
pub mod cnn;
pub mod fc;
pub mod recurrent;
pub mod residual;
pub mod seq2seq;
pub mod text;
mod unet;
pub mod wgan;

use burn::tensor::{Device, Int, Tensor};
use common::Result;

use crate::exchange::Tensors;

/// Inputs and class numbers of batch `index`.
fn labelled<const D: usize>(
    tensors: &Tensors,
    index: usize,
    device: &Device,
) -> Result<(Tensor<D>, Tensor<1, Int>)> {
    let x = tensors.float(&format!("x.{index}"), device)?;
    let y = tensors.int(&format!("y.{index}"), device)?;
    Ok((x, y))
}

/// Makes a [`Workload`](crate::workload::Workload) of a [`Network`](common::train::Network) that is trained to classify
/// inputs with this many axes.
macro_rules! classifier {
    ($network:ty, $axes:literal, |$device:ident| $fresh:expr $(, $optimizer:expr)?) => {
        impl $crate::workload::Workload for $network {
            type Batch = (burn::tensor::Tensor<$axes>, burn::tensor::Tensor<1, burn::tensor::Int>);

            fn fresh(_dropout: bool, $device: &burn::tensor::Device) -> Self {
                $fresh
            }

            fn batch(
                tensors: &$crate::exchange::Tensors,
                index: usize,
                device: &burn::tensor::Device,
            ) -> common::Result<Self::Batch> {
                $crate::models::labelled(tensors, index, device)
            }

            fn loss(&self, (x, y): &Self::Batch) -> burn::tensor::Tensor<1> {
                let logits = common::train::Network::forward(self, x.clone());
                common::train::cross_entropy(logits, y.clone())
            }

            fn evaluate(&self, (x, _): &Self::Batch) {
                std::hint::black_box(common::train::Network::forward(self, x.clone()));
            }

            $(fn optimizer() -> (burn::optim::ModuleOptimizer, f64) {
                $optimizer
            })?
        }
    };
}
pub(crate) use classifier;
