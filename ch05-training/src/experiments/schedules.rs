//! 5.2, 5.3, 5.4 and 5.6: four ways to lower the learning rate.

use common::experiment::Run;
use common::train::Schedule;
use common::{Result, plot};

use super::curves::{draw, draw_rates, end, jumps, late_jumps};
use super::trainings::{Trained, Training, garments, train};

/// The rates in the book's drawings of schedules.
const DRAWN_RATE: f64 = 1e-3;
const DRAWN_LEAST: f64 = 1e-4;
const DRAWN_EPOCHS: usize = 50;

/// The book's drawings, which grow from section to section.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Drawing {
    Exponential,
    Step,
    Cosine,
}

/// The idea of the schedules up to `drawing`, as curves.
fn draw_idea(run: &mut Run, drawing: Drawing, caption: &str) -> Result<()> {
    let epochs: Vec<usize> = (0..DRAWN_EPOCHS).collect();
    let rates = |schedule: Schedule| schedule.rates(DRAWN_RATE, &[0.0; DRAWN_EPOCHS]);
    let constant = rates(Schedule::Constant)?;
    let decay = rates(Schedule::decay_to(DRAWN_LEAST, DRAWN_RATE, DRAWN_EPOCHS))?;
    let mut chart = plot::lines("Schedules of the learning rate", "epoch", "learning rate")
        .line("constant", &epochs, &constant)
        .line("exponential decay", &epochs, &decay);
    if drawing >= Drawing::Step {
        // Three plateaus: of 18, 16 and 16 epochs.
        let level =
            |t: &usize| DRAWN_RATE / 10f64.sqrt().powi((*t >= 18) as i32 + (*t >= 34) as i32);
        let steps: Vec<f64> = epochs.iter().map(level).collect();
        chart = chart.line("step drops", &epochs, &steps);
    }
    if drawing >= Drawing::Cosine {
        let cosine = rates(Schedule::Cosine {
            epochs: DRAWN_EPOCHS / 3,
            min: DRAWN_LEAST,
        })?;
        chart = chart.line("cosine annealing", &epochs, &cosine);
    }
    run.figure("idea", caption, &chart.build())
}

/// The baseline and a training with a schedule.
fn both(run: &mut Run, with: Training) -> Result<[Trained; 2]> {
    let sets = garments(run)?;
    let sgd = train(run, &sets, Training::Sgd)?;
    let scheduled = train(run, &sets, with)?;
    Ok([sgd, scheduled])
}

/// Claims that a schedule calms the end of the training.
fn must_calm(run: &mut Run, sgd: &Trained, scheduled: &Trained) {
    let (before, after) = (late_jumps(&sgd.history), late_jumps(&scheduled.history));
    run.claim(
        "the jumps are gone at the end",
        after < before / 2.0,
        format!(
            "in the last third accuracy changes by {after:.4} per epoch, by {before:.4} at a constant rate"
        ),
    );
}

/// 5.2
pub(super) fn exponential(run: &mut Run) -> Result<()> {
    draw_idea(
        run,
        Drawing::Exponential,
        "eta_t = eta_0 gamma^t, with gamma such that 50 epochs lead from 0.001 to 0.0001.",
    )?;
    let [sgd, decay] = both(run, Training::Exponential)?;
    if let Schedule::Exponential { gamma } = Training::Exponential.recipe(run).schedule {
        run.metric("gamma", gamma);
    }
    draw(
        run,
        "Exponential decay",
        "Test accuracy against epoch. As the rate falls, the steps become too small to jump.",
        &[&sgd, &decay],
    )?;
    must_calm(run, &sgd, &decay);
    Ok(())
}

/// 5.3
pub(super) fn step(run: &mut Run) -> Result<()> {
    draw_idea(
        run,
        Drawing::Step,
        "The rate stays high for longer, then drops at once: here in three plateaus.",
    )?;
    let [sgd, step] = both(run, Training::Step)?;
    draw(
        run,
        "Step drops",
        "Test accuracy against epoch. Each drop of the rate is a jump of the accuracy, upwards.",
        &[&sgd, &step],
    )?;
    draw_rates(run, &[(Training::Sgd, &sgd), (Training::Step, &step)])?;
    must_calm(run, &sgd, &step);
    Ok(())
}

/// 5.4
pub(super) fn cosine(run: &mut Run) -> Result<()> {
    draw_idea(
        run,
        Drawing::Cosine,
        "The rate swings between 0.001 and 0.0001: down, up, and down again.",
    )?;
    let [sgd, cosine] = both(run, Training::Cosine)?;
    draw(
        run,
        "Cosine annealing",
        "Test accuracy against epoch. It is highest and calmest where the rate is lowest.",
        &[&sgd, &cosine],
    )?;
    draw_rates(run, &[(Training::Sgd, &sgd), (Training::Cosine, &cosine)])?;
    let (with, without) = (end(&cosine.history), end(&sgd.history));
    run.claim(
        "more accurate: at the end it is above the constant rate",
        with > without,
        format!(
            "test accuracy {with:.4} against {without:.4}, mean of the last tenth of the epochs"
        ),
    );
    // A swing is `down` epochs long; the rate is high around its end at 2 `down`, low around `down` and 3 `down`.
    let down = (cosine.history.epochs() / 3).max(1);
    let near = (down / 4).max(1);
    let around = |epoch: usize| epoch.saturating_sub(near)..epoch + near + 1;
    let (high, low) = (
        jumps(&cosine.history, around(2 * down)),
        jumps(&cosine.history, around(down)),
    );
    run.claim(
        "less stable: it jumps where the rate is high",
        high > 2.0 * low,
        format!("accuracy changes by {high:.4} per epoch around the top of the swing, by {low:.4} around its bottom"),
    );
    Ok(())
}

/// 5.6
///
/// With the book's patience of 10 epochs the rate hardly drops in 50: now and then the loss falls, if only by a jump. A third training with less
/// patience shows what the schedule does.
pub(super) fn plateau(run: &mut Run) -> Result<()> {
    let sets = garments(run)?;
    let sgd = train(run, &sets, Training::Sgd)?;
    let patient = train(run, &sets, Training::Plateau)?;
    let impatient = train(run, &sets, Training::ImpatientPlateau)?;
    draw(
        run,
        "Lower the rate on a plateau",
        "Test accuracy against epoch. The plateau trainings see 80 % of the images: the others are their validation set.",
        &[&sgd, &patient, &impatient],
    )?;
    let history = &impatient.history;
    let epochs = history.column("epoch");
    let losses = plot::lines(
        &format!("Losses of \"{}\"", impatient.name),
        "epoch",
        "loss",
    )
    .line("train", &epochs, &history.column("train loss"))
    .line("validation", &epochs, &history.column("validation loss"))
    .line("test", &epochs, &history.column("test loss"))
    .build();
    run.figure(
        "losses",
        "The schedule looks at the validation loss and never at the test loss; the two agree.",
        &losses,
    )?;
    draw_rates(
        run,
        &[
            (Training::Sgd, &sgd),
            (Training::Plateau, &patient),
            (Training::ImpatientPlateau, &impatient),
        ],
    )?;
    let drops_of_patient = drops(run, Training::Plateau, &patient)?;
    let drops = drops(run, Training::ImpatientPlateau, &impatient)?;
    run.metric(
        &format!("drops, {}", patient.name),
        drops_of_patient.len() as f64,
    );
    run.metric(&format!("drops, {}", impatient.name), drops.len() as f64);
    run.claim(
        "the rate drops when the validation loss has stopped falling",
        !drops.is_empty(),
        format!(
            "{}: before epochs {drops:?}; {}: {drops_of_patient:?}",
            impatient.name, patient.name
        ),
    );
    let first = drops.first().copied().unwrap_or(history.epochs());
    let (before, after) = (
        jumps(history, first.saturating_sub(10)..first),
        jumps(history, first + 1..history.epochs()),
    );
    run.claim(
        "and the jumps are gone",
        after < before / 2.0,
        format!(
            "{}: accuracy changes by {after:.4} per epoch after the first drop, by {before:.4} in the ten epochs before",
            impatient.name
        ),
    );
    Ok(())
}

/// The epochs before which the rate was lowered.
fn drops(run: &Run, training: Training, trained: &Trained) -> Result<Vec<usize>> {
    let recipe = training.recipe(run);
    let losses = trained.history.column("validation loss");
    let rates = recipe.schedule.rates(recipe.lr, &losses)?;
    let epochs = 1..rates.len();
    Ok(epochs.filter(|t| rates[*t] < rates[t - 1]).collect())
}
