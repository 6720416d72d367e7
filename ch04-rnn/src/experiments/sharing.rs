//! 4.1: a layer used twice.

use common::experiment::{Preset, Run};
use common::train::{Classifier, Recipe, Score};
use common::{Result, plot};

use crate::sharing::{Mlp, SharedMlp};

/// Book, figure: test accuracy of both networks after ten epochs.
const BOOK: f64 = 0.83;

/// 4.1
pub(super) fn mlp(run: &mut Run) -> Result<()> {
    const BATCH: usize = 64;
    let (train, test) = run.pick((256, 100), (12_000, 2_000), (60_000, 10_000));
    let data = run.mnist(train, test)?;
    // The book's ten epochs are 9,380 updates; `quick` takes a tenth of them at ten times the rate.
    let recipe = match run.preset() {
        Preset::Smoke => Recipe::sgd(0.01, BATCH, 1),
        Preset::Quick => Recipe::sgd(0.01, BATCH, 5),
        Preset::Book => Recipe::sgd(0.001, BATCH, 10),
    };
    let recipe = recipe.with_scores(&[Score::Accuracy]);
    let fresh = SharedMlp::new(run.device());
    let some: Vec<usize> = (0..BATCH.min(data.train.len())).collect();
    let gradients = fresh.gradients(&data.train, &some, run.device());
    let own = Classifier::new(Mlp::new(run.device()));
    let own = run.fit("two matrices", own, &data, &recipe)?;
    let shared = run.fit("one matrix, twice", Classifier::new(fresh), &data, &recipe)?;

    let accuracy = |history: &common::train::History| history.column("test accuracy");
    let epochs = own.history.column("epoch");
    let (of_own, of_shared) = (accuracy(&own.history), accuracy(&shared.history));
    let figure = plot::lines("Weight sharing in an MLP", "epoch", "test accuracy")
        .line(&own.name, &epochs, &of_own)
        .line(&shared.name, &epochs, &of_shared)
        .build();
    run.figure("accuracy", "Test accuracy against epoch.", &figure)?;

    let ends = [&own.history, &shared.history].map(|history| history.last("test accuracy"));
    run.metric_beside("test accuracy, two matrices", ends[0], BOOK);
    run.metric_beside("test accuracy, one matrix, twice", ends[1], BOOK);
    let gaps = of_own.iter().zip(&of_shared).map(|(a, b)| (a - b).abs());
    let widest = gaps.fold(0.0, f64::max);
    run.claim(
        "sharing a matrix costs no accuracy",
        ends[1] > ends[0] - 0.02,
        format!(
            "{:.4} against {:.4}; the curves are at most {widest:.3} apart",
            ends[1], ends[0]
        ),
    );
    run.claim(
        "and saves one",
        own.parameters - shared.parameters == 256 * 256 + 256,
        format!(
            "{} parameters against {}",
            shared.parameters, own.parameters
        ),
    );
    if let Some([of_shared, inner, outer]) = gradients {
        let scale = of_shared.clone().abs().max().into_scalar::<f32>();
        let difference = (of_shared - inner - outer).abs().max().into_scalar::<f32>();
        run.claim(
            "the gradient of a shared matrix is the sum of the gradients of its uses",
            difference < 1e-4 * scale,
            format!("they differ by {difference:.1e}, where the largest is {scale:.1e}"),
        );
    }
    run.claim_near("test accuracy with a shared matrix", ends[1], BOOK, 0.03);
    Ok(())
}
