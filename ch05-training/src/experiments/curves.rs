//! What is read from curves: how they jump, where they end.

use common::experiment::Run;
use common::train::History;
use common::{Result, plot};

use super::trainings::{Trained, Training};

/// The last tenth of the epochs (five at the book's fifty): one epoch alone is luck.
fn tail(values: &[f64]) -> &[f64] {
    let n = values.len().div_ceil(10).max(1);
    &values[values.len().saturating_sub(n)..]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean test accuracy over the last tenth of the epochs.
pub(super) fn end(history: &History) -> f64 {
    mean(tail(&history.column("test accuracy")))
}

/// The highest test accuracy of any epoch.
pub(super) fn peak(history: &History) -> f64 {
    let column = history.column("test accuracy");
    column.into_iter().fold(f64::NAN, f64::max)
}

/// Mean change of the test accuracy from one epoch to the next, over these epochs.
pub(super) fn jumps(history: &History, epochs: std::ops::Range<usize>) -> f64 {
    let column = history.column("test accuracy");
    let end = epochs.end.min(column.len());
    let part = &column[epochs.start.min(end)..end];
    let steps: Vec<f64> = part
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .collect();
    mean(&steps)
}

/// [`jumps`] over the last third of the epochs.
pub(super) fn late_jumps(history: &History) -> f64 {
    let epochs = history.epochs();
    jumps(history, epochs - epochs.div_ceil(3)..epochs)
}

/// Draws test accuracy against epoch, and records where each curve ends and how it jumps.
pub(super) fn draw(run: &mut Run, title: &str, caption: &str, trained: &[&Trained]) -> Result<()> {
    let mut chart = plot::lines(title, "epoch", "test accuracy");
    let mut low = 1.0f64;
    let mut high = 0.0f64;
    for fitted in trained {
        let accuracy = fitted.history.column("test accuracy");
        // The first epochs are far below the rest and would flatten what is to be seen.
        let shown = &accuracy[accuracy.len() / 10..];
        low = shown.iter().copied().fold(low, f64::min);
        high = accuracy.iter().copied().fold(high, f64::max);
        chart = chart.line(&fitted.name, &fitted.history.column("epoch"), &accuracy);
    }
    if low < high {
        let room = 0.05 * (high - low);
        chart = chart.y_range(low - room, high + room);
    }
    run.figure("accuracy", caption, &chart.build())?;
    for fitted in trained {
        let name = &fitted.name;
        run.metric(
            &format!("test accuracy at the end, {name}"),
            end(&fitted.history),
        );
        run.metric(
            &format!("highest test accuracy, {name}"),
            peak(&fitted.history),
        );
        run.metric(
            &format!("late change of accuracy per epoch, {name}"),
            late_jumps(&fitted.history),
        );
    }
    Ok(())
}

/// Draws the learning rate against epoch of trainings that follow a schedule, and of the constant rate.
pub(super) fn draw_rates(run: &mut Run, trained: &[(Training, &Trained)]) -> Result<()> {
    let mut chart = plot::lines("Learning rate", "epoch", "learning rate");
    for (training, fitted) in trained {
        let recipe = training.recipe(run);
        let losses = match fitted.history.has("validation loss") {
            true => fitted.history.column("validation loss"),
            false => fitted.history.column("test loss"),
        };
        let rates = recipe.schedule.rates(recipe.lr, &losses)?;
        chart = chart.line(&fitted.name, &fitted.history.column("epoch"), &rates);
    }
    run.figure(
        "rates",
        "The learning rate of each epoch of these trainings.",
        &chart.build(),
    )
}
