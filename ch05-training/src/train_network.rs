//! `train_network`, with which the book trains from here on (section 5.1).
//!
//! For each epoch:
//!
//! 1. the schedule gives the learning rate;
//! 2. for each batch of the training set: forward, loss, backward, the optimizer's step;
//! 3. loss and scores on the validation set, if there is one: the plateau schedule and early stopping look at its loss;
//! 4. loss and scores on the test set, at which nothing looks but we;
//! 5. a checkpoint: model, optimizer, schedule, results so far. The model with the lowest validation loss is kept as the best one.
//!
//! | the book's argument | here |
//! |---|---|
//! | `model`, `loss_func` | a [`Classifier`]: a network and softmax cross-entropy |
//! | `train_loader`, `val_loader`, `test_loader` | [`Sets`] |
//! | `optimizer`, `lr_schedule`, `epochs`, `score_funcs` | [`Recipe`]: its fields, batch size, patience |
//! | `checkpoint_file`, `device` | the [`Run`] knows them |
//!
//! The loop itself is [`common::train::fit`]. [`crate::epochs`] shows what is in it.

use std::sync::Arc;

use burn::tensor::Tensor;
use common::Result;
use common::data::Images;
use common::experiment::Run;
use common::train::{Classifier, Fitted, Network, Recipe};

/// What a network is trained on and tested with.
pub struct Sets {
    /// Trained on.
    pub train: Arc<Images>,
    /// Held out from training, and looked at by what decides about training.
    pub validation: Option<Arc<Images>>,
    /// Looked at by nobody but the reader.
    pub test: Arc<Images>,
}

/// Trains a classifier of images as the recipe says, with a checkpoint after every epoch.
///
/// Stopped (Ctrl-C, `kill -9`, a power cut) and resumed (`--resume`) it ends with the same numbers, bit for bit, as one that was never stopped.
/// `models/` gets the model after the last epoch and the one with the lowest loss on the validation set (without one: the test set).
///
/// # Errors
/// As [`common::train::fit`].
pub fn train_network<N>(
    run: &mut Run,
    name: &str,
    network: N,
    sets: &Sets,
    recipe: &Recipe,
) -> Result<Fitted<Classifier<N>>>
where
    N: Network<Input = Tensor<4>>,
{
    let validation = sets.validation.iter();
    let mut evaluate: Vec<_> = validation.map(|set| ("validation", set.clone())).collect();
    evaluate.push(("test", sets.test.clone()));
    run.fit_on(
        name,
        Classifier::new(network),
        &sets.train,
        &evaluate,
        recipe,
    )
}
