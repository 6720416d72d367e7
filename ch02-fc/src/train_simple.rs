//! The training loop as the book first shows it (section 2.1), with nothing hidden:
//!
//! for each epoch, for each batch: forward, loss, backward, step.
//!
//! No evaluation, no scores, no checkpoints: those come in section 2.4, here as `common::train::fit`.

use burn::data::dataloader::DataLoader;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use common::data::{Batch, Batches, Loader};
use common::train::{Network, interrupt};
use common::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How the loop runs.
pub struct SimpleTraining<'a> {
    /// The device to train on.
    pub device: &'a Device,
    /// Passes over the data.
    pub epochs: usize,
    /// Examples per update.
    pub batch_size: usize,
    /// Learning rate of plain SGD.
    pub lr: f64,
    /// The seed to shuffle by; `None` keeps the order of the data.
    pub shuffle: Option<u64>,
    /// Told of each epoch, from 0, with its mean loss.
    pub on_epoch: &'a mut dyn FnMut(usize, f64),
}

/// Trains `model` to lower `loss(output, target)` by stochastic gradient descent, and gives it back ready for use.
///
/// # Errors
/// [`Error::Training`] when the loss is no longer a number, [`Error::Interrupted`] after Ctrl-C.
pub fn train_simple_network<N, T, D>(
    model: N,
    data: &Arc<D>,
    loss: impl Fn(Tensor<2>, T) -> Tensor<1>,
    training: SimpleTraining<'_>,
) -> Result<N>
where
    N: Network,
    D: Batches<Batch = Batch<N::Input, T>> + 'static,
    T: Send + 'static,
    N::Input: Send,
{
    let device = training.device.clone().autodiff();
    let mut model = model.train().fork(&device);
    let mut optimizer = SgdConfig::new().init();
    let loader = Loader::new(data.clone(), training.batch_size, training.shuffle, &device);

    for epoch in 0..training.epochs {
        loader.epoch_handle().store(epoch, Ordering::SeqCst);
        let mut losses = 0.0;
        let mut batches = 0.0;
        for batch in loader.iter() {
            let batch = batch.map_err(|error| Error::Data(error.to_string()))?;

            let output = model.forward(batch.inputs); // forward: y = f(x)
            let loss = loss(output, batch.targets); // how wrong is it?
            let gradients = loss.backward(); // backward: d loss / d parameters
            let gradients = GradientsParams::from_grads(gradients, &model);
            model = optimizer.step(training.lr, model, gradients); // w <- w - lr * gradient

            losses += f64::from(loss.into_scalar::<f32>());
            batches += 1.0;
        }
        let mean = losses / batches;
        if !mean.is_finite() {
            return Err(Error::Training(format!(
                "the loss became {mean} in epoch {epoch}; a smaller --lr may help"
            )));
        }
        if interrupt::requested() {
            return Err(Error::Interrupted(format!(
                "interrupted after epoch {epoch}"
            )));
        }
        (training.on_epoch)(epoch, mean);
    }
    Ok(model.valid())
}
