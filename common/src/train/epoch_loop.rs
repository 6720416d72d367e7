//! The epochs of a training, as a strategy of Burn's `SupervisedTraining`.
//!
//! Burn's own single-device strategy can't give what the book shows: a clock of training time only, schedules that step
//! once per epoch, scores of a whole epoch, random numbers that depend on (seed, epoch) so that a resumed run equals an
//! uninterrupted one. The learner, its checkpointers, interrupter, metrics and dashboard are Burn's.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::{
    EventProcessorTraining, InferenceStep, Learner, LearnerEvent, LearnerModel,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainStep,
    TrainingComponents, TrainingItem, ValidLoader,
};

use super::checkpoint::State;
use super::fit::Observed;
use super::meter::Meter;
use super::progress::{Display, Progress};
use super::{Clip, Losses, Recipe, StepOutput, interrupt};
use crate::files::write_atomic;
use crate::seed::mix;
use crate::{Error, Result};

/// A set on which the model is evaluated after each epoch, and its name in the columns of the history.
pub(super) type Evaluation<I> = (String, Arc<dyn DataLoader<I>>);

/// What the loop leaves behind, besides the model.
pub(super) struct Outcome {
    pub(super) state: State,
    pub(super) error: Option<Error>,
}

pub(super) struct EpochLoop<M: LearnerModel> {
    pub(super) name: String,
    pub(super) recipe: Recipe,
    /// What the learner's schedule reads.
    pub(super) losses: Losses,
    pub(super) device: Device,
    pub(super) seed: u64,
    /// The epoch that the training loader shuffles for.
    pub(super) epoch: Arc<AtomicUsize>,
    pub(super) evaluations: Vec<Evaluation<<M as InferenceStep>::Input>>,
    pub(super) display: Display,
    /// Where `state.json` goes.
    pub(super) folder: Option<PathBuf>,
    /// Where the model with the lowest evaluation loss goes.
    pub(super) best: Option<PathBuf>,
    /// What of the model goes into the history.
    pub(super) observed: Observed<M>,
    pub(super) outcome: RefCell<Outcome>,
}

impl<M> EpochLoop<M>
where
    M: LearnerModel,
    <M as TrainStep>::Output: StepOutput,
    <M as InferenceStep>::Output: StepOutput,
{
    /// One pass of training.
    fn train_epoch(
        &self,
        learner: &mut Learner<M>,
        loader: &dyn DataLoader<<M as TrainStep>::Input>,
        epoch: usize,
        progress: &Progress,
        events: &mut SupervisedTrainingEventProcessor<M>,
    ) -> Result<(f64, Vec<f64>)> {
        let mut meter = Meter::new(&self.recipe.scores);
        let mut batches = loader.iter();
        let mut seen = 0;
        let mut step = 0;
        while let Some(batch) = batches.next() {
            if interrupt::requested() {
                return Err(Error::Interrupted("interrupted".into()));
            }
            let batch = batch.map_err(|error| Error::Data(error.to_string()))?;
            let output = learner.train_step(batch);
            let gradients = match self.recipe.clip {
                Some(clip @ Clip::Norm(_)) => clip.apply(output.grads, &learner.model()),
                _ => output.grads, // values are clamped by the optimizer
            };
            learner.optimizer_step(gradients);
            // Frees the graph of the step and keeps the values.
            let output = burn::train::ItemLazy::sync(output.item)
                .map_err(|error| Error::Training(format!("{error:?}")))?;
            step += 1;
            let position = batches.progress();
            if self.display == Display::Dashboard {
                let item = TrainingItem::new(
                    output.duplicate(),
                    position.clone(),
                    Some(step),
                    Some(learner.lr_current()),
                );
                report(events.process_train(LearnerEvent::ProcessedItem(item)))?;
            }
            meter.push(output)?;
            let new = position.items_processed - seen;
            seen = position.items_processed;
            progress.advance(new, epoch, meter.loss_so_far(), meter.accuracy_so_far());
        }
        meter.finish(&self.recipe.scores)
    }

    /// One pass of evaluation, with dropout and the like off.
    fn evaluate(
        &self,
        model: &M,
        loader: &dyn DataLoader<<M as InferenceStep>::Input>,
        progress: &Progress,
        mut events: Option<&mut SupervisedTrainingEventProcessor<M>>,
    ) -> Result<(f64, Vec<f64>)> {
        let mut meter = Meter::new(&self.recipe.scores);
        let mut batches = loader.iter();
        let mut seen = 0;
        let mut step = 0;
        while let Some(batch) = batches.next() {
            if interrupt::requested() {
                return Err(Error::Interrupted("interrupted".into()));
            }
            let batch = batch.map_err(|error| Error::Data(error.to_string()))?;
            let output = InferenceStep::step(model, batch);
            step += 1;
            let position = batches.progress();
            if let Some(events) = &mut events {
                let item =
                    TrainingItem::new(output.duplicate(), position.clone(), Some(step), None);
                report(events.process_valid(LearnerEvent::ProcessedItem(item)))?;
            }
            meter.push(output)?;
            progress.advance_silently(position.items_processed - seen);
            seen = position.items_processed;
        }
        meter.finish(&self.recipe.scores)
    }

    /// Whether the evaluation loss has not fallen for `patience` epochs.
    fn out_of_patience(&self, state: &State) -> bool {
        let (Some(patience), Some((name, _))) = (self.recipe.patience, self.evaluations.first())
        else {
            return false;
        };
        let best = state.history.argmin(&format!("{name} loss"));
        best.is_some_and(|best| state.history.epochs() > best + patience)
    }

    fn epochs(
        &self,
        learner: &mut Learner<M>,
        loader: &dyn DataLoader<<M as TrainStep>::Input>,
        components: &mut TrainingComponents<M>,
        start: usize,
    ) -> Result<()> {
        let mut outcome = self.outcome.borrow_mut();
        let total_epochs = components.num_epochs;
        let evaluated: usize = self.evaluations.iter().map(|(_, l)| l.num_items()).sum();
        let per_epoch = loader.num_items() + evaluated;
        let progress = Progress::start(
            &self.name,
            total_epochs,
            per_epoch * total_epochs,
            self.display,
        );
        progress.skip(per_epoch * (start - 1));
        let dashboard = self.display == Display::Dashboard;

        for epoch in start..=total_epochs {
            self.epoch.store(epoch, Ordering::SeqCst);
            self.device.seed(mix(self.seed, epoch as u64));
            if let Some((name, _)) = self.evaluations.first() {
                let losses = outcome.state.history.column(&format!("{name} loss"));
                self.losses.set(losses);
            }
            learner.lr_step();

            let events = &mut components.event_processor;
            report(events.process_train(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: loader.num_items(),
            }))?;
            let clock = Instant::now();
            let (loss, scores) = self.train_epoch(learner, loader, epoch, &progress, events)?;
            let seconds = clock.elapsed().as_secs_f64();
            report(events.process_train(LearnerEvent::EndSplit(epoch)))?;

            let before = outcome.state.history.last("total time");
            let before = if before.is_nan() { 0.0 } else { before };
            let mut row = vec![(epoch - 1) as f64, before + seconds, loss];
            row.extend(scores);
            let model = learner.model().valid();
            for (index, (_, set)) in self.evaluations.iter().enumerate() {
                let shown = dashboard && index == 0;
                if shown {
                    report(events.process_valid(LearnerEvent::StartSplit {
                        epoch_number: epoch,
                        total_items: set.num_items(),
                    }))?;
                }
                let (loss, scores) = self.evaluate(
                    &model,
                    set.as_ref(),
                    &progress,
                    shown.then_some(&mut *events),
                )?;
                if shown {
                    report(events.process_valid(LearnerEvent::EndSplit(epoch)))?;
                }
                row.push(loss);
                row.extend(scores);
            }
            report(events.process_train(LearnerEvent::EndEpoch(epoch)))?;

            let mut values = (self.observed.values)(&model);
            values.resize(self.observed.names.len(), f64::NAN);
            row.extend(values);
            outcome.state.history.push(&row);
            progress.epoch_done(&outcome.state.history);
            self.save_if_best(model, &outcome.state)?;
            outcome.state.stopped_early =
                epoch < total_epochs && self.out_of_patience(&outcome.state);
            if let Some(folder) = &self.folder {
                outcome.state.save(folder)?;
            }
            if let Some(checkpointer) = &mut components.checkpointer {
                checkpointer.checkpoint(learner, epoch, &components.event_store);
            }
            if components.interrupter.should_stop() {
                break; // a checkpoint could not be written, or the dashboard was left; the caller reads which
            }
            if outcome.state.stopped_early {
                break;
            }
        }
        progress.finish(&outcome.state.history);
        Ok(())
    }

    fn save_if_best(&self, model: M, state: &State) -> Result<()> {
        let (Some(path), Some((name, _))) = (&self.best, self.evaluations.first()) else {
            return Ok(());
        };
        let newest = state.history.epochs() - 1;
        if state.history.argmin(&format!("{name} loss")) == Some(newest) {
            save_model(model, path)?;
        }
        Ok(())
    }
}

/// Writes a model's parameters as a burnpack file, atomically.
///
/// # Errors
/// [`Error::Io`] when it can't be written.
pub fn save_model<M: burn::module::Module>(model: M, path: &std::path::Path) -> Result<()> {
    let bytes = model
        .into_record()
        .into_bytes()
        .map_err(|error| Error::Training(format!("{}: {error}", path.display())))?;
    write_atomic(path, &bytes)
}

fn report<E: std::fmt::Display>(result: std::result::Result<(), E>) -> Result<()> {
    result.map_err(|error| Error::Training(format!("Burn's metrics: {error}")))
}

impl<M> SupervisedLearningStrategy<M> for EpochLoop<M>
where
    M: LearnerModel,
    <M as TrainStep>::Output: StepOutput,
    <M as InferenceStep>::Output: StepOutput,
{
    fn fit(
        &self,
        mut components: TrainingComponents<M>,
        mut learner: Learner<M>,
        train: TrainLoader<M>,
        _first_evaluation: ValidLoader<M>, // one of `self.evaluations`, which has them all
        starting_epoch: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
        learner.fork(&self.device);
        let result = self.epochs(
            &mut learner,
            train.as_ref(),
            &mut components,
            starting_epoch,
        );
        if let Err(error) = result {
            self.outcome.borrow_mut().error = Some(error);
            components.interrupter.stop(Some("see the outcome"));
        }
        (learner.model(), components.event_processor)
    }
}
