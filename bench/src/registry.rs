//! The workloads by name.

use std::path::Path;

use common::{Error, Result};

use crate::models::{cnn, fc, residual, unet};
use crate::workload::{Options, Ready, Training};

macro_rules! workloads {
    ($($name:literal => $workload:ty,)*) => {
        /// The names of all workloads.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The workload of this name, with the weights and batches in `folder`.
        ///
        /// # Errors
        /// [`Error::Usage`] for an unknown name, [`Error::Data`] for files that are not this workload's.
        pub fn read(name: &str, folder: &Path, options: Options) -> Result<Box<dyn Training>> {
            match name {
                $($name => Ok(Box::new(Ready::<$workload>::read(folder, options)?)),)*
                _ => Err(Error::Usage(format!("{name}: no such workload"))),
            }
        }
    };
}

workloads! {
    "mlp-2.9" => ch02_fc::networks::MoonsMlp,
    "cnn-3.5" => ch03_cnn::networks::PooledCnn,
    "mlp-5.1" => fc::Mlp,
    "cnn-bn-6.4" => cnn::NormedCnn,
    "residual-6.9" => residual::ResidualNet,
    "autoencoder-7.4" => fc::Autoencoder,
    "unet-8.3" => unet::UNet,
    "resnet18-13.1" => residual::ResNet18,
    "rezero-14.6" => residual::ReZero,
}
