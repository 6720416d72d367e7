//! How good translations are: corpus BLEU as sacreBLEU computes it (Papineni et al. 2002; Post 2018).

use std::collections::HashMap;

/// The longest n-grams that are compared.
const ORDER: usize = 4;

/// The score of a set of translations, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Bleu {
    /// `100 · bp · (p_1 p_2 p_3 p_4)^(1/4)`: 0 to 100.
    pub score: f64,
    /// How many of the n-grams of the translations are in the references, in percent, for n = 1 to 4.
    pub precisions: [f64; ORDER],
    /// `min(1, e^(1 - r/t))`, lower than 1 when the translations (t tokens) are shorter than the references (r tokens).
    pub brevity_penalty: f64,
    /// Tokens of the translations.
    pub tokens: usize,
    /// Tokens of the references.
    pub reference_tokens: usize,
}

/// BLEU of translations against one reference each: tokenizer 13a, counts over the whole corpus, and where no n-gram of a length is right,
/// exponential smoothing: half, a quarter, ... of one right n-gram.
///
/// Pairs beyond the end of the shorter list are not counted.
pub fn corpus_bleu(translations: &[String], references: &[String]) -> Bleu {
    let (mut right, mut all) = ([0usize; ORDER], [0usize; ORDER]);
    let (mut tokens, mut reference_tokens) = (0, 0);
    for (translation, reference) in translations.iter().zip(references) {
        let (translation, reference) = (tokenized(translation), tokenized(reference));
        tokens += translation.len();
        reference_tokens += reference.len();
        for n in 1..=ORDER {
            let known = counts(&reference, n);
            for (gram, count) in counts(&translation, n) {
                all[n - 1] += count;
                // An n-gram counts as often as the reference has it, at most.
                right[n - 1] += count.min(known.get(gram).copied().unwrap_or(0));
            }
        }
    }
    let brevity_penalty = match (tokens, reference_tokens) {
        (0, r) if r > 0 => 0.0,
        (t, r) if t < r => (1.0 - r as f64 / t as f64).exp(),
        _ => 1.0,
    };
    let mut precisions = [0.0; ORDER];
    let mut score = 0.0;
    if right.iter().any(|&count| count > 0) {
        let mut smoothing = 1.0;
        for ((precision, right), all) in precisions.iter_mut().zip(right).zip(all) {
            if all == 0 {
                break;
            }
            *precision = match right {
                0 => {
                    smoothing *= 2.0;
                    100.0 / (smoothing * all as f64)
                }
                _ => 100.0 * right as f64 / all as f64,
            };
        }
        // The logarithm of 0, where there are no n-grams at all, makes the score 0.
        let logs: f64 = precisions.iter().map(|p| p.ln()).sum();
        score = brevity_penalty * (logs / ORDER as f64).exp();
    }
    Bleu {
        score,
        precisions,
        brevity_penalty,
        tokens,
        reference_tokens,
    }
}

/// How often each n-gram occurs.
fn counts(tokens: &[String], n: usize) -> HashMap<&[String], usize> {
    let mut counts = HashMap::new();
    for gram in tokens.windows(n) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// The tokens of mteval's tokenizer 13a: signs stand alone, points and commas too, unless they are inside of a number.
fn tokenized(line: &str) -> Vec<String> {
    let mut line = line.trim_end().replace("<skipped>", "");
    line = line.replace("-\n", "").replace('\n', " ");
    for (entity, sign) in [
        ("&quot;", "\""),
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
    ] {
        line = line.replace(entity, sign);
    }
    let mut text = vec![' '];
    for letter in line.chars() {
        match is_sign(letter) {
            true => text.extend([' ', letter, ' ']),
            false => text.push(letter),
        }
    }
    text.push(' ');
    let (is_digit, is_stop) = (|c: char| c.is_ascii_digit(), |c: char| ".,".contains(c));
    let text = spaced(
        &text,
        |a, b| !is_digit(a) && is_stop(b),
        |a, b| [a, ' ', b, ' '],
    );
    let text = spaced(
        &text,
        |a, b| is_stop(a) && !is_digit(b),
        |a, b| [' ', a, ' ', b],
    );
    let text = spaced(
        &text,
        |a, b| is_digit(a) && b == '-',
        |a, b| [a, ' ', b, ' '],
    );
    let text: String = text.into_iter().collect();
    text.split_whitespace().map(String::from).collect()
}

/// Signs that stand alone: the ASCII ones except `'`, `,`, `-` and `.`.
fn is_sign(letter: char) -> bool {
    matches!(letter, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/')
}

/// Replaces the pairs of letters that `fits`, from the left; a letter belongs to one pair at most.
fn spaced(
    text: &[char],
    fits: impl Fn(char, char) -> bool,
    by: impl Fn(char, char) -> [char; 4],
) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut i = 0;
    while let Some(&letter) = text.get(i) {
        match text.get(i + 1) {
            Some(&next) if fits(letter, next) => {
                out.extend(by(letter, next));
                i += 2;
            }
            _ => {
                out.push(letter);
                i += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_13a() {
        for (line, want) in [
            ("Salut, Tom!", "Salut , Tom !"),
            (
                "j'ai 1,000.5 €, l'an 1990-2000.",
                "j'ai 1,000.5 € , l'an 1990 - 2000 .",
            ),
            ("a,,b &amp; (c/d)", "a , , b & ( c / d )"),
            ("«\u{a0}oui\u{a0}»", "« oui »"),
            ("", ""),
        ] {
            assert_eq!(tokenized(line).join(" "), want, "{line}");
        }
    }
}
