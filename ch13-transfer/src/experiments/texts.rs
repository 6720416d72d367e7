//! 13.6 and 13.7: a GRU and a frozen encoder learn from 256 pieces of news.

use ch12_transformer::Padding;
use common::Result;
use common::experiment::Run;
use common::plot;

use super::news::{Curves, as_printed, encoder, frozen, gru, lesson};

/// Where the book's curves end.
const BOOK_GRU: f64 = 0.40;
const BOOK_FROZEN: f64 = 0.845;

/// 13.6
pub(super) fn baseline(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let curves = gru(run, &lesson, Padding::Masked)?;
    let mut all = vec![curves];
    if run.as_printed() {
        all.push(gru(run, &lesson, Padding::AsPrinted)?);
    }
    figure(run, "A GRU and few labels", &all)?;
    let last = record(run, &all[0], BOOK_GRU);
    run.claim_near("test accuracy, GRU,", last.mean, BOOK_GRU, 0.1);
    // 12.1: what all labels give.
    run.claim(
        "few labels are not enough for it: most of what all labels give is missing",
        last.mean < 0.25 + 0.5 * (0.917 - 0.25),
        format!("{}; guessing gives 0.25, all labels 0.917", last.text()),
    );
    Ok(())
}

/// 13.7
pub(super) fn transfer(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let baseline = gru(run, &lesson, Padding::Masked)?;
    let encoder = encoder(run, &lesson)?;
    let (curves, encoding) = frozen(run, &lesson, &encoder)?;
    let mut all = vec![baseline, curves];
    if run.as_printed() {
        all.push(as_printed(run, &lesson, &encoder)?);
    }
    figure(run, "A frozen encoder and few labels", &all)?;
    let below = record(run, &all[0], BOOK_GRU);
    let above = record(run, &all[1], BOOK_FROZEN);
    if let Some(printed) = all.get(2) {
        run.metric(
            "test accuracy, frozen encoder, as printed",
            printed.last()[0],
        );
    }
    if encoder.name == "DistilBERT" {
        run.claim_near("test accuracy, frozen,", above.mean, BOOK_FROZEN, 0.03);
    }
    let numbers = format!("{} against {}", above.text(), below.text());
    run.claim(
        "with few labels the frozen encoder is far above the GRU",
        above.mean > below.mean + 0.2 && above.low > below.high,
        &numbers,
    );
    let [first, best] = [all[1].mean()[0], below.mean];
    run.claim(
        "one epoch of it is better than all epochs of the GRU",
        first > best,
        format!("test accuracy {first:.3} against {best:.3}"),
    );
    let [gru, head] = [all[0].seconds(), all[1].seconds()];
    let ratio = (encoding + head) / gru;
    run.metric("seconds per epoch, GRU", gru);
    run.metric(
        "seconds per epoch, frozen, texts encoded each time",
        encoding + head,
    );
    run.metric("seconds per epoch, frozen, texts encoded once", head);
    run.metric_beside(
        "times as slow as the GRU, texts encoded each time",
        ratio,
        10.0,
    );
    run.claim(
        "it is several times slower than the GRU (the book: about 10 times)",
        ratio > 2.0,
        format!(
            "an epoch of {gru:.2} s for the GRU, {:.2} s for encoder and head: {ratio:.1} times; {head:.2} s once all is encoded",
            encoding + head
        ),
    );
    Ok(())
}

/// Accuracies of several draws.
struct Spread {
    mean: f64,
    /// The standard deviation of the draws.
    deviation: f64,
    low: f64,
    high: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        Self {
            mean,
            deviation: (squares / (n - 1.0).max(1.0)).sqrt(),
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn text(&self) -> String {
        format!("test accuracy {:.3} ± {:.3}", self.mean, self.deviation)
    }
}

/// Mean and spread of where the draws end.
fn record(run: &mut Run, curves: &Curves, book: f64) -> Spread {
    let spread = Spread::of(&curves.last());
    let name = &curves.name;
    run.metric_beside(&format!("test accuracy, {name}, mean"), spread.mean, book);
    run.metric(
        &format!("test accuracy, {name}, standard deviation"),
        spread.deviation,
    );
    spread
}

fn figure(run: &mut Run, title: &str, all: &[Curves]) -> Result<()> {
    let mut chart = plot::lines(title, "epoch", "test accuracy");
    for curves in all {
        let mean = curves.mean();
        let epochs: Vec<f64> = (0..mean.len()).map(|epoch| epoch as f64).collect();
        chart = chart.line(&curves.name, &epochs, &mean);
    }
    for curves in all.iter().filter(|curves| curves.histories.len() > 1) {
        let columns = curves.columns();
        let epochs = columns.iter().flat_map(|c| (0..c.len()).map(|e| e as f64));
        let (epochs, values): (Vec<f64>, Vec<f64>) = (
            epochs.collect(),
            columns.iter().flatten().copied().collect(),
        );
        let name = format!("{}, each draw", curves.name);
        chart = chart.points_of(&curves.name, &name, &epochs, &values);
    }
    run.figure(
        "accuracy",
        "Test accuracy against epoch, learnt from few labelled texts: the mean over the draws, and each of them.",
        &chart.build(),
    )
}
