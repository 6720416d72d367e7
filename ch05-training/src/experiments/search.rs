//! 5.13, 5.14 and 5.15: let a search choose what was chosen by hand.

use common::Result;
use common::data::Images;
use common::experiment::Run;
use common::seed::mix;
use common::study::{self, Direction, Outcome, Parameter, Pruner, State, Study, Trial};
use common::train::{Recipe, Schedule};

use super::trainings::{BATCH, garments};
use crate::epochs::Epochs;
use crate::networks::Mlp;

const NEURONS: &str = "neurons per layer";
const LAYERS: &str = "hidden layers";
const RATE: &str = "learning rate";
const OBJECTIVE: &str = "accuracy";

/// 5.13
pub(super) fn toy(run: &mut Run) -> Result<()> {
    let trials = run.pick(20, 100, 100);
    let space = vec![
        Parameter::uniform("x", -10.0, 10.0),
        Parameter::uniform("y", -10.0, 10.0),
    ];
    let study = Study::new("|(x-3)(y+2)|", Direction::Minimize, space, run.seed())?;
    let mut study = run.study("toy", study)?;
    let f = |x: f64, y: f64| ((x - 3.0) * (y + 2.0)).abs();
    study.optimize(trials, |_, trial| {
        Ok(Outcome::Complete(f(trial.get("x"), trial.get("y"))))
    })?;
    run.figure(
        "contour",
        "The function as 100 trials know it, smoothed between them: low along x = 3 and along y = -2.",
        &study::contour(&study),
    )?;
    run.figure(
        "history",
        "After ten random trials the search stays where it was low.",
        &study::history(&study),
    )?;
    let Some(best) = study.best() else {
        return Ok(());
    };
    let (x, y) = (best.get("x"), best.get("y"));
    run.metric("lowest value", f(x, y));
    run.metric("x", x);
    run.metric("y", y);
    let near = (x - 3.0).abs().min((y + 2.0).abs());
    run.claim(
        "the best trial has x near 3 or y near -2",
        near < 0.1,
        format!(
            "x = {x:.3}, y = {y:.3}, where the function is {:.4}",
            f(x, y)
        ),
    );
    // Ten trials are random; what comes after should know better.
    let mean = |trials: &[Trial]| {
        let values = trials.iter().filter_map(|trial| trial.value);
        values.sum::<f64>() / trials.len() as f64
    };
    let (random, told) = study.trials().split_at(study.trials().len().min(10));
    run.claim(
        "the trials that were told of earlier ones are better than the random ones",
        mean(told) < mean(random),
        format!("mean value {:.2} against {:.2}", mean(told), mean(random)),
    );
    Ok(())
}

/// 5.14
pub(super) fn network(run: &mut Run) -> Result<()> {
    let trials = run.pick(2, 10, 10);
    let space = vec![
        Parameter::integer(NEURONS, 16, 256),
        Parameter::integer(LAYERS, 1, 6),
        Parameter::log_uniform(RATE, 1e-5, 1e-2),
    ];
    let study = Study::new(OBJECTIVE, Direction::Maximize, space, run.seed())?;
    let study = search(run, "network", study, trials)?;
    run.figure(
        "history",
        "Validation accuracy of each trial.",
        &study::history(&study),
    )?;
    run.figure("slices", "Validation accuracy.", &study::slice(&study))?;
    run.figure(
        "contours",
        "Validation accuracy, smoothed between ten trials: a hint, not a map.",
        &study::contour(&study),
    )?;
    run.figure(
        "importance",
        "How much the accuracy moves when one parameter is moved over its range and the others stay as they were tried.",
        &study::importances(&study),
    )?;
    best(run, &study);
    let shares = study.importance();
    let share = |name: &str| shares.iter().find(|(n, _)| n == name).map_or(0.0, |s| s.1);
    let others = share(NEURONS).max(share(LAYERS));
    run.claim(
        "the learning rate matters most",
        share(RATE) > others,
        format!(
            "its share is {:.2}, the next one's {others:.2}",
            share(RATE)
        ),
    );
    let values = || study.trials().iter().filter_map(|trial| trial.value);
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    run.claim(
        "the choice matters: trials differ by more than a schedule or an optimizer made",
        high - low > 0.05,
        format!("validation accuracy from {low:.4} to {high:.4}"),
    );
    Ok(())
}

/// 5.15
pub(super) fn pruned(run: &mut Run) -> Result<()> {
    let trials = run.pick(7, 20, 20);
    let space = vec![
        Parameter::integer(NEURONS, 1, 256),
        Parameter::integer(LAYERS, 1, 6),
        Parameter::log_uniform(RATE, 1e-6, 1e2),
    ];
    let study = Study::new(OBJECTIVE, Direction::Maximize, space, run.seed())?;
    let study = study.with_pruner(Pruner::median());
    let study = search(run, "pruned", study, trials)?;
    run.figure(
        "intermediate",
        "Validation accuracy after each epoch, a line per trial. A trial is given up when its best is below the median of those that were trained to the end.",
        &study::intermediate(&study, "epoch"),
    )?;
    run.figure(
        "history",
        "Validation accuracy of each trial.",
        &study::history(&study),
    )?;
    run.figure(
        "slices",
        "Validation accuracy; of the trials that were given up, the last they reported.",
        &study::slice(&study),
    )?;
    best(run, &study);
    let given_up = study.count(State::Pruned);
    let trained: usize = study.trials().iter().map(|trial| trial.steps.len()).sum();
    let all = study.trials().len() * epochs(run);
    run.metric("trials given up", given_up as f64);
    run.metric("epochs trained", trained as f64);
    run.metric("epochs without pruning", all as f64);
    run.claim(
        "bad trials are stopped early",
        given_up >= 3 && trained < all * 9 / 10,
        format!(
            "{given_up} of {} trials were given up; {trained} of {all} epochs were trained",
            study.trials().len()
        ),
    );
    let at_end = |trial: &&Trial| trial.state == State::Pruned;
    let of_pruned = study
        .trials()
        .iter()
        .filter(at_end)
        .filter_map(Trial::last_step);
    let best_pruned = of_pruned.fold(f64::NEG_INFINITY, f64::max);
    let found = study
        .best()
        .and_then(|trial| trial.value)
        .unwrap_or(f64::NAN);
    run.claim(
        "none of them had come near the best",
        found > best_pruned,
        format!(
            "the best of those given up was at {best_pruned:.4}; the best trial ended at {found:.4}"
        ),
    );
    Ok(())
}

/// Epochs of a trial.
fn epochs(run: &Run) -> usize {
    let recipe = Recipe::adamw(BATCH, run.pick(2, 10, 10));
    run.recipe(&recipe).epochs
}

/// Trains a network per trial and reports its validation accuracy after each epoch.
fn search(run: &mut Run, name: &str, study: Study, trials: usize) -> Result<Study> {
    let sets = garments(run)?;
    let mut study = run.study(name, study)?;
    let done = study.trials().len();
    if done > 0 {
        run.say(format!("{done} trials were there already"));
    }
    study.optimize(trials, |study, trial| {
        train_trial(run, study, trial, &sets.train)
    })?;
    table(run, &study);
    Ok(study)
}

/// One trial: a fresh split, a fresh network, AdamW with cosine annealing; up to `epochs`, or until the study gives it up.
fn train_trial(
    run: &mut Run,
    study: &Study,
    trial: &mut Trial,
    images: &Images,
) -> Result<Outcome> {
    let seed = mix(run.seed(), trial.number as u64);
    let (train, validation) = images.clone().random_split(0.8, seed);
    let recipe = run.recipe(&Recipe::adamw(BATCH, epochs(run)));
    let recipe = Recipe {
        lr: trial.get(RATE),
        ..recipe.with_schedule(Schedule::Cosine {
            epochs: 16,
            min: 0.0,
        })
    };
    let network = Mlp::new(trial.whole(NEURONS), trial.whole(LAYERS), run.device());
    let mut training = Epochs::new(network, [train, validation], &recipe, seed, run.device())?;
    let title = format!("trial {}", trial.number);
    let mut watch = run.watch(&title, recipe.epochs);
    let mut accuracy = f64::NAN;
    let mut pruned = false;
    for epoch in 0..recipe.epochs {
        let done = training.next_epoch()?;
        watch.epoch(epoch, done.train_loss);
        accuracy = done.validation_accuracy;
        if study.report(trial, accuracy) {
            pruned = true;
            break;
        }
    }
    watch.finish();
    let how = match pruned {
        true => format!("given up after {} epochs at", trial.steps.len()),
        false => "validation accuracy".to_string(),
    };
    run.say(format!(
        "trial {}: {} layers of {} neurons, learning rate {:.2e}: {how} {accuracy:.4}",
        trial.number,
        trial.whole(LAYERS),
        trial.whole(NEURONS),
        trial.get(RATE)
    ));
    Ok(match pruned {
        true => Outcome::Pruned,
        false => Outcome::Complete(accuracy),
    })
}

/// The trials as a table of the report.
fn table(run: &mut Run, study: &Study) {
    let row = |trial: &Trial| {
        let value = trial.value.or(trial.last_step());
        vec![
            trial.number.to_string(),
            trial.whole(NEURONS).to_string(),
            trial.whole(LAYERS).to_string(),
            format!("{:.2e}", trial.get(RATE)),
            trial.steps.len().to_string(),
            value.map_or("-".into(), |value| format!("{value:.4}")),
        ]
    };
    let columns = [
        "trial",
        NEURONS,
        LAYERS,
        RATE,
        "epochs",
        "validation accuracy",
    ];
    let rows = study.trials().iter().map(row).collect();
    run.table("Trials", &columns, rows);
}

/// Records the parameters of the best trial.
fn best(run: &mut Run, study: &Study) {
    let Some(best) = study.best() else { return };
    run.metric(
        "validation accuracy of the best trial",
        best.value.unwrap_or(f64::NAN),
    );
    for name in [NEURONS, LAYERS, RATE] {
        run.metric(&format!("{name}, best trial"), best.get(name));
    }
}
