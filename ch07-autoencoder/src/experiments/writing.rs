//! 7.8 and 7.9: the network writes.

use std::collections::HashSet;
use std::time::Instant;

use burn::tensor::{Int, Tensor};
use common::experiment::Run;
use common::{Error, Result, plot};

use super::PROMPT;
use super::characters::{self, Text, Trained};
use crate::sampling::{Sampler, fast, slow};
use crate::text::{CHUNK, Vocabulary};

/// The book's temperatures.
const TEMPERATURES: [f64; 3] = [1.0, 0.75, 0.05];
/// The temperature of 7.9.
const MIDDLE: f64 = 0.75;
/// Characters whose probabilities are drawn.
const RANKS: usize = 12;
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

/// The probability of the most probable next character, of the second, and so on, each a mean over the beginning of the text.
fn by_rank(run: &Run, trained: &Trained, temperature: f64) -> Result<Vec<f64>> {
    let vocabulary = &trained.text.vocabulary;
    let (numbers, _) = vocabulary.numbers(&trained.text.text);
    let read: Vec<i32> = numbers.iter().take(CHUNK).map(|n| *n as i32).collect();
    let text = Tensor::<1, Int>::from_data(read.as_slice(), run.device());
    let logits = trained.network.forward(text.unsqueeze()); // [1, T, V]
    let logits = logits.into_data().try_to_vec::<f32>();
    let logits = logits.map_err(|e| Error::Training(format!("reading scores: {e:?}")))?;
    let sampler = Sampler::new(temperature, 0)?;
    let mut mean = vec![0.0; vocabulary.len()];
    for scores in logits.chunks(vocabulary.len().max(1)) {
        let mut p = sampler.probabilities(scores);
        p.sort_by(|a, b| b.total_cmp(a));
        let share = read.len() as f64;
        mean.iter_mut()
            .zip(p)
            .for_each(|(mean, p)| *mean += p / share);
    }
    Ok(mean)
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
    let mut chart = plot::lines(
        "What a temperature does",
        "rank of a character",
        "probability",
    );
    for temperature in TEMPERATURES {
        let sampler = Sampler::new(temperature, run.seed())?;
        let clock = Instant::now();
        let written = slow(&trained.network, &prompt, length, sampler, run.device())?;
        let seconds = clock.elapsed().as_secs_f64();
        let heading = format!("temperature {temperature}, {length} characters in {seconds:.1} s:");
        say(run, &heading, &vocabulary.spell(&written));
        let p = by_rank(run, &trained, temperature)?;
        let ranks: Vec<usize> = (1..=p.len().min(RANKS)).collect();
        chart = chart.line(&format!("temperature {temperature}"), &ranks, &p);
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
    run.figure(
        "probabilities",
        "How probable the most probable next character is, the second, and so on: means over 250 characters of the text.",
        &chart.build(),
    )?;
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

/// Both ways to write, with the same seed.
struct Comparison {
    fast_text: Vec<u32>,
    fast_seconds: f64,
    slow_text: Vec<u32>,
    slow_seconds: f64,
}

fn compare(run: &Run, trained: &Trained, length: usize) -> Result<Comparison> {
    let prompt = prompt(&trained.text.vocabulary)?;
    let sampler = Sampler::new(MIDDLE, run.seed())?;
    let (network, device) = (&trained.network, run.device());
    let clock = Instant::now();
    let fast_text = fast(network, &prompt, length, sampler.clone(), device)?;
    let fast_seconds = clock.elapsed().as_secs_f64();
    let clock = Instant::now();
    let slow_text = slow(network, &prompt, length, sampler, device)?;
    Ok(Comparison {
        fast_text,
        fast_seconds,
        slow_text,
        slow_seconds: clock.elapsed().as_secs_f64(),
    })
}

/// 7.9
pub(super) fn fast_sampling(run: &mut Run) -> Result<()> {
    let trained = characters::train(run)?;
    let lengths: [usize; 4] =
        run.pick([10, 20, 30, 40], [125, 250, 375, 500], [125, 250, 375, 500]);
    let compared = lengths.map(|length| compare(run, &trained, length));
    let compared = compared.into_iter().collect::<Result<Vec<_>>>()?;
    let column = |of: fn(&Comparison) -> f64| compared.iter().map(of).collect::<Vec<_>>();
    let (fast_seconds, slow_seconds) = (column(|c| c.fast_seconds), column(|c| c.slow_seconds));
    let chart = plot::lines("Time to write a text", "characters", "seconds")
        .line("all read again for each character", &lengths, &slow_seconds)
        .line("states kept", &lengths, &fast_seconds);
    run.figure(
        "time",
        "Seconds against characters: n^2 / 2 steps, and n.",
        &chart.build(),
    )?;
    let Some(last) = compared.last() else {
        return Ok(());
    };
    let (quick, long) = (last.fast_seconds, last.slow_seconds);
    let length = last.fast_text.len();
    say(
        run,
        &format!("temperature {MIDDLE}, {length} characters in {quick:.2} s:"),
        &trained.text.vocabulary.spell(&last.fast_text),
    );
    run.metric("seconds, states kept", quick);
    run.metric("seconds, all read again for each character", long);
    run.claim(
        "it is the text that reading all again for each character gives",
        compared.iter().all(|c| c.fast_text == c.slow_text),
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
