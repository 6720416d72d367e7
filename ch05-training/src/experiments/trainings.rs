//! The trainings of 5.1 to 5.12. Those of the same name are the same training: the second experiment that wants one takes it over.

use std::sync::Arc;

use common::Result;
use common::experiment::Run;
use common::train::{Classifier, Clip, Fitted, Optimizer, Recipe, Schedule};

use crate::networks::Mlp;
use crate::train_network::{Sets, train_network};

/// Examples per update.
pub(super) const BATCH: usize = 256;
/// eta_0
pub(super) const RATE: f64 = 0.1;
/// eta_min
pub(super) const LEAST_RATE: f64 = 1e-4;

/// Gradients are cut here, from both sides.
const CLIP: f64 = 5.0;

/// A training of the chapter's network.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Training {
    /// SGD(0.1), the baseline.
    Sgd,
    Exponential,
    Step,
    Cosine,
    /// On 80 % of the training set; the rest is the validation set.
    Plateau,
    /// The same with a third of the patience.
    ImpatientPlateau,
    Momentum,
    Nesterov,
    AdamW,
    NesterovCosine,
    AdamWCosine,
    AdamWCosineClipped,
}

/// A trained network with its results.
pub(super) type Trained = Fitted<Classifier<Mlp>>;

impl Training {
    /// The name in figures and files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Training::Sgd => "SGD",
            Training::Exponential => "exponential decay",
            Training::Step => "step drops",
            Training::Cosine => "cosine annealing",
            Training::Plateau => "plateau",
            Training::ImpatientPlateau => "plateau, less patience",
            Training::Momentum => "momentum",
            Training::Nesterov => "Nesterov",
            Training::AdamW => "AdamW",
            Training::NesterovCosine => "Nesterov + cosine",
            Training::AdamWCosine => "AdamW + cosine",
            Training::AdamWCosineClipped => "AdamW + cosine, clipped",
        }
    }

    /// Optimizer, rate and schedule; schedules are cut to the number of epochs.
    pub(super) fn recipe(self, run: &Run) -> Recipe {
        let epochs = run.pick(2, 30, 50);
        let sgd = run.recipe(&Recipe::sgd(RATE, BATCH, epochs));
        let adamw = run.recipe(&Recipe::adamw(BATCH, epochs));
        let (epochs, lr) = (sgd.epochs, sgd.lr);
        let cosine = |min: f64| Schedule::Cosine {
            epochs: (epochs / 3).max(1),
            min,
        };
        let momentum = Optimizer::sgd_momentum(0.9);
        let nesterov = Optimizer::nesterov(0.9);
        match self {
            Training::Sgd => sgd,
            Training::Exponential => {
                sgd.with_schedule(Schedule::decay_to(LEAST_RATE.min(lr), lr, epochs))
            }
            Training::Step => sgd.with_schedule(Schedule::Step {
                every: (epochs / 4).max(1),
                gamma: 0.3,
            }),
            Training::Cosine => sgd.with_schedule(cosine(LEAST_RATE.min(lr))),
            // The book waits for 10 of its 50 epochs.
            Training::Plateau => sgd.with_schedule(Schedule::plateau(0.2, epochs / 5)),
            Training::ImpatientPlateau => {
                sgd.with_schedule(Schedule::plateau(0.2, (epochs / 15).max(1)))
            }
            Training::Momentum => sgd.with_optimizer(momentum),
            Training::Nesterov => sgd.with_optimizer(nesterov),
            Training::AdamW => adamw,
            Training::NesterovCosine => sgd.with_optimizer(nesterov).with_schedule(cosine(0.0)),
            Training::AdamWCosine => adamw.with_schedule(cosine(0.0)),
            Training::AdamWCosineClipped => adamw
                .with_schedule(cosine(0.0))
                .with_clip(Clip::Value(CLIP)),
        }
    }
}

/// Fashion-MNIST: all of it, but for `smoke`.
pub(super) fn garments(run: &mut Run) -> Result<Sets> {
    let (train, test) = run.pick((512, 200), (60_000, 10_000), (60_000, 10_000));
    let data = run.fashion_mnist(train, test)?;
    Ok(Sets {
        train: Arc::new(data.train),
        validation: None,
        test: Arc::new(data.test),
    })
}

/// Trains the network anew, or takes over what a sibling experiment has trained.
pub(super) fn train(run: &mut Run, sets: &Sets, training: Training) -> Result<Trained> {
    let recipe = training.recipe(run);
    let network = Mlp::book(run.device());
    if !matches!(training, Training::Plateau | Training::ImpatientPlateau) {
        return train_network(run, training.name(), network, sets, &recipe);
    }
    let (train, validation) = (*sets.train).clone().random_split(0.8, run.seed());
    let split = Sets {
        train: Arc::new(train),
        validation: Some(Arc::new(validation)),
        test: sets.test.clone(),
    };
    train_network(run, training.name(), network, &split, &recipe)
}
