//! 7.8 and 7.9: the network writes.

use std::collections::HashSet;
use std::time::Instant;

use common::experiment::Run;
use common::{Error, Result};

use super::PROMPT;
use super::characters::{self, Text, Trained};
use crate::sampling::{Sampler, fast, slow};
use crate::text::Vocabulary;

/// The book's temperatures.
const TEMPERATURES: [f64; 3] = [1.0, 0.75, 0.05];
/// The temperature of 7.9.
const MIDDLE: f64 = 0.75;
/// Characters in which a text may be said to repeat itself.
const WINDOW: usize = 20;

/// The numbers of the prompt's letters.
fn prompt(vocabulary: &Vocabulary) -> Result<Vec<u32>> {
    let (numbers, unknown) = vocabulary.numbers(PROMPT);
    match unknown.is_empty() {
        true => Ok(numbers),
        false => Err(Error::Data(format!(
            "the text has none of {unknown:?}, which {PROMPT:?} begins with"
        ))),
    }
}

/// Shows a text line by line.
fn say(run: &mut Run, heading: &str, text: &str) {
    run.say(heading);
    for line in text.lines() {
        run.say(format!("  | {line}"));
    }
}

/// The share of a text's words that the book of examples has too; the last word may be cut off and is left out.
fn known_words(text: &str, known: &HashSet<&str>) -> f64 {
    let all: Vec<&str> = words(text).collect();
    let whole = &all[..all.len().saturating_sub(1)];
    let found = whole.iter().filter(|word| known.contains(**word)).count();
    found as f64 / whole.len() as f64
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphabetic() && c != '\'');
    words.filter(|word| !word.is_empty())
}

/// The share of windows of 20 characters that have occurred before in the same text.
fn repeated(text: &[u32]) -> f64 {
    let windows = text.windows(WINDOW);
    let count = windows.len();
    let different: HashSet<&[u32]> = windows.collect();
    (count - different.len()) as f64 / count as f64
}

/// A long text at a temperature, from which shares can be told.
fn long_text(run: &Run, trained: &Trained, temperature: f64) -> Result<Vec<u32>> {
    let prompt = prompt(&trained.text.vocabulary)?;
    let length = run.pick(100, 5_000, 5_000);
    let sampler = Sampler::new(temperature, run.seed())?;
    fast(&trained.network, &prompt, length, sampler, run.device())
}

/// 7.8
pub(super) fn temperatures(run: &mut Run) -> Result<()> {
    let trained = characters::train(run)?;
    let Text {
        text, vocabulary, ..
    } = &trained.text;
    let prompt = prompt(vocabulary)?;
    let known: HashSet<&str> = words(text).collect();
    let length = run.pick(40, 300, 500);
    let mut rows = Vec::new();
    let mut shares = Vec::new();
    for temperature in TEMPERATURES {
        let sampler = Sampler::new(temperature, run.seed())?;
        let clock = Instant::now();
        let written = slow(&trained.network, &prompt, length, sampler, run.device())?;
        let seconds = clock.elapsed().as_secs_f64();
        let heading = format!("temperature {temperature}, {length} characters in {seconds:.1} s:");
        say(run, &heading, &vocabulary.spell(&written));
        let long = long_text(run, &trained, temperature)?;
        let share = known_words(&vocabulary.spell(&long), &known);
        let again = repeated(&long);
        rows.push(vec![
            temperature.to_string(),
            format!("{share:.2}"),
            format!("{again:.2}"),
        ]);
        run.metric(&format!("share of real words at {temperature}"), share);
        run.metric(&format!("share of repetition at {temperature}"), again);
        shares.push((share, again));
    }
    run.table(
        "5,000 characters at each temperature",
        &[
            "temperature",
            "words that the text has too",
            "20 characters that occurred before",
        ],
        rows,
    );
    if let [warm, middle, cold] = shares[..] {
        run.claim(
            "a lower temperature gives more real words",
            middle.0 > warm.0,
            format!(
                "{:.2} of the words at 0.75 are in the text, {:.2} at 1.0",
                middle.0, warm.0
            ),
        );
        run.claim(
            "at a temperature near 0 the network repeats itself",
            cold.1 > 0.5 && middle.1 < 0.5,
            format!(
                "{:.2} of all 20 characters at 0.05 occurred before, {:.2} at 0.75",
                cold.1, middle.1
            ),
        );
    }
    Ok(())
}

/// 7.9
pub(super) fn fast_sampling(run: &mut Run) -> Result<()> {
    let trained = characters::train(run)?;
    let vocabulary = &trained.text.vocabulary;
    let prompt = prompt(vocabulary)?;
    let length = run.pick(40, 500, 500);
    let sampler = Sampler::new(MIDDLE, run.seed())?;
    let clock = Instant::now();
    let text = fast(
        &trained.network,
        &prompt,
        length,
        sampler.clone(),
        run.device(),
    )?;
    let quick = clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    let again = slow(&trained.network, &prompt, length, sampler, run.device())?;
    let long = clock.elapsed().as_secs_f64();
    say(
        run,
        &format!("temperature {MIDDLE}, {length} characters in {quick:.2} s:"),
        &vocabulary.spell(&text),
    );
    run.metric("seconds, states kept", quick);
    run.metric("seconds, all read again for each character", long);
    run.claim(
        "it is the text that reading all again for each character gives",
        text == again,
        format!("{length} characters compared"),
    );
    run.claim(
        "it takes less time, less than a second",
        quick < long && quick < 1.0,
        format!("{quick:.2} s against {long:.1} s"),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_known_and_windows_that_come_again() {
        let known: HashSet<&str> = words("what's done: is done").collect();
        assert_eq!(known.len(), 3);
        assert_eq!(known_words("done, what's doen\nis", &known), 2.0 / 3.0);
        let once: Vec<u32> = (0..40).collect();
        assert_eq!(repeated(&once), 0.0);
        let twice: Vec<u32> = (0..40).chain(0..40).collect();
        // 61 windows, of which the last 21 are the first 21 again.
        assert_eq!(repeated(&twice), 21.0 / 61.0);
        assert!(repeated(&once[..5]).is_nan());
    }
}
