//! 4.5 and 4.6: several layers, and both directions.

use common::Result;
use common::data::{LabeledSequences, Split};
use common::experiment::Run;

use super::{Kind, Rate, Trained, draw_accuracy, surnames, train};

fn train_all<const N: usize>(
    run: &mut Run,
    data: &Split<LabeledSequences>,
    kinds: [Kind; N],
    rate: Rate,
) -> Result<Vec<Trained>> {
    let trained = kinds.map(|kind| train(run, data, kind, rate));
    trained.into_iter().collect()
}

/// 4.5
pub(super) fn three_layers(run: &mut Run) -> Result<()> {
    const KINDS: [Kind; 2] = [Kind::Batched, Kind::Deep];
    let data = surnames(run)?;
    let mut fits = train_all(run, &data, KINDS, Rate::Book)?;
    if run.is_book() {
        fits.extend(train_all(run, &data, KINDS, Rate::Asked)?);
    }
    draw_accuracy(
        run,
        "accuracy",
        "One layer and three",
        "Test accuracy against epoch, batches of 16.",
        &named(&fits),
    )?;
    let [one, three] = [0, 1].map(|i| accuracy(&fits[i]));
    run.metric_beside("test accuracy, 3 layers", three, 0.727);
    run.metric_beside("test accuracy, 1 layer", one, 0.74);
    record(run, &fits[KINDS.len()..]);
    run.claim(
        "three layers are no better than one",
        three < one + 0.02,
        format!("test accuracy {three:.3} against {one:.3}"),
    );
    run.claim_near("test accuracy of 3 layers", three, 0.727, 0.04);
    Ok(())
}

/// 4.6
pub(super) fn both_directions(run: &mut Run) -> Result<()> {
    const KINDS: [Kind; 3] = [Kind::Batched, Kind::Deep, Kind::Both];
    let data = surnames(run)?;
    let fits = train_all(run, &data, KINDS, Rate::Book)?;
    draw_accuracy(
        run,
        "accuracy",
        "One layer, three layers, both directions",
        "Test accuracy against epoch, batches of 16.",
        &named(&fits),
    )?;
    let [one, three, both] = [0, 1, 2].map(|i| accuracy(&fits[i]));
    run.metric_beside("test accuracy, 3 layers, both directions", both, 0.77);
    run.metric_beside("test accuracy, 3 layers", three, 0.727);
    run.metric_beside("test accuracy, 1 layer", one, 0.74);
    if run.is_book() {
        let asked = train_all(run, &data, KINDS, Rate::Asked)?;
        draw_accuracy(
            run,
            "asked",
            "The same at ten times the rate",
            "Test accuracy against epoch at 0.01, the rate that the book's author asked for and did not get.",
            &named(&asked),
        )?;
        record(run, &asked);
    }
    run.claim(
        "both directions are the best of the batched networks",
        both > one.max(three),
        format!("test accuracy {both:.3} against {one:.3} and {three:.3}"),
    );
    run.claim_near("test accuracy with both directions", both, 0.77, 0.04);
    Ok(())
}

fn named(fits: &[Trained]) -> Vec<(&str, &Trained)> {
    fits.iter().map(|fit| (fit.name.as_str(), fit)).collect()
}

fn accuracy(fit: &Trained) -> f64 {
    fit.history.last("test accuracy")
}

fn record(run: &mut Run, fits: &[Trained]) {
    for fit in fits {
        run.metric(&format!("test accuracy, {}", fit.name), accuracy(fit));
    }
}
