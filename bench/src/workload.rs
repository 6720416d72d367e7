//! What is timed: a network with its loss, its optimizer and its batches.

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use common::train::Optimizer;
use common::{Error, Result};

use crate::exchange::{Tensors, load};

/// A network as the book trains it. `dropout` tells whether the layers of that name are on: the losses of both sides can only
/// be compared without.
pub trait Workload: Module + 'static {
    /// Inputs and targets of a step.
    type Batch;

    /// A network with weights that are replaced by the twin's.
    fn fresh(dropout: bool, device: &Device) -> Self;

    /// Batch `index` of the twin's file.
    ///
    /// # Errors
    /// [`Error::Data`] when the file has no such batch.
    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch>;

    /// The loss that is minimised, shape \[1\].
    fn loss(&self, batch: &Self::Batch) -> Tensor<1>;

    /// A pass in evaluation mode.
    fn evaluate(&self, batch: &Self::Batch);

    /// The book's optimizer and learning rate.
    fn optimizer() -> (ModuleOptimizer, f64) {
        (Optimizer::adamw().init(), 1e-3)
    }
}

/// How a workload is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether dropout is on.
    pub dropout: bool,
    /// What the learning rate is multiplied by.
    pub rate_factor: f64,
}

impl Default for Options {
    /// As the book has it.
    fn default() -> Self {
        Self {
            dropout: true,
            rate_factor: 1.0,
        }
    }
}

/// A workload ready to run, whatever its network.
pub trait Training {
    /// One training step on batch `index`, counted around: forward, loss, backward, optimizer step, loss read.
    fn step(&mut self, index: usize) -> f32;

    /// One pass in evaluation mode over batch `index`, counted around.
    fn forward(&self, index: usize);

    /// Trainable parameters.
    fn parameters(&self) -> usize;
}

/// A [`Workload`] with the twin's weights and batches in memory.
pub struct Ready<W: Workload> {
    /// Empty only while a step runs.
    model: Option<W>,
    optimizer: ModuleOptimizer,
    rate: f64,
    batches: Vec<W::Batch>,
    evaluation: Vec<W::Batch>,
}

impl<W: Workload> Ready<W> {
    /// Reads `weights.safetensors` and `batches.safetensors` in `folder`.
    ///
    /// # Errors
    /// [`Error::Data`] when a file is missing or is not this workload's.
    pub fn read(folder: &Path, options: Options) -> Result<Self> {
        let plain = Device::flex();
        let autodiff = plain.clone().autodiff();
        let model = load(
            W::fresh(options.dropout, &autodiff),
            &folder.join("weights.safetensors"),
        )?;
        let tensors = Tensors::read(&folder.join("batches.safetensors"))?;
        let all = |device: &Device| -> Result<Vec<W::Batch>> {
            let numbers = tensors.numbers("x");
            numbers
                .map(|index| W::batch(&tensors, index, device))
                .collect()
        };
        let (batches, evaluation) = (all(&autodiff)?, all(&plain)?);
        if batches.is_empty() {
            return Err(Error::Data(format!("{}: no batch", folder.display())));
        }
        let (optimizer, rate) = W::optimizer();
        Ok(Self {
            model: Some(model),
            optimizer,
            rate: rate * options.rate_factor,
            batches,
            evaluation,
        })
    }
}

impl<W: Workload> Training for Ready<W> {
    fn step(&mut self, index: usize) -> f32 {
        let Some(model) = self.model.take() else {
            return f32::NAN;
        };
        let loss = model.loss(&self.batches[index % self.batches.len()]);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(self.rate, model, gradients));
        loss.into_scalar::<f32>()
    }

    fn forward(&self, index: usize) {
        if let Some(model) = &self.model {
            let batch = &self.evaluation[index % self.evaluation.len()];
            model.valid().evaluate(batch);
        }
    }

    fn parameters(&self) -> usize {
        self.model.as_ref().map_or(0, trainable)
    }
}

/// Parameters that the optimizer changes; the statistics of batch norm are not among them.
pub fn trainable<M: Module>(model: &M) -> usize {
    let mut count = CountTrainable(0);
    model.visit(&mut count);
    count.0
}

struct CountTrainable(usize);

impl ModuleVisitor for CountTrainable {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if parameter.is_require_grad() {
            self.0 += parameter.shape().num_elements();
        }
    }
}
