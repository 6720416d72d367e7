//! 7.7: a recurrent network learns to predict the next character of Shakespeare.

use std::sync::Arc;

use common::data::{Batches, shakespeare};
use common::experiment::Run;
use common::train::{Clip, History, Recipe};
use common::{Result, plot};

use super::{ALPHABET, CHARACTERS};
use crate::auto_regressive::AutoRegressive;
use crate::loss::NextCharacter;
use crate::text::{AutoRegressiveDataset, CHUNK, LENGTH, Vocabulary};

/// Chunks per update.
const BATCH: usize = 128;
/// No element of a gradient is larger.
const CLIP: f64 = 2.0;
/// The loss of the same network in PyTorch on the same text, written by `bench/torch_side/char_gru_curve.py`: epoch, loss.
const PYTORCH: &str = include_str!("../../reference/char_gru_pytorch.csv");
/// Where the loss stays for a while, once the network knows which letter follows which; the first weights decide for how long.
const PLATEAU: f64 = 750.0;
/// How far seeds part the last losses: with 42 it is 5 % above that of PyTorch, with 43 2 %.
const SEEDS: f64 = 0.08;
/// PyTorch's network knows so many symbols, those of tinyshakespeare.
const PYTORCH_SYMBOLS: usize = 37;

/// The text in lower case, its symbols, and whether it is Shakespeare's.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) vocabulary: Vocabulary,
    real: bool,
}

/// The network that 7.7 to 7.9 share.
pub(super) struct Trained {
    pub(super) text: Text,
    pub(super) network: AutoRegressive,
    history: History,
}

/// Trains the network, or takes over the one that another of 7.7 to 7.9 has trained.
pub(super) fn train(run: &mut Run) -> Result<Trained> {
    let (all, mut source) = shakespeare(&run.data_options())?;
    let first: String = all.to_lowercase().chars().take(LENGTH).collect();
    let text = Text {
        vocabulary: Vocabulary::of(&first),
        text: first,
        real: source.real,
    };
    let (numbers, _) = text.vocabulary.numbers(&text.text);
    let most = run.limited(run.pick(8, usize::MAX, usize::MAX));
    let data = Arc::new(AutoRegressiveDataset::new(numbers, CHUNK, most)?);
    source.train = data.len();
    run.uses(source);
    let network = AutoRegressive::new(text.vocabulary.len(), run.device());
    run.attach(ALPHABET, text.vocabulary.text().as_bytes())?;
    let recipe = Recipe::adamw(BATCH, run.pick(2, 100, 100))
        .with_scores(&[])
        .with_clip(Clip::Value(CLIP));
    // The book has no test set for it.
    let nothing: [(&str, Arc<AutoRegressiveDataset>); 0] = [];
    let model = NextCharacter::new(network);
    let fitted = run.fit_on(CHARACTERS, model, &data, &nothing, &recipe)?;
    Ok(Trained {
        text,
        network: fitted.model.network,
        history: fitted.history,
    })
}

/// PyTorch's loss after each epoch.
fn pytorch() -> Vec<f64> {
    let rows = PYTORCH.lines().skip(1);
    rows.filter_map(|row| row.split(',').nth(1)?.parse().ok())
        .collect()
}

/// 7.7
pub(super) fn predict(run: &mut Run) -> Result<()> {
    let trained = train(run)?;
    let loss = trained.history.column("train loss");
    let epochs = trained.history.column("epoch");
    let title = "A GRU learns to predict the next character";
    let mut chart =
        plot::lines(title, "epoch", "loss of a chunk, in nats").line("this run", &epochs, &loss);
    let reference = pytorch();
    let same_text = trained.text.real && trained.text.vocabulary.len() == PYTORCH_SYMBOLS;
    if same_text {
        let shown = &reference[..reference.len().min(loss.len())];
        let xs: Vec<f64> = (0..shown.len()).map(|epoch| epoch as f64).collect();
        chart = chart.line("PyTorch, same network and text", &xs, shown);
    }
    run.figure(
        "loss",
        "Training loss against epoch: cross-entropy, summed over the 250 characters of a chunk.",
        &chart.build(),
    )?;

    let (first, last) = (
        trained.history.first("train loss"),
        trained.history.last("train loss"),
    );
    let nats = last / CHUNK as f64;
    run.metric_beside("loss after the first epoch", first, 878.9);
    run.metric_beside("loss", last, 391.0);
    run.metric_beside("nats per character", nats, 1.56);
    let [one, two] = entropies(&trained.text);
    run.metric("nats per character from letter frequencies", one);
    run.metric("nats per character from pairs of letters", two);
    run.claim(
        "the network learns more than which letters are frequent, and which follows which",
        nats < two,
        format!(
            "{nats:.3} nats per character; frequencies of letters give {one:.3}, of pairs {two:.3}"
        ),
    );
    if run.is_book() && same_text && reference.len() == loss.len() {
        let of_pytorch = reference.last().copied().unwrap_or(f64::NAN);
        run.metric("loss of the same network in PyTorch", of_pytorch);
        let [ours, theirs] = [&loss, &reference].map(|curve| epochs_to(curve, PLATEAU));
        run.claim(
            "the loss ends where that of the same network in PyTorch does",
            (last - of_pytorch).abs() <= SEEDS * of_pytorch,
            format!("{last:.1} against {of_pytorch:.1}; below {PLATEAU} after {ours} epochs against {theirs}"),
        );
    }
    Ok(())
}

/// Epochs until a loss is below `level`.
fn epochs_to(curve: &[f64], level: f64) -> usize {
    let above = curve.iter().take_while(|loss| **loss >= level);
    above.count() + 1
}

/// What predicting a character costs that knows the frequencies of the letters only, and one that knows the letter before, in nats.
fn entropies(text: &Text) -> [f64; 2] {
    let symbols = text.vocabulary.len();
    let (numbers, _) = text.vocabulary.numbers(&text.text);
    let mut pairs = vec![0u32; symbols * symbols];
    for pair in numbers.windows(2) {
        pairs[pair[0] as usize * symbols + pair[1] as usize] += 1;
    }
    let total = pairs.iter().sum::<u32>().max(1);
    let information = |count: &u32, of: u32| match count {
        0 => 0.0,
        count => -f64::from(*count) * (f64::from(*count) / f64::from(of)).ln() / f64::from(total),
    };
    let before = pairs
        .chunks(symbols.max(1))
        .map(|row| (row, row.iter().sum::<u32>()));
    let (mut alone, mut paired) = (0.0, 0.0);
    for (row, count) in before {
        alone += information(&count, total);
        paired += row.iter().map(|n| information(n, count)).sum::<f64>();
    }
    [alone, paired]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_two_letters_by_turns_is_known_from_the_letter_before() {
        let text = Text {
            text: "abababababa".to_string(),
            vocabulary: Vocabulary::of("ab"),
            real: false,
        };
        let [one, two] = entropies(&text);
        assert!(
            (one - 2f64.ln()).abs() < 1e-9 && two.abs() < 1e-9,
            "{one} {two}"
        );
    }

    #[test]
    fn the_reference_is_a_falling_curve_of_100_epochs() {
        let curve = pytorch();
        assert_eq!(curve.len(), 100);
        assert!(curve[0] > 800.0 && curve[99] < 500.0);
    }
}
