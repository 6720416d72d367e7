//! 4.5 and 4.6: several layers, and both directions.

use common::Result;
use common::experiment::Run;

use super::{ASKED_RATE, BOOK_RATE, Kind, Trained, draw_accuracy, surnames, train};

/// 4.5
pub(super) fn three_layers(run: &mut Run) -> Result<()> {
    let data = surnames(run)?;
    let one = train(run, &data, Kind::Batched, BOOK_RATE)?;
    let three = train(run, &data, Kind::Deep, BOOK_RATE)?;
    let one_asked = train(run, &data, Kind::Batched, ASKED_RATE)?;
    let three_asked = train(run, &data, Kind::Deep, ASKED_RATE)?;
    draw_accuracy(
        run,
        "accuracy",
        "One layer and three",
        "Test accuracy against epoch, at the rate behind the book's curves and at the one that was asked for.",
        &[&one, &three, &one_asked, &three_asked],
    )?;
    let [of_one, of_three] = [&one, &three].map(accuracy);
    run.metric_beside("test accuracy, 3 layers", of_three, 0.727);
    run.metric_beside("test accuracy, 1 layer", of_one, 0.74);
    run.metric(
        "test accuracy, 3 layers at rate 0.01",
        accuracy(&three_asked),
    );
    run.metric("test accuracy, 1 layer at rate 0.01", accuracy(&one_asked));
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
    let data = surnames(run)?;
    let one = train(run, &data, Kind::Batched, BOOK_RATE)?;
    let three = train(run, &data, Kind::Deep, BOOK_RATE)?;
    let both = train(run, &data, Kind::Both, BOOK_RATE)?;
    draw_accuracy(
        run,
        "accuracy",
        "One layer, three layers, both directions",
        "Test accuracy against epoch, batches of 16.",
        &[&one, &three, &both],
    )?;
    let both_asked = train(run, &data, Kind::Both, ASKED_RATE)?;
    draw_accuracy(
        run,
        "rates",
        "Both directions at two learning rates",
        "Test accuracy against epoch, at the rate behind the book's curves and at the one that was asked for.",
        &[&both, &both_asked],
    )?;
    let [of_one, of_three, of_both] = [&one, &three, &both].map(accuracy);
    run.metric_beside("test accuracy, 3 layers, both directions", of_both, 0.77);
    run.metric_beside("test accuracy, 3 layers", of_three, 0.727);
    run.metric_beside("test accuracy, 1 layer", of_one, 0.74);
    run.metric(
        "test accuracy, both directions at rate 0.01",
        accuracy(&both_asked),
    );
    run.claim(
        "both directions are the best of the batched networks",
        of_both > of_one.max(of_three),
        format!("test accuracy {of_both:.3} against {of_one:.3} and {of_three:.3}"),
    );
    run.claim_near("test accuracy with both directions", of_both, 0.77, 0.04);
    Ok(())
}

fn accuracy(fit: &Trained) -> f64 {
    fit.history.last("test accuracy")
}
