//! 11.2: translations, and which words they looked at.

use common::Result;
use common::experiment::Run;

use super::training::{BEAM, Lesson, lesson, train, translate_all};
use crate::search::{LONGEST_TRANSLATION, Translation};
use crate::seq2seq::Seq2Seq;
use crate::translate::heat_map;
use crate::words::words;

/// The book's sentences, and what its translator made of them.
const BOOK: [(&str, &str); 3] = [
    (
        "what is the weather like today",
        "quel temps fait il aujourd'hui",
    ),
    (
        "some animals are afraid of fire",
        "les animaux ont peur du feu",
    ),
    ("no one disagreed", "personne n'exprima de désaccord"),
];
/// The places of the book's sentences in its test set; ours is another, so others stand there.
const ITEMS: [usize; 3] = [12, 13, 16];

/// 11.2
pub(super) fn translations(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let model = train(run, &lesson)?.model;
    let mut rows = Vec::new();
    for (english, book) in BOOK {
        let (source, unknown) = lesson.vocabulary.source(&words(english));
        if unknown.is_empty() {
            let french = show(run, &lesson, &model, &source)?;
            rows.push(
                [english, &french, &format!("the book's: {book}")]
                    .map(String::from)
                    .to_vec(),
            );
        } else {
            let unknown = unknown.join(", ");
            run.say(format!(
                "{english:?} is left out, these words are too rare here: {unknown}"
            ));
        }
    }
    let test = &lesson.data.test;
    for item in ITEMS.into_iter().filter(|&item| item < test.len()) {
        let source = test.sources.get(item);
        let french = show(run, &lesson, &model, source)?;
        let english = lesson.vocabulary.text(source);
        let reference = lesson.vocabulary.text(test.reference(item));
        rows.push(vec![english, french, reference]);
    }
    for row in &rows {
        run.say(format!("{} -> {} ({})", row[0], row[1], row[2]));
    }
    run.table("Translations", &["English", "French", "reference"], rows);

    let all = translate_all(run, test, &model)?;
    let slopes: Vec<f64> = all.iter().filter_map(diagonal).collect();
    let mean = slopes.iter().sum::<f64>() / slopes.len() as f64;
    run.metric("mean correlation of the places of words", mean);
    run.claim(
        "attention is roughly diagonal",
        mean > 0.5,
        format!(
            "the place of a French word and of what it looks at correlate with {mean:.2}, on the mean of {} sentences",
            slopes.len()
        ),
    );
    Ok(())
}

/// Translates a source, draws what was looked at and gives the translation.
fn show(run: &mut Run, lesson: &Lesson, model: &Seq2Seq, source: &[u32]) -> Result<String> {
    let device = run.device().clone();
    let translation = model.beam(source, BEAM, LONGEST_TRANSLATION, &device)?;
    let english = lesson.vocabulary.text(source);
    let figure = heat_map(&lesson.vocabulary, source, &translation);
    run.figure(
        &common::train::slug(&english),
        &format!("{english}: a row for each word of the translation, lighter where it looked."),
        &figure,
    )?;
    Ok(lesson.vocabulary.text(translation.text()))
}

/// The correlation between the places of a translation's words and the places that they looked at on average; none for less than three words.
fn diagonal(translation: &Translation) -> Option<f64> {
    let places: Vec<f64> = translation
        .weights
        .iter()
        .map(|row| mean_place(row))
        .collect();
    if places.len() < 3 {
        return None;
    }
    let n = places.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, places.iter().sum::<f64>() / n);
    let (mut together, mut of_words, mut of_places) = (0.0, 0.0, 0.0);
    for (i, place) in places.iter().enumerate() {
        let (x, y) = (i as f64 - middle, place - mean);
        together += x * y;
        of_words += x * x;
        of_places += y * y;
    }
    let correlation = together / (of_words * of_places).sqrt();
    correlation.is_finite().then_some(correlation)
}

/// The mean of the places, each with its weight.
fn mean_place(weights: &[f32]) -> f64 {
    let places = weights.iter().enumerate();
    places
        .map(|(place, weight)| place as f64 * f64::from(*weight))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagonal_correlates_with_1_and_its_mirror_with_minus_1() {
        let diagonal_of = |order: [usize; 3]| {
            let row = |place: usize| (0..3).map(|i| f32::from(u8::from(i == place))).collect();
            diagonal(&Translation {
                words: vec![3, 4, 5],
                weights: order.map(row).to_vec(),
                log_probability: 0.0,
            })
        };
        assert_eq!(diagonal_of([0, 1, 2]), Some(1.0));
        assert_eq!(diagonal_of([2, 1, 0]), Some(-1.0));
        assert_eq!(diagonal_of([1, 1, 1]), None);
    }
}
