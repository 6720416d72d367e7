//! `fit`: trains a model by a recipe, with history, checkpoints and resume.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::{ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use serde_json::json;

use super::checkpoint::{self, AtomicCheckpointer, State};
use super::epoch_loop::{EpochLoop, Evaluation, Outcome, save_model};
use super::history::OBSERVED;
use super::progress::Display;
use super::{History, Losses, Recipe, StepOutput, Trainable, count_parameters, dashboard};
use crate::data::{Batches, Loader};
use crate::seed::mix;
use crate::{Error, Result};

/// Where and how models are trained.
#[derive(Clone, Debug)]
pub struct Session {
    /// The device, without automatic differentiation.
    pub device: Device,
    /// Everything random is drawn from this.
    pub seed: u64,
    /// How training is shown.
    pub display: Display,
    /// A folder for checkpoints and one for trained models; none writes nothing.
    pub folders: Option<Folders>,
    /// Go on from the newest checkpoint in `folders`.
    pub resume: bool,
    /// Checkpoint folders of other finished runs: a model trained there under the same name, by the same recipe, on the same
    /// data and by this very program is taken over instead of trained again.
    pub reuse: Vec<PathBuf>,
    /// What else must be equal for a run to be continued or taken over: the data sets, say.
    pub context: serde_json::Value,
}

/// Where a session writes.
#[derive(Clone, Debug)]
pub struct Folders {
    /// A folder per model, with Burn's records of the last two epochs.
    pub checkpoints: PathBuf,
    /// `NAME-last.bpk` and `NAME-best.bpk`.
    pub models: PathBuf,
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct Fitted<M> {
    /// The name given to [`fit`].
    pub name: String,
    /// The model after the last epoch, in evaluation mode.
    pub model: M,
    /// A row per epoch.
    pub history: History,
    /// Trainable parameters.
    pub parameters: usize,
    /// Whether early stopping ended the training before the last epoch.
    pub stopped_early: bool,
}

/// Uses each parameter once, in the order of the module.
struct DrawWeights;

impl ModuleVisitor for DrawWeights {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let _ = parameter.val();
    }
}

/// Draws the weights of a fresh model now, from the device's generator; Burn draws each when it is first used.
pub fn draw_weights(model: &impl burn::module::Module) {
    model.visit(&mut DrawWeights);
}

/// A name that can stand in a file name: lower case, other signs replaced by `-`.
pub fn slug(name: &str) -> String {
    let plain = name.to_lowercase();
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// Trains `model` on `train` and evaluates it on each set of `evaluate` after each epoch.
///
/// Everything random in epoch e is drawn from (seed, name, e): stopped after epoch 3 and resumed equals never stopped, bit
/// for bit, on one device with one number of threads.
///
/// # Errors
/// [`Error::Usage`] for a recipe that can't be trained or a checkpoint of another one; [`Error::Data`] for damaged
/// checkpoints; [`Error::Training`] for a loss that is no number; [`Error::Interrupted`] after Ctrl-C. The
/// last good checkpoint stays.
pub fn fit<M, T, E>(
    session: &Session,
    name: &str,
    model: M,
    train: &Arc<T>,
    evaluate: &[(&str, Arc<E>)],
    recipe: &Recipe,
) -> Result<Fitted<M>>
where
    M: Trainable<T::Batch>,
    T: Batches + 'static,
    E: Batches<Batch = T::Batch> + 'static,
    T::Batch: Send + 'static,
{
    let nothing = Observed::default();
    fit_observed(session, name, model, train, evaluate, recipe, nothing)
}

/// Reads numbers from a model in evaluation mode.
pub type ReadNumbers<M> = Box<dyn Fn(&M) -> Vec<f64>>;

/// Numbers of a model that its history has beside losses and scores, such as a weight that a section speaks of.
pub struct Observed<M> {
    /// A name for each; its column in the history is called `model NAME`.
    pub names: Vec<String>,
    /// The numbers, read after each epoch.
    pub values: ReadNumbers<M>,
}

impl<M> Default for Observed<M> {
    /// Nothing.
    fn default() -> Self {
        Self {
            names: Vec::new(),
            values: Box::new(|_| Vec::new()),
        }
    }
}

/// [`fit`] of a model of which some numbers are recorded after each epoch.
///
/// # Errors
/// As [`fit`].
pub fn fit_observed<M, T, E>(
    session: &Session,
    name: &str,
    model: M,
    train: &Arc<T>,
    evaluate: &[(&str, Arc<E>)],
    recipe: &Recipe,
    observed: Observed<M>,
) -> Result<Fitted<M>>
where
    M: Trainable<T::Batch>,
    T: Batches + 'static,
    E: Batches<Batch = T::Batch> + 'static,
    T::Batch: Send + 'static,
{
    recipe.validate()?;
    if train.len() == 0 {
        return Err(Error::Usage(format!(
            "{name}: there is no training example"
        )));
    }
    if recipe.schedule.needs_losses() && evaluate.is_empty() {
        return Err(Error::Usage(format!(
            "{name}: {:?} looks at the loss of an evaluation set, and there is none",
            recipe.schedule
        )));
    }
    let slug = slug(name);
    let seed = slug
        .bytes()
        .fold(session.seed, |seed, byte| mix(seed, u64::from(byte)));
    // Burn draws a module's first weights when they are first used: here, from a known state.
    session.device.seed(seed);
    draw_weights(&model);
    let parameters = count_parameters(&model);

    let mut fingerprint = json!({
        "parameters": parameters,
        "optimizer": recipe.optimizer,
        "clip": recipe.clip,
        "lr": recipe.lr,
        "schedule": recipe.schedule,
        "batch size": recipe.batch_size,
        "shuffle": recipe.shuffle,
        "scores": recipe.scores,
        "seed": session.seed,
        "context": session.context,
        "training examples": train.len(),
        "evaluation examples": evaluate.iter().map(|(_, set)| set.len()).collect::<Vec<_>>(),
    });
    if !observed.names.is_empty() {
        fingerprint["observed"] = json!(observed.names);
    }
    let model_path = |which: &str| {
        let folders = session.folders.as_ref()?;
        Some(folders.models.join(format!("{slug}-{which}.bpk")))
    };
    let folder = session.folders.as_ref().map(|f| f.checkpoints.join(&slug));
    let resume = match &folder {
        Some(folder) if session.resume => checkpoint::find(folder, &fingerprint)?,
        _ => None,
    };
    if resume.is_none() {
        for other in &session.reuse {
            let found = checkpoint::finished(&other.join(&slug), &fingerprint, recipe.epochs);
            let Some((state, record)) = found else {
                continue;
            };
            if let Ok(model) = unshared(&model).try_load_record(record) {
                if session.display != Display::Quiet {
                    println!("{name}  taken from {}", other.display());
                }
                let model = model.valid();
                if let Some(path) = model_path("last") {
                    save_model(model.clone(), &path)?;
                }
                return Ok(Fitted {
                    name: name.to_string(),
                    model,
                    history: state.history,
                    parameters,
                    stopped_early: state.stopped_early,
                });
            }
        }
    }
    let (start, state) = match resume {
        Some(resume) => {
            // Burn panics on a record of another network, so it is tried on a copy first.
            if let Some(folder) = &folder {
                checkpoint::must_fit(folder, resume.epoch, unshared(&model))?;
            }
            (resume.epoch, resume.state)
        }
        None => {
            let history = History::new(columns(evaluate, recipe, &observed.names));
            let state = State {
                fingerprint,
                program: checkpoint::program(),
                history,
                stopped_early: false,
            };
            (0, state)
        }
    };

    let autodiff = session.device.clone().autodiff();
    let order = recipe.shuffle.then_some(seed);
    let train_loader = Loader::new(train.clone(), recipe.batch_size, order, &autodiff);
    let epoch = train_loader.epoch_handle();
    let train_loader: Arc<dyn DataLoader<T::Batch>> = Arc::new(train_loader);
    let evaluations: Vec<Evaluation<T::Batch>> = evaluate
        .iter()
        .map(|(set, data)| {
            // Evaluation changes no weight, so its batches can be larger than the recipe's.
            let batch = recipe.batch_size.max(data.evaluation_batch());
            let loader = Loader::new(data.clone(), batch, None, &session.device);
            let loader: Arc<dyn DataLoader<T::Batch>> = Arc::new(loader);
            (set.to_string(), loader)
        })
        .collect();
    // Burn asks for an evaluation loader even if nothing is evaluated; the loop reads its own list.
    let first_evaluation = evaluations
        .first()
        .map_or(train_loader.clone(), |(_, loader)| loader.clone());

    let losses = Losses::default();
    let schedule = recipe.schedule.init_with(recipe.lr, &losses)?;
    let strategy = Arc::new(EpochLoop::<M> {
        name: name.to_string(),
        recipe: recipe.clone(),
        losses,
        device: autodiff,
        seed,
        epoch,
        evaluations,
        display: session.display,
        folder: folder.clone(),
        best: model_path("best"),
        observed,
        outcome: RefCell::new(Outcome { state, error: None }),
    });

    // A training that early stopping has ended is over, however many epochs the recipe allows.
    let epochs = if strategy.outcome.borrow().state.stopped_early {
        start
    } else {
        recipe.epochs
    };
    let interrupter = Interrupter::new();
    let log_folder = folder.clone().unwrap_or_default();
    let mut training = SupervisedTraining::new(log_folder, train_loader, first_evaluation)
        .num_epochs(epochs)
        .with_application_logger(None)
        .with_metric_logger(burn::train::logger::InMemoryMetricLogger::default())
        .with_interrupter(interrupter.clone())
        .with_training_strategy(TrainingStrategy::Custom(strategy.clone()));
    if let Some(folder) = &folder {
        training = training
            .with_custom_checkpointers(
                AtomicCheckpointer::new(folder, "model"),
                AtomicCheckpointer::new(folder, "optim"),
                AtomicCheckpointer::new(folder, "scheduler"),
            )
            .with_checkpointing_strategy(KeepLastNCheckpoints::new(2));
        if start > 0 {
            training = training.checkpoint(start);
        }
    }
    training = match session.display {
        Display::Dashboard => {
            let renderer = dashboard::open(interrupter, start);
            M::StepOutput::dashboard_metrics(training.renderer(renderer))
        }
        _ => training.renderer(Box::new(dashboard::Silent)),
    };
    let result = training.launch(Learner::new(
        model.train(),
        recipe.optimizer.init_with(recipe.clip),
        schedule,
    ));

    let mut outcome = strategy.outcome.borrow_mut();
    if let Some(error) = outcome.error.take() {
        return Err(explain(error, name, outcome.state.history.epochs(), epochs));
    }
    if let Some(error) = result.error {
        return Err(Error::Training(format!("{name}: {error}")));
    }
    if result.interrupted.is_some() {
        let error = Error::Interrupted("the dashboard was left".into());
        return Err(explain(error, name, outcome.state.history.epochs(), epochs));
    }
    if let Some(path) = model_path("last") {
        save_model(result.model.clone(), &path)?;
    }
    Ok(Fitted {
        name: name.to_string(),
        model: result.model,
        history: outcome.state.history.clone(),
        parameters,
        stopped_early: outcome.state.stopped_early,
    })
}

/// Reads parameters that [`fit`] has saved into `model`, a fresh module of the same kind.
///
/// # Errors
/// [`Error::Data`] when the file is missing, damaged, or of another model.
pub fn load_model<M: burn::module::Module>(path: &std::path::Path, model: M) -> Result<M> {
    let bad = |why: String| {
        Error::Data(format!(
            "{}: can't be read as this model ({why}); train it again",
            path.display()
        ))
    };
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let record = burn::store::ModuleRecord::from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes))
        .map_err(|error| bad(error.to_string()))?;
    let model = unshared(&model)
        .try_load_record(record)
        .map_err(|error| bad(error.to_string()))?;
    Ok(model.valid())
}

/// The module with running statistics of its own. Clones of a batch norm share theirs, so that a record read into one of them, a trained
/// copy say, would change the others, the pretrained network that it was copied from.
fn unshared<M: burn::module::Module>(model: &M) -> M {
    model.valid()
}

fn columns<E>(evaluate: &[(&str, Arc<E>)], recipe: &Recipe, observed: &[String]) -> Vec<String> {
    let mut columns = vec!["epoch".to_string(), "total time".to_string()];
    for set in std::iter::once("train").chain(evaluate.iter().map(|(set, _)| *set)) {
        columns.push(format!("{set} loss"));
        for score in &recipe.scores {
            columns.push(format!("{set} {}", score.name()));
        }
    }
    columns.extend(observed.iter().map(|name| format!("{OBSERVED}{name}")));
    columns
}

/// Adds which model was being trained and what is left of it.
fn explain(error: Error, name: &str, done: usize, epochs: usize) -> Error {
    let kept = match done {
        0 => "no epoch was finished, so there is no checkpoint".to_string(),
        _ => format!("the checkpoint of epoch {done} is kept"),
    };
    match error {
        Error::Interrupted(why) => Error::Interrupted(format!(
            "{name}: {why} in epoch {} of {epochs}; {kept}",
            done + 1
        )),
        Error::Training(why) => Error::Training(format!(
            "{name}: stopped in epoch {} of {epochs}: {why}; {kept}",
            done + 1
        )),
        other => other,
    }
}
