//! 5.8, 5.9 and 5.10: better directions than the gradient of one batch.

use common::Result;
use common::experiment::Run;

use super::curves::{draw, end};
use super::trainings::{Trained, Training, garments, train};

/// Trains each of these.
fn all<const N: usize>(run: &mut Run, trainings: [Training; N]) -> Result<Vec<Trained>> {
    let sets = garments(run)?;
    let mut trained = Vec::new();
    for training in trainings {
        trained.push(train(run, &sets, training)?);
    }
    Ok(trained)
}

/// Test accuracy of an epoch, counted as a part of the training.
fn early(fitted: &Trained) -> f64 {
    let accuracy = fitted.history.column("test accuracy");
    // The first fifth: epoch 10 of the book's 50. The mean of three epochs.
    let at = accuracy.len() / 5;
    let part = &accuracy[at.saturating_sub(1)..(at + 2).min(accuracy.len())];
    part.iter().sum::<f64>() / part.len() as f64
}

/// Claims that a training gets somewhere sooner than plain SGD.
fn must_be_sooner(run: &mut Run, sgd: &Trained, other: &Trained) {
    let (slow, fast) = (early(sgd), early(other));
    run.claim(
        &format!(
            "after a fifth of the epochs {} is ahead of plain SGD",
            other.name
        ),
        fast > slow,
        format!("test accuracy {fast:.4} against {slow:.4}"),
    );
}

/// 5.8
pub(super) fn momentum(run: &mut Run) -> Result<()> {
    let trained = all(run, [Training::Sgd, Training::Momentum])?;
    let [sgd, momentum] = &trained[..] else {
        return Ok(());
    };
    draw(
        run,
        "Momentum",
        "Test accuracy against epoch. v <- 0.9 v + g, w <- w - eta v: what the gradients have in common adds up, what they haven't cancels.",
        &[sgd, momentum],
    )?;
    must_be_sooner(run, sgd, momentum);
    let (without, with) = (end(&sgd.history), end(&momentum.history));
    run.claim(
        "and it ends higher",
        with > without,
        format!("test accuracy {with:.4} against {without:.4}"),
    );
    Ok(())
}

/// 5.9
pub(super) fn nesterov(run: &mut Run) -> Result<()> {
    let trained = all(run, [Training::Sgd, Training::Momentum, Training::Nesterov])?;
    let [sgd, momentum, nesterov] = &trained[..] else {
        return Ok(());
    };
    draw(
        run,
        "Nesterov momentum",
        "Test accuracy against epoch. The step goes where the momentum will lead: w <- w - eta (g + 0.9 v).",
        &[sgd, momentum, nesterov],
    )?;
    must_be_sooner(run, sgd, nesterov);
    let (plain, ahead) = (end(&momentum.history), end(&nesterov.history));
    run.claim(
        "and it ends where momentum ends",
        (plain - ahead).abs() < 0.01,
        format!("test accuracy {ahead:.4} against {plain:.4}"),
    );
    Ok(())
}

/// 5.10
pub(super) fn adamw(run: &mut Run) -> Result<()> {
    let all = all(
        run,
        [
            Training::Sgd,
            Training::Momentum,
            Training::Nesterov,
            Training::AdamW,
        ],
    )?;
    let [sgd, momentum, nesterov, adamw] = &all[..] else {
        return Ok(());
    };
    draw(
        run,
        "AdamW",
        "Test accuracy against epoch. AdamW divides each parameter's step by the size of its gradients, so its default rate of 0.001 fits.",
        &[sgd, momentum, nesterov, adamw],
    )?;
    must_be_sooner(run, sgd, adamw);
    let best = [sgd, momentum, nesterov]
        .map(|fitted| end(&fitted.history))
        .into_iter()
        .fold(f64::NAN, f64::max);
    let of_adamw = end(&adamw.history);
    run.claim(
        "and it ends as high as the best of the others, or nearly",
        of_adamw > best - 0.005,
        format!("test accuracy {of_adamw:.4}; the best of the others {best:.4}"),
    );
    Ok(())
}
