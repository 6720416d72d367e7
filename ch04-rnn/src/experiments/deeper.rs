//! 4.5 and 4.6: several layers, and both directions.

use common::Result;
use common::data::{LabeledSequences, Split};
use common::experiment::{Preset, Run};

use super::{Kind, Rate, Trained, draw_accuracy, surnames, train};

/// The rate whose results stand beside the book's: at `quick`, which has no time for the book's twenty epochs, the higher one.
fn main_rate(run: &Run) -> Rate {
    match run.preset() {
        Preset::Book => Rate::Book,
        _ => Rate::Asked,
    }
}

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
    let data = surnames(run)?;
    let rate = main_rate(run);
    let one = train(run, &data, Kind::Batched, rate)?;
    let three = train(run, &data, Kind::Deep, rate)?;
    let mut drawn = vec![&one, &three];
    let asked = match rate {
        Rate::Book => train_all(run, &data, [Kind::Batched, Kind::Deep], Rate::Asked)?,
        Rate::Asked => Vec::new(),
    };
    drawn.extend(&asked);
    draw_accuracy(
        run,
        "accuracy",
        "One layer and three",
        "Test accuracy against epoch, batches of 16.",
        &drawn,
    )?;
    let [of_one, of_three] = [&one, &three].map(accuracy);
    run.metric_beside("test accuracy, 3 layers", of_three, 0.727);
    run.metric_beside("test accuracy, 1 layer", of_one, 0.74);
    at_the_asked_rate(run, &asked);
    run.claim(
        "three layers are no better than one",
        of_three < of_one + 0.02,
        format!("test accuracy {of_three:.3} against {of_one:.3}"),
    );
    run.claim_near("test accuracy of 3 layers", of_three, 0.727, 0.04);
    Ok(())
}

/// 4.6
pub(super) fn both_directions(run: &mut Run) -> Result<()> {
    const KINDS: [Kind; 3] = [Kind::Batched, Kind::Deep, Kind::Both];
    let data = surnames(run)?;
    let rate = main_rate(run);
    let fits = train_all(run, &data, KINDS, rate)?;
    let [one, three, both] = [0, 1, 2].map(|i| accuracy(&fits[i]));
    draw_accuracy(
        run,
        "accuracy",
        "One layer, three layers, both directions",
        "Test accuracy against epoch, batches of 16.",
        &fits.iter().collect::<Vec<_>>(),
    )?;
    run.metric_beside("test accuracy, 3 layers, both directions", both, 0.77);
    run.metric_beside("test accuracy, 3 layers", three, 0.727);
    run.metric_beside("test accuracy, 1 layer", one, 0.74);
    if rate == Rate::Book {
        let asked = train_all(run, &data, KINDS, Rate::Asked)?;
        draw_accuracy(
            run,
            "asked",
            "The same at ten times the rate",
            "Test accuracy against epoch at 0.01, the rate that the book's author asked for and did not get.",
            &asked.iter().collect::<Vec<_>>(),
        )?;
        at_the_asked_rate(run, &asked);
    }
    run.claim(
        "both directions are the best of the batched networks",
        both > one.max(three),
        format!("test accuracy {both:.3} against {one:.3} and {three:.3}"),
    );
    run.claim_near("test accuracy with both directions", both, 0.77, 0.04);
    Ok(())
}

fn accuracy(fit: &Trained) -> f64 {
    fit.history.last("test accuracy")
}

fn at_the_asked_rate(run: &mut Run, fits: &[Trained]) {
    for fit in fits {
        run.metric(&format!("test accuracy, {}", fit.name), accuracy(fit));
    }
}
