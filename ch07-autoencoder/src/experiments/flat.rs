//! 7.1 to 7.3: codes of two values, which can be drawn.

use common::Result;
use common::experiment::Run;

use super::pictures::{code_chart, decoded, draw_codes, pick, readable, row, show};
use super::trainings::{self, Trained, digits};

/// Share of the book's number that a loss may be off.
const NEAR: f64 = 0.03;

/// Records the losses of a network beside the book's.
pub(super) fn losses<N>(run: &mut Run, trained: &Trained<N>, train: f64, test: f64) {
    let name = trained.name;
    let found = trained.test_loss();
    let of_training = trained.history.last("train loss");
    run.metric_beside(&format!("test loss, {name}"), found, test);
    run.metric_beside(&format!("train loss, {name}"), of_training, train);
    // Rounded as one would say it.
    let tolerance = (test * NEAR * 1e5).round() / 1e5;
    run.claim_near(&format!("test loss of the {name}"), found, test, tolerance);
}

/// 7.1
pub(super) fn pca(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let pca = trainings::pca(run, &data)?;
    let chart = code_chart(run, &pca, &data)?;
    draw_codes(run, vec![chart])?;
    let images = pick(&data, &[0, 2, 10], run.device());
    show(
        run,
        "reconstructions",
        "What two principal components keep of a digit",
        "Test images and their reconstructions.",
        &[row("input", images.clone())?, decoded(&pca, images)?],
    )?;
    losses(run, &pca, 0.05789, 0.05784);
    let penalty = f64::from(pca.network.penalty().into_scalar::<f32>());
    run.metric("mean square of W^T W - I", penalty);
    run.claim(
        "the columns of the one matrix stay orthonormal",
        penalty < 1e-3,
        format!("mean square of W^T W - I {penalty:.1e}"),
    );
    let read = readable(&pca.network, &data, None, run.device())?;
    run.metric("0 and 1 read from their codes", read.zero_and_one);
    run.metric("other digits read from their codes", read.others);
    run.claim(
        "two linear values tell 0 and 1 from the rest, and little else",
        read.zero_and_one > 0.7 && read.others < 0.5,
        format!(
            "0 and 1 are read right from {:.2} of their codes, other digits from {:.2}",
            read.zero_and_one, read.others
        ),
    );
    Ok(())
}

/// 7.2
pub(super) fn non_linear(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let pca = trainings::pca(run, &data)?;
    let non_linear = trainings::non_linear(run, &data)?;
    let charts = [
        code_chart(run, &pca, &data),
        code_chart(run, &non_linear, &data),
    ];
    draw_codes(run, charts.into_iter().collect::<Result<_>>()?)?;
    let images = pick(&data, &[0, 2, 10], run.device());
    show(
        run,
        "reconstructions",
        "Two values with and without tanh",
        "Test images and their reconstructions.",
        &[
            row("input", images.clone())?,
            decoded(&pca, images.clone())?,
            decoded(&non_linear, images)?,
        ],
    )?;
    losses(run, &non_linear, 0.05693, 0.05645);
    let (without, with) = (pca.test_loss(), non_linear.test_loss());
    run.metric("test loss, PCA", without);
    run.claim(
        "with tanh and a decoder of its own the error is a little lower",
        with < without,
        format!("test loss {with:.4} against {without:.4}"),
    );
    Ok(())
}

/// 7.3
pub(super) fn deep(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let pca = trainings::pca(run, &data)?;
    let non_linear = trainings::non_linear(run, &data)?;
    let deep = trainings::narrow(run, &data)?;
    let charts = [
        code_chart(run, &pca, &data),
        code_chart(run, &non_linear, &data),
        code_chart(run, &deep, &data),
    ];
    draw_codes(run, charts.into_iter().collect::<Result<_>>()?)?;
    let images = pick(&data, &[0, 2, 6, 23], run.device());
    show(
        run,
        "reconstructions",
        "Digits made of two values",
        "Test images, and what each network makes of the two values that it keeps of them.",
        &[
            row("input", images.clone())?,
            decoded(&pca, images.clone())?,
            decoded(&non_linear, images.clone())?,
            decoded(&deep, images)?,
        ],
    )?;
    losses(run, &deep, 0.03826, 0.03698);
    let others = [pca.test_loss(), non_linear.test_loss()];
    run.claim(
        "the deep network keeps more in two values than the shallow ones",
        others.iter().all(|other| deep.test_loss() < *other),
        format!(
            "test loss {:.4} against {:.4} (PCA) and {:.4} (non-linear PCA)",
            deep.test_loss(),
            others[0],
            others[1]
        ),
    );
    let [linear, clusters] = [
        readable(&pca.network, &data, None, run.device())?.all,
        readable(&deep.network, &data, None, run.device())?.all,
    ];
    run.metric("digits read from their codes, PCA", linear);
    run.metric("digits read from their codes, deep autoencoder", clusters);
    run.claim(
        "its codes form clusters of digits, though it was told none",
        clusters > linear + 0.2,
        format!("{clusters:.2} of the digits are read right from their codes, from those of PCA {linear:.2}"),
    );
    Ok(())
}
