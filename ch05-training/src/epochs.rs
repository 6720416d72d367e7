//! A training that goes on epoch by epoch, with optimizer and schedule in the open (sections 5.1 and 5.4).
//!
//! It is what [`train_network`](crate::train_network()) does, less the checkpoints. A search needs it so: after each epoch it decides whether the next is
//! worth the while.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use common::data::{Images, Loader};
use common::seed::mix;
use common::train::{Clip, Losses, Network, Predictions, Recipe, Score, cross_entropy, interrupt};
use common::{Error, Result};

/// Evaluation changes no weight, so its batches may be large.
const EVALUATION_BATCH: usize = 500;

/// A network that is being trained.
pub struct Epochs<N> {
    network: N,
    optimizer: ModuleOptimizer,
    clip: Option<Clip>,
    schedule: ModuleLrScheduler,
    losses: Losses,
    /// The loss on the validation set of each epoch so far.
    validation_losses: Vec<f64>,
    train: Loader<Images>,
    validation: Loader<Images>,
    device: Device,
    seed: u64,
}

/// What came of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Mean of the batches' losses while training.
    pub train_loss: f64,
    /// The same on the validation set, with the weights at the end of the epoch.
    pub validation_loss: f64,
    /// Share of the validation set that is classified rightly.
    pub validation_accuracy: f64,
}

impl<N: Network<Input = Tensor<4>>> Epochs<N> {
    /// Before the first epoch. Weights and the order of the examples are drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a recipe that can't be trained.
    pub fn new(
        network: N,
        [train, validation]: [Images; 2],
        recipe: &Recipe,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        recipe.validate()?;
        let losses = Losses::default();
        let autodiff = device.clone().autodiff();
        device.seed(seed);
        Ok(Self {
            network: network.train().fork(&autodiff),
            optimizer: recipe.optimizer.init(),
            clip: recipe.clip,
            schedule: recipe.schedule.init_with(recipe.lr, &losses)?,
            losses,
            validation_losses: Vec::new(),
            train: Loader::new(Arc::new(train), recipe.batch_size, Some(seed), &autodiff),
            validation: Loader::new(Arc::new(validation), EVALUATION_BATCH, None, device),
            device: autodiff,
            seed,
        })
    }

    /// One pass over the training set, then one over the validation set. A loss that is no number is no error here: a search tries learning rates
    /// that lead there.
    ///
    /// # Errors
    /// [`Error::Interrupted`] after Ctrl-C, [`Error::Training`] when a result can't be read from the device.
    pub fn next_epoch(&mut self) -> Result<Epoch> {
        let epoch = self.validation_losses.len() + 1;
        self.train.epoch_handle().store(epoch, Ordering::SeqCst);
        self.device.seed(mix(self.seed, epoch as u64));
        self.losses.set(self.validation_losses.clone());
        let rate = self.schedule.step();

        let (mut losses, mut batches) = (0.0, 0.0);
        for batch in self.train.iter() {
            if interrupt::requested() {
                return Err(Error::Interrupted(format!("interrupted in epoch {epoch}")));
            }
            let batch = batch.map_err(|error| Error::Data(error.to_string()))?;
            let logits = self.network.forward(batch.inputs); // [B, 10]
            let loss = cross_entropy(logits, batch.targets); // [1]
            let gradients = loss.backward(); // d loss / d parameters
            let gradients = GradientsParams::from_grads(gradients, &self.network);
            let gradients = match self.clip {
                Some(clip) => clip.apply(gradients, &self.network),
                None => gradients,
            };
            let network = self.network.clone();
            self.network = self.optimizer.step(rate.clone(), network, gradients);
            losses += f64::from(loss.into_scalar::<f32>());
            batches += 1.0;
        }
        let (validation_loss, validation_accuracy) = self.validate()?;
        self.validation_losses.push(validation_loss);
        Ok(Epoch {
            train_loss: losses / batches,
            validation_loss,
            validation_accuracy,
        })
    }

    /// Loss and accuracy on the validation set.
    fn validate(&self) -> Result<(f64, f64)> {
        let failed = |error| Error::Training(format!("reading logits: {error:?}"));
        let network = self.network.valid();
        let mut predictions = Predictions::default();
        let (mut losses, mut batches) = (0.0, 0.0);
        for batch in self.validation.iter() {
            let batch = batch.map_err(|error| Error::Data(error.to_string()))?;
            let logits = network.forward(batch.inputs); // [B, 10]
            let loss = cross_entropy(logits.clone(), batch.targets.clone()); // [1]
            losses += f64::from(loss.into_scalar::<f32>());
            batches += 1.0;
            let logits = logits.into_data().try_to_vec::<f32>().map_err(failed)?;
            let labels = batch.targets.into_data();
            predictions.extend(&logits, labels.iter::<i64>().map(|label| label as usize));
        }
        Ok((losses / batches, Score::Accuracy.of(&predictions)))
    }
}
