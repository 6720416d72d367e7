//! The workloads by name.

use std::path::Path;

use common::{Error, Result};

use crate::models::{attention, text, wgan};
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
                $($name => Ok(Box::new(<$workload>::read(folder, options)?)),)*
                _ => Err(Error::Usage(format!("{name}: no such workload"))),
            }
        }
    };
}

workloads! {
    "mlp-2.9" => Ready<ch02_fc::networks::MoonsMlp>,
    "cnn-3.5" => Ready<ch03_cnn::networks::PooledCnn>,
    "mlp-5.1" => Ready<ch05_training::networks::Mlp>,
    "cnn-bn-6.4" => Ready<ch06_design::networks::Cnn>,
    "residual-6.9" => Ready<ch06_design::deep::ResidualCnn>,
    "lstm-6.10" => Ready<ch06_design::names::NameClassifier>,
    "autoencoder-7.4" => Ready<ch07_autoencoder::autoencoders::DeepAutoencoder>,
    "char-gru-7.7" => Ready<ch07_autoencoder::auto_regressive::AutoRegressive>,
    "unet-8.3" => Ready<ch08_detection::unet::UNet>,
    "wgan-9.5" => wgan::Wgan,
    "attention-10.5" => Ready<attention::BagNet>,
    "seq2seq-11.1" => Ready<ch11_seq2seq::Seq2Seq>,
    "gru-12.1" => Ready<text::NewsGru>,
    "average-12.2" => Ready<text::NewsAverage>,
    "transformer-12.7" => Ready<text::NewsTransformer>,
    "resnet18-13.1" => Ready<ch13_transfer::resnet::ResNet>,
    "rezero-14.6" => Ready<ch14_advanced::residual::ResidualNet>,
}
