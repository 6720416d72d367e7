//! 4.4: batches of names, padded to the longest.

use common::Result;
use common::experiment::Run;
use common::train::History;

use super::single::frank;
use super::{Kind, Rate, draw_accuracy, surnames, train};

/// 4.4
pub(super) fn sixteen_names(run: &mut Run) -> Result<()> {
    let data = surnames(run)?;
    let single = train(run, &data, Kind::Single, Rate::Book)?;
    let batched = train(run, &data, Kind::Batched, Rate::Book)?;
    let faster = train(run, &data, Kind::Batched, Rate::Asked)?;
    let fits = [&single, &batched, &faster];
    let lines = [
        ("single names", &single),
        ("batches of 16", &batched),
        ("batches of 16, 10x rate", &faster),
    ];
    draw_accuracy(
        run,
        "epochs",
        "Single names and batches of 16, by epoch",
        "Test accuracy against epoch: at the same rate a sixteenth of the updates teaches less.",
        &lines,
    )?;
    draw_accuracy(
        run,
        "time",
        "Single names and batches of 16, by time",
        "Test accuracy against seconds of training.",
        &lines,
    )?;
    let [of_single, of_batched, of_faster] = fits.map(|fit| fit.history.last("test accuracy"));
    run.metric_beside("test accuracy, batches of 16", of_batched, 0.74);
    let first = batched.history.first("test accuracy");
    run.metric_beside(
        "test accuracy after the first epoch, batches of 16",
        first,
        0.537,
    );
    run.metric_beside("test accuracy, single names", of_single, 0.80);
    run.metric("test accuracy, batches of 16 at 10x rate", of_faster);
    let [slow, fast] = [&single, &batched].map(|fit| seconds_per_epoch(&fit.history));
    run.metric_beside("seconds per epoch, batches of 16", fast, 5.5);
    run.metric_beside("seconds per epoch, single names", slow, 55.0);
    let book = [
        ("English", 0.421),
        ("Czech", 0.158),
        ("German", 0.139),
        ("Dutch", 0.052),
        ("Italian", 0.052),
    ];
    frank(run, &batched, &book)?;

    run.claim(
        "an epoch in batches takes less time",
        fast < slow,
        format!("{fast:.2} s against {slow:.2} s, 1/{:.1}", slow / fast),
    );
    let epoch = single.history.epochs().min(batched.history.epochs());
    let after = |history: &History| {
        let accuracy = history.column("test accuracy");
        epoch
            .checked_sub(1)
            .and_then(|last| accuracy.get(last).copied())
            .unwrap_or(f64::NAN)
    };
    let (behind, ahead) = (after(&batched.history), after(&single.history));
    run.claim(
        "at the same rate batches need more epochs",
        behind < ahead,
        format!("test accuracy after {epoch} epochs {behind:.3} against {ahead:.3}"),
    );
    let level = of_single.min(of_batched).min(of_faster);
    let [alone, together, with_rate] = fits.map(|fit| seconds_to(&fit.history, level));
    run.claim(
        "batches reach a given accuracy in less time",
        together < alone || with_rate < alone,
        format!(
            "test accuracy {level:.3} after {alone:.1} s with single names, {together:.1} s in batches, {with_rate:.1} s in batches at ten times the rate"
        ),
    );
    run.claim_near("test accuracy with batches of 16", of_batched, 0.74, 0.04);
    Ok(())
}

fn seconds_per_epoch(history: &History) -> f64 {
    history.last("total time") / history.epochs().max(1) as f64
}

/// Seconds of training until the test accuracy is at `level`; no number if it never is.
fn seconds_to(history: &History, level: f64) -> f64 {
    let accuracy = history.column("test accuracy");
    let reached = accuracy.iter().position(|accuracy| *accuracy >= level);
    reached.map_or(f64::NAN, |epoch| history.column("total time")[epoch])
}
