//! 13.5: few labels.

use std::sync::Arc;

use burn::tensor::Device;
use common::data::{Images, Split};
use common::experiment::Run;
use common::seed::mix;
use common::train::{Classifier, History, Session, fit};
use common::{Result, plot};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::photos::{ACCURACY, CLASSES, all_features, fit_head, photos, recipe, save};
use super::pretrained::{Pretrained, pretrained};
use crate::classifier::{Frozen, PhotoClassifier};

/// Labelled photos.
const LABELS: usize = 256;
const EPOCHS: [usize; 3] = [2, 6, 10];
const VARIANTS: [&str; 3] = ["scratch", "warm start", "frozen"];

/// 13.5
pub(super) fn few_labels(run: &mut Run) -> Result<()> {
    let data = photos(run)?;
    let pretrained = pretrained(run)?;
    let device = run.device().clone();
    let extractor = pretrained.transfer(Frozen::Features, &device);
    let features = all_features(&extractor, &data, &device)?;
    let labels = run.pick(24, LABELS, LABELS).min(data.train.len());
    run.say(format!(
        "{labels} labelled photos, other ones for each seed"
    ));
    let mut histories: [Vec<History>; 3] = Default::default();
    for seed in 1..=run.pick(2, 3, 5) {
        let mut chosen: Vec<usize> = (0..data.train.len()).collect();
        chosen.shuffle(&mut ChaCha8Rng::seed_from_u64(mix(run.seed(), seed)));
        chosen.truncate(labels);
        let mut few = data.clone();
        few.train = data.train.subset(&chosen);
        let network = PhotoClassifier::scratch(pretrained.architecture, CLASSES, &device);
        histories[0].push(train(run, &format!("scratch, seed {seed}"), network, &few)?);
        let network = pretrained.transfer(Frozen::Nothing, &device);
        histories[1].push(train(
            run,
            &format!("warm start, seed {seed}"),
            network,
            &few,
        )?);
        let mut few = features.clone();
        few.train = features.train.subset(&chosen);
        let name = format!("frozen, seed {seed}");
        let fitted = fit_head(run, &name, &few, EPOCHS)?;
        histories[2].push(fitted.history);
        if seed == 1 {
            save(run, &pretrained, &extractor, fitted.model.network)?;
        }
    }
    if run.as_printed() {
        as_printed(run, &pretrained, &data, &device)?;
    }
    figure(run, &pretrained, &histories)?;
    let book = [0.50, 0.83, 0.91];
    let mut means = [0.0; 3];
    for (v, name) in VARIANTS.iter().enumerate() {
        let last: Vec<f64> = histories[v].iter().map(|h| h.last(ACCURACY)).collect();
        let (mean, spread) = mean_and_spread(&last);
        run.metric_beside(
            &format!("test accuracy, {name}, mean of seeds"),
            mean,
            book[v],
        );
        run.metric(
            &format!("test accuracy, {name}, standard deviation"),
            spread,
        );
        means[v] = mean;
    }
    judge(run, means);
    Ok(())
}

fn judge(run: &mut Run, [scratch, warm, frozen]: [f64; 3]) {
    run.claim(
        "a network from scratch hardly does better than guessing (under 0.65)",
        scratch < 0.65,
        format!("{scratch:.3}"),
    );
    run.claim(
        "a warm start is better than scratch",
        warm > scratch,
        format!("{warm:.3} against {scratch:.3}"),
    );
    run.claim(
        "frozen features are better than scratch",
        frozen > scratch,
        format!("{frozen:.3} against {scratch:.3}"),
    );
    run.claim(
        "with few labels frozen features are better than a warm start",
        frozen > warm,
        format!("{frozen:.3} against {warm:.3}"),
    );
    run.claim_near("test accuracy, frozen", frozen, 0.91, 0.08);
    run.claim_near("test accuracy, warm start", warm, 0.83, 0.15);
}

/// Trains without writing checkpoints, which for all networks of all seeds would take gigabytes.
fn train(
    run: &mut Run,
    name: &str,
    network: PhotoClassifier,
    data: &Split<Images>,
) -> Result<History> {
    let session = Session {
        folders: None,
        ..run.session()
    };
    let recipe = run.recipe(&recipe(run, EPOCHS));
    let (train, test) = (Arc::new(data.train.clone()), Arc::new(data.test.clone()));
    let model = Classifier::new(network);
    let fitted = fit(&session, name, model, &train, &[("test", test)], &recipe)?;
    run.record(name, fitted.parameters, &fitted.history)?;
    Ok(fitted.history)
}

/// What the notebook's frozen network is trained on by mistake: all training photos, and batch norms go on.
fn as_printed(
    run: &mut Run,
    pretrained: &Pretrained,
    data: &Split<Images>,
    device: &Device,
) -> Result<()> {
    let network = pretrained.transfer(Frozen::WeightsOnly, device);
    let history = train(run, "frozen, as printed", network, data)?;
    let last = history.last(ACCURACY);
    run.metric_beside(
        "test accuracy, frozen, as printed (all labels)",
        last,
        0.943,
    );
    Ok(())
}

/// The mean, and the standard deviation of a sample.
fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

/// Test accuracy against epoch: the mean of the seeds as a line, each seed as a point.
fn figure(run: &mut Run, pretrained: &Pretrained, histories: &[Vec<History>; 3]) -> Result<()> {
    let title = format!("256 labels, {}", pretrained.architecture.name());
    let mut chart = plot::lines(&title, "epoch", ACCURACY);
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = Default::default();
    let mut rows = Vec::new();
    for (name, histories) in VARIANTS.iter().zip(histories) {
        let columns: Vec<Vec<f64>> = histories.iter().map(|h| h.column(ACCURACY)).collect();
        let epochs = columns.iter().map(Vec::len).min().unwrap_or(0);
        let of_epoch = |e: usize| columns.iter().map(|c| c[e]).collect::<Vec<f64>>();
        let means: Vec<f64> = (0..epochs)
            .map(|e| mean_and_spread(&of_epoch(e)).0)
            .collect();
        let epoch: Vec<f64> = (0..epochs).map(|e| e as f64).collect();
        chart = chart.line(name, &epoch, &means);
        for column in &columns {
            xs.extend(epoch.iter());
            ys.extend(column.iter().take(epochs));
        }
        let last: Vec<f64> = histories.iter().map(|h| h.last(ACCURACY)).collect();
        let (mean, spread) = mean_and_spread(&last);
        let each = last.iter().map(|v| format!("{v:.3}"));
        rows.push(vec![
            name.to_string(),
            each.collect::<Vec<_>>().join(", "),
            format!("{mean:.3} ± {spread:.3}"),
        ]);
    }
    let chart = chart.points("a seed", &xs, &ys);
    run.table(
        "Test accuracy after the last epoch",
        &["network", "each seed", "mean ± standard deviation"],
        rows,
    );
    let caption = "Test accuracy against epoch: lines are means of the seeds, points are seeds.";
    run.figure("accuracy", caption, &chart.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_of_a_sample() {
        let (mean, spread) = mean_and_spread(&[1.0, 2.0, 3.0]);
        assert_eq!((mean, spread), (2.0, 1.0));
        assert_eq!(mean_and_spread(&[0.5]), (0.5, 0.0));
    }
}
