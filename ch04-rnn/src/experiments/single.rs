//! 4.3: an RNN, one name per update.

use common::Result;
use common::data::{LANGUAGES, spell};
use common::experiment::Run;

use super::{Kind, Rate, Trained, draw_accuracy, surnames, train};

/// 4.3
pub(super) fn one_name(run: &mut Run) -> Result<()> {
    let data = surnames(run)?;
    let single = train(run, &data, Kind::Single, Rate::Book)?;
    draw_accuracy(
        run,
        "accuracy",
        "An RNN guesses the language of a name",
        "Test accuracy against epoch, one name per update.",
        &[("single names", &single)],
    )?;
    let history = &single.history;
    let (first, accuracy) = (
        history.first("test accuracy"),
        history.last("test accuracy"),
    );
    run.metric_beside("test accuracy", accuracy, 0.80);
    run.metric_beside("test accuracy after the first epoch", first, 0.72);
    let epochs = history.epochs().max(1) as f64;
    run.metric_beside(
        "seconds per epoch",
        history.last("total time") / epochs,
        55.0,
    );
    let book = [
        ("German", 0.374),
        ("English", 0.368),
        ("Czech", 0.106),
        ("Dutch", 0.073),
    ];
    frank(run, &single, &book)?;

    let most = most_frequent(&data.test.labels);
    run.metric("share of the most frequent language", most);
    run.claim(
        "the RNN has learned more than which language is the most frequent",
        accuracy > most + 0.1,
        format!("test accuracy {accuracy:.3}, where always the same answer gives {most:.3}"),
    );
    run.claim(
        "and goes on learning after the first epoch",
        accuracy > first,
        format!("from {first:.3} to {accuracy:.3}"),
    );
    run.claim_near("test accuracy", accuracy, 0.80, 0.04);
    Ok(())
}

/// Shows what a network thinks of the name "frank", beside the book's numbers.
pub(super) fn frank(run: &mut Run, fit: &Trained, book: &[(&str, f64)]) -> Result<()> {
    let p = fit
        .model
        .network
        .languages(&spell("frank").ids, run.device())?;
    let of_book = |language: &str| {
        book.iter()
            .find(|(name, _)| *name == language)
            .map(|(_, p)| *p)
    };
    let mut rows: Vec<(&str, f32)> = LANGUAGES.into_iter().zip(p).collect();
    for (language, p) in &rows {
        if let Some(book) = of_book(language) {
            run.metric_beside(&format!("p({language}) of frank"), f64::from(*p), book);
        }
    }
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let percent = |p: f64| format!("{:.1} %", 100.0 * p);
    let rows = rows.into_iter().map(|(language, p)| {
        vec![
            language.to_string(),
            percent(f64::from(p)),
            of_book(language).map(percent).unwrap_or_default(),
        ]
    });
    let title = format!("The language of the name frank ({})", fit.name);
    run.table(
        &title,
        &["language", "probability", "the book"],
        rows.collect(),
    );
    Ok(())
}

/// Share of the most frequent label.
fn most_frequent(labels: &[u8]) -> f64 {
    let count = |class: usize| {
        labels
            .iter()
            .filter(|label| usize::from(**label) == class)
            .count()
    };
    let most = (0..LANGUAGES.len()).map(count).max().unwrap_or(0);
    most as f64 / labels.len().max(1) as f64
}
