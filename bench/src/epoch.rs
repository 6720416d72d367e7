//! Whole epochs: our data sets, loader and training loop, and how much of their time is spent in training steps.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use burn::train::{
    ClassificationOutput, InferenceStep, ItemLazy, LearnerModel, SupervisedTraining, TrainOutput,
    TrainStep,
};
use common::data::{Batch, Batches, Images, Points};
use common::train::{Classifier, Display, Network, Recipe, Session, StepOutput, fit};
use common::{Error, Result};

use crate::exchange::Tensors;

/// What an epoch took.
pub struct Epoch {
    /// Training examples.
    pub examples: usize,
    /// Median wall time of an epoch of training, as the results table has it.
    pub seconds: f64,
    /// The share of the wall time of all epochs that lies between a step's first operation and the reading of its loss.
    pub share_in_steps: f64,
}

thread_local! {
    /// When the step that runs began.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Seconds in steps so far.
    static IN_STEPS: Cell<f64> = const { Cell::new(0.0) };
}

/// A classifier that keeps count of the time in its training steps.
#[derive(Module, Debug)]
struct Timed<N: Module> {
    classifier: Classifier<N>,
}

/// The output of a step. The training loop syncs it when the optimizer is done, which is the end of the step.
struct TimedOutput(ClassificationOutput);

impl ItemLazy for TimedOutput {
    fn sync(self) -> std::result::Result<Self, burn::tensor::ExecutionError> {
        let output = self.0.sync()?;
        if let Some(began) = BEGAN.take() {
            IN_STEPS.set(IN_STEPS.get() + began.elapsed().as_secs_f64());
        }
        Ok(Self(output))
    }
}

impl StepOutput for TimedOutput {
    fn loss(&self) -> Tensor<1> {
        self.0.loss()
    }

    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        self.0.predictions()
    }

    fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>,
    {
        training
    }
}

impl<N: Network> TrainStep for Timed<N> {
    type Input = Batch<N::Input, Tensor<1, Int>>;
    type Output = TimedOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<TimedOutput> {
        BEGAN.set(Some(Instant::now()));
        let TrainOutput { grads, item } = TrainStep::step(&self.classifier, batch);
        TrainOutput {
            grads,
            item: TimedOutput(item),
        }
    }
}

impl<N: Network> InferenceStep for Timed<N> {
    type Input = Batch<N::Input, Tensor<1, Int>>;
    type Output = TimedOutput;

    fn step(&self, batch: Self::Input) -> TimedOutput {
        TimedOutput(InferenceStep::step(&self.classifier, batch))
    }
}

/// Trains the workload of this name on the twin's data set.
///
/// # Errors
/// [`Error::Usage`] for a workload without a data set, [`Error::Data`] for files that can't be read.
pub fn run(name: &str, folder: &Path) -> Result<Epoch> {
    let tensors = Tensors::read(&folder.join("dataset.safetensors"))?;
    let device = Device::flex();
    let autodiff = device.clone().autodiff();
    match name {
        "mlp-2.9" => train(
            ch02_fc::networks::MoonsMlp::new(&autodiff),
            points(&tensors)?,
            &Recipe::sgd(1e-3, 32, 21),
            &device,
        ),
        "cnn-3.5" => train(
            ch03_cnn::networks::PooledCnn::new(&autodiff),
            images(&tensors)?,
            &Recipe::sgd(1e-3, 32, 1),
            &device,
        ),
        "mlp-5.1" => train(
            ch05_training::networks::Mlp::book(&autodiff),
            images(&tensors)?,
            &Recipe::sgd(0.1, 256, 3),
            &device,
        ),
        _ => Err(Error::Usage(format!("{name} has no data set"))),
    }
}

fn images(tensors: &Tensors) -> Result<Images> {
    let (pixels, [_, channels, height, width]) = tensors.bytes::<4>("x")?;
    let (labels, _) = tensors.bytes::<1>("y")?;
    let names = (0..10).map(|class| class.to_string()).collect();
    Images::new([channels, height, width], pixels, labels, names)
}

fn points(tensors: &Tensors) -> Result<Points> {
    let (features, [_, dim]) = tensors.floats::<2>("x")?;
    let (labels, _) = tensors.bytes::<1>("y")?;
    Ok(Points {
        features,
        dim,
        labels,
        classes: 2,
    })
}

fn train<N, D>(network: N, data: D, recipe: &Recipe, device: &Device) -> Result<Epoch>
where
    N: Network,
    N::Input: Send,
    D: Batches<Batch = Batch<N::Input, Tensor<1, Int>>> + 'static,
{
    let session = Session {
        device: device.clone(),
        seed: 1,
        display: Display::Quiet,
        folders: None,
        resume: false,
        reuse: Vec::new(),
        context: serde_json::Value::Null,
    };
    let data = Arc::new(data);
    let model = Timed {
        classifier: Classifier::new(network),
    };
    let nothing: &[(&str, Arc<D>)] = &[];
    IN_STEPS.set(0.0);
    let fitted = fit(&session, "epoch", model, &data, nothing, recipe)?;
    let until = fitted.history.column("total time"); // cumulative
    let mut seconds: Vec<f64> = std::iter::once(0.0)
        .chain(until.iter().copied())
        .zip(&until)
        .map(|(from, to)| to - from)
        .collect();
    seconds.sort_by(f64::total_cmp);
    Ok(Epoch {
        examples: data.len(),
        seconds: seconds[seconds.len() / 2],
        share_in_steps: IN_STEPS.get() / fitted.history.last("total time"),
    })
}
