//! 6.10: an RNN and an LSTM on the names of chapter 4.

use common::experiment::Run;
use common::train::{Classifier, Clip, Fitted, Recipe};
use common::{Result, plot};

use crate::names::NameClassifier;

/// Names per update.
const BATCH: usize = 32;
/// Gradients are cut here, from both sides.
const CLIP: f64 = 5.0;

/// 6.10
pub(super) fn rnn_and_lstm(run: &mut Run) -> Result<()> {
    let (train, test) = run.pick((200, 50), (6_000, 300), (19_774, 300));
    let data = run.surnames(train, test)?;
    let recipe = Recipe::adamw(BATCH, run.pick(2, 8, 10)).with_clip(Clip::Value(CLIP));
    let device = run.device().clone();
    let rnn = Classifier::new(NameClassifier::rnn(&device));
    let rnn = run.fit("RNN", rnn, &data, &recipe)?;
    let lstm = Classifier::new(NameClassifier::lstm(&device));
    let lstm = run.fit("LSTM", lstm, &data, &recipe)?;

    let mut chart = plot::lines("Three layers of RNN or LSTM", "epoch", "test accuracy");
    for fitted in [&rnn, &lstm] {
        let (x, y) = (
            fitted.history.column("epoch"),
            fitted.history.column("test accuracy"),
        );
        chart = chart.line(&fitted.name, &x, &y);
    }
    run.figure(
        "accuracy",
        "Test accuracy against epoch, languages of surnames.",
        &chart.build(),
    )?;
    let [rnn_last, lstm_last] = [&rnn, &lstm].map(|f| f.history.last("test accuracy"));
    run.metric_beside("test accuracy, RNN", rnn_last, 0.83);
    run.metric_beside("test accuracy, LSTM", lstm_last, 0.837);
    let [rnn_best, lstm_best] = [&rnn, &lstm].map(best);
    run.metric_beside("highest test accuracy, RNN", rnn_best, 0.85);
    run.metric_beside("highest test accuracy, LSTM", lstm_best, 0.857);
    let lowest = |f: &Fitted<_>| {
        f.history
            .argmin("test loss")
            .map_or(f64::NAN, |e| e as f64 + 1.0)
    };
    let (epoch, epochs) = (lowest(&lstm), lstm.history.epochs());
    run.metric("epochs to the lowest test loss, LSTM", epoch);
    run.claim(
        "the LSTM gets further than the RNN",
        lstm_best > rnn_best,
        format!("highest test accuracy {lstm_best:.3} against {rnn_best:.3}"),
    );
    run.claim(
        "the LSTM over-fits before the end",
        epoch < epochs as f64,
        format!("its test loss is lowest after {epoch} of {epochs} epochs"),
    );
    run.claim_near("test accuracy of the RNN", rnn_last, 0.83, 0.04);
    run.claim_near("test accuracy of the LSTM", lstm_last, 0.837, 0.04);
    Ok(())
}

/// The highest test accuracy of any epoch.
fn best(fitted: &Fitted<Classifier<NameClassifier>>) -> f64 {
    let accuracy = fitted.history.column("test accuracy");
    accuracy.into_iter().fold(f64::NAN, f64::max)
}
