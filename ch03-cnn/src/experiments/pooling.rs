//! 3.5: max pooling.

use common::Result;
use common::experiment::Run;

use super::convolution::{draw_shifts, train_cnn};
use super::{POOLED, draw_accuracy, mnist, pooled_cnn, recipe};
use crate::shift;

/// 3.5
pub(super) fn pooled(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let recipe = recipe(run, data.train.len());
    let simple = train_cnn(run, &data)?;
    let model = pooled_cnn(run.device());
    let pooled = run.fit(POOLED, model, &data, &recipe)?;
    draw_accuracy(
        run,
        "CNN with and without pooling",
        "Test accuracy against epoch. Six convolutions take longer to get going, then pass the one.",
        &[("CNN", &simple.history), (POOLED, &pooled.history)],
    )?;
    let shifts = draw_shifts(run, &pooled.model.network, &data.train, POOLED)?;
    for ((position, p), book) in shifts.iter().zip([0.71, 0.72, 0.73]) {
        run.metric_beside(&format!("p(true class), {position}"), *p, book);
    }
    let accuracy = pooled.history.last("test accuracy");
    let of_simple = simple.history.last("test accuracy");
    run.metric_beside("test accuracy, pooled CNN", accuracy, 0.958);
    run.metric_beside("test accuracy, CNN", of_simple, 0.929);
    run.claim(
        "pooling ends above the simple CNN",
        accuracy > of_simple,
        format!("test accuracy {accuracy:.4} against {of_simple:.4}"),
    );
    let before = shift::true_class(&simple.model.network, &data.test, run.device())?;
    let after = shift::true_class(&pooled.model.network, &data.test, run.device())?;
    let (before, after) = (shift::sensitivity(&before), shift::sensitivity(&after));
    run.metric("mean change of p(true class) when shifted, CNN", before);
    run.metric(
        "mean change of p(true class) when shifted, pooled CNN",
        after,
    );
    run.claim(
        "pooling minds a shift of one pixel less",
        after < before,
        format!(
            "p(true class) changes by {after:.3} on average over {} test images, by {before:.3} without pooling",
            data.test.len()
        ),
    );
    run.claim_near("test accuracy of the pooled CNN", accuracy, 0.958, 0.01);
    Ok(())
}
