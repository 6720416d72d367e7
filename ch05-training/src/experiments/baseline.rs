//! 5.1 and 5.5: plain SGD, and what its losses say.

use common::experiment::Run;
use common::train::{Classifier, Display, Folders, Recipe, Session, fit};
use common::{Result, plot};

use super::curves::{draw, late_jumps};
use super::trainings::{Training, garments, train};
use crate::networks::Mlp;
use crate::train_network::Sets;

/// 5.1
pub(super) fn sgd(run: &mut Run) -> Result<()> {
    let sets = garments(run)?;
    let sgd = train(run, &sets, Training::Sgd)?;
    draw(
        run,
        "SGD at a constant rate of 0.1",
        "Test accuracy against epoch. What one epoch gives, the next one takes.",
        &[&sgd],
    )?;
    let history = &sgd.history;
    let jumps = late_jumps(history);
    let last_third = history.column("test accuracy");
    let last_third = &last_third[last_third.len() - last_third.len().div_ceil(3)..];
    let low = last_third.iter().copied().fold(f64::INFINITY, f64::min);
    let high = last_third.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    run.claim(
        "the accuracy jumps about and does not settle",
        jumps > 0.004,
        format!(
            "over the last third it changes by {jumps:.4} per epoch on average and lies between {low:.4} and {high:.4}"
        ),
    );
    stop_and_resume(run, &sets)
}

/// Trains a few epochs twice, once without a stop and once with one, and compares.
fn stop_and_resume(run: &mut Run, sets: &Sets) -> Result<()> {
    const EPOCHS: usize = 4;
    let few = std::sync::Arc::new(sets.train.take(2_560));
    let recipe = Recipe {
        epochs: EPOCHS,
        ..Training::AdamWCosine.recipe(run)
    };
    let trained = |name: &str, stops: &[usize]| {
        let folder = run.folder().join("stopped").join(name);
        let mut session = Session {
            device: run.device().clone(),
            seed: run.seed(),
            display: Display::Quiet,
            folders: Some(Folders {
                checkpoints: folder.join("checkpoints"),
                models: folder.join("models"),
            }),
            resume: false,
            reuse: Vec::new(),
            context: Default::default(),
        };
        let mut last = None;
        for epochs in stops {
            let recipe = Recipe {
                epochs: *epochs,
                ..recipe.clone()
            };
            let model = Classifier::new(Mlp::book(run.device()));
            let test = [("test", sets.test.clone())];
            last = Some(fit(&session, "AdamW", model, &few, &test, &recipe)?);
            session.resume = true;
        }
        Ok::<_, common::Error>(last)
    };
    let straight = trained("straight", &[EPOCHS])?;
    let resumed = trained("resumed", &[1, 3, EPOCHS])?;
    let (Some(straight), Some(resumed)) = (straight, resumed) else {
        return Ok(());
    };
    let numbers = |column: &str| {
        let bits = |v: f64| v.to_bits();
        let of = |history: &common::train::History| -> Vec<u64> {
            history.column(column).into_iter().map(bits).collect()
        };
        (of(&straight.history), of(&resumed.history))
    };
    let same = ["train loss", "train accuracy", "test loss", "test accuracy"]
        .iter()
        .map(|column| numbers(column))
        .all(|(a, b)| a == b && a.len() == EPOCHS);
    run.claim(
        "a training that was stopped twice and resumed gives the numbers of one that was not",
        same,
        format!(
            "AdamW + cosine on {} images, stopped after epochs 1 and 3 of {EPOCHS}: losses and accuracies of all epochs compared bit by bit",
            few.len()
        ),
    );
    Ok(())
}

/// 5.5
pub(super) fn overfitting(run: &mut Run) -> Result<()> {
    let sets = garments(run)?;
    let sgd = train(run, &sets, Training::Sgd)?;
    let history = &sgd.history;
    let epochs = history.column("epoch");
    let (train, test) = (history.column("train loss"), history.column("test loss"));
    let chart = plot::lines(
        "SGD: loss on what was learned and on what was not",
        "epoch",
        "loss",
    )
    .line("train", &epochs, &train)
    .line("test", &epochs, &test)
    .build();
    run.figure(
        "losses",
        "Cross-entropy against epoch. The distance between the two is what the network knows by heart.",
        &chart,
    )?;
    let third = |values: &[f64], which: usize| {
        let n = values.len() / 3;
        let part = &values[which * n..((which + 1) * n).max(which * n + 1).min(values.len())];
        part.iter().sum::<f64>() / part.len() as f64
    };
    let fall = |values: &[f64]| third(values, 1) - third(values, 2);
    let (train_falls, test_falls) = (fall(&train), fall(&test));
    run.metric("train loss, first epoch", history.first("train loss"));
    run.metric("train loss, last epoch", history.last("train loss"));
    run.metric("test loss, last epoch", history.last("test loss"));
    let lowest = history.argmin("test loss").unwrap_or(0);
    run.metric("epoch of the lowest test loss", lowest as f64);
    run.claim(
        "the train loss goes on falling while the test loss stays where it is",
        train_falls > 0.02 && test_falls < train_falls / 2.0,
        format!(
            "from the second third of the epochs to the last, train loss falls by {train_falls:.3}, test loss by {test_falls:.3}"
        ),
    );
    run.claim(
        "at the end the test loss is above the train loss",
        history.last("test loss") > history.last("train loss"),
        format!(
            "{:.3} against {:.3}",
            history.last("test loss"),
            history.last("train loss")
        ),
    );
    Ok(())
}
