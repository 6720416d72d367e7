//! 5.7, 5.11 and 5.12: schedules side by side, optimizers with a schedule, clipped gradients.

use common::Result;
use common::experiment::Run;

use super::curves::{draw, draw_rates, end, late_jumps};
use super::trainings::{Trained, Training, garments, train};

fn all(run: &mut Run, trainings: &[Training]) -> Result<Vec<Trained>> {
    let sets = garments(run)?;
    let trainings = trainings.iter();
    trainings
        .map(|training| train(run, &sets, *training))
        .collect()
}

fn draw_all(run: &mut Run, title: &str, caption: &str, trained: &[Trained]) -> Result<()> {
    let each: Vec<&Trained> = trained.iter().collect();
    draw(run, title, caption, &each)
}

/// 5.7
pub(super) fn schedules(run: &mut Run) -> Result<()> {
    let trainings = [
        Training::Sgd,
        Training::Exponential,
        Training::Step,
        Training::Cosine,
        Training::Plateau,
    ];
    let trained = all(run, &trainings)?;
    draw_all(
        run,
        "Schedules of the learning rate, all with SGD",
        "Test accuracy against epoch: the same network, the same data, the same first rate.",
        &trained,
    )?;
    let pairs: Vec<_> = trainings.into_iter().zip(&trained).collect();
    draw_rates(run, &pairs)?;
    let [sgd, scheduled @ ..] = &trained[..] else {
        return Ok(());
    };
    let base = end(&sgd.history);
    let ends = scheduled
        .iter()
        .map(|fitted| (&fitted.name, end(&fitted.history)));
    let ends: Vec<_> = ends.collect();
    let told = ends.iter().map(|(name, end)| format!("{name} {end:.4}"));
    run.claim(
        "every schedule ends above the constant rate",
        ends.iter().all(|(_, end)| *end > base),
        format!(
            "test accuracy, mean of the last tenth of the epochs: {}; constant {base:.4}",
            told.collect::<Vec<_>>().join(", ")
        ),
    );
    let jumps = late_jumps(&sgd.history);
    let decaying = [Training::Exponential, Training::Step].map(Training::name);
    let decaying = scheduled
        .iter()
        .filter(|f| decaying.contains(&f.name.as_str()));
    let after: Vec<f64> = decaying.map(|f| late_jumps(&f.history)).collect();
    run.claim(
        "those that decay end smooth",
        after.iter().all(|after| *after < jumps / 2.0),
        format!(
            "in the last third accuracy changes by {after:.4?} per epoch (exponential decay, step drops), by {jumps:.4} at a constant rate"
        ),
    );
    Ok(())
}

/// 5.11
pub(super) fn optimizers_with_schedule(run: &mut Run) -> Result<()> {
    let trained = all(
        run,
        &[
            Training::AdamW,
            Training::AdamWCosine,
            Training::Nesterov,
            Training::NesterovCosine,
        ],
    )?;
    draw_all(
        run,
        "Optimizers with and without a schedule",
        "Test accuracy against epoch. A schedule and an optimizer mend different things, and go together.",
        &trained,
    )?;
    for pair in trained.chunks(2) {
        let [without, with] = pair else { continue };
        let (before, after) = (end(&without.history), end(&with.history));
        run.claim(
            &format!("cosine annealing adds to {}", without.name),
            after > before,
            format!(
                "test accuracy {after:.4} against {before:.4}, mean of the last tenth of the epochs"
            ),
        );
    }
    Ok(())
}

/// 5.12
pub(super) fn clipping(run: &mut Run) -> Result<()> {
    let trained = all(run, &[Training::AdamWCosine, Training::AdamWCosineClipped])?;
    draw_all(
        run,
        "Gradients clipped at ±5",
        "Test accuracy against epoch, with and without clipping.",
        &trained,
    )?;
    let [plain, clipped] = &trained[..] else {
        return Ok(());
    };
    let (without, with) = (end(&plain.history), end(&clipped.history));
    run.claim(
        "clipping does no harm",
        with > without - 0.005,
        format!("test accuracy {with:.4} with it, {without:.4} without"),
    );
    Ok(())
}
