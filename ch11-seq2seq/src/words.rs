//! Sentences to words, words to numbers: one vocabulary for both languages (section 11.2).

use std::collections::HashMap;
use std::path::Path;

use common::data::SentencePair;
use common::files::write_atomic;
use common::{Error, Result};

/// Fills up the shorter sentences of a batch.
pub const PAD: u32 = 0;
/// Before the first word of a source.
pub const SOS: u32 = 1;
/// After the last word of a sentence.
pub const EOS: u32 = 2;
/// Words of the longer sentence of a pair, at most.
pub const LONGEST: usize = 6;
/// How PAD, SOS and EOS are written.
const SIGNS: [&str; 3] = ["<pad>", "<sos>", "<eos>"];

/// A sentence in lower case, with a space for each run of `-`, `.`, `!` and `?`.
pub fn normalized(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut in_run = false;
    for letter in sentence.to_lowercase().chars() {
        let is_sign = matches!(letter, '-' | '.' | '!' | '?');
        if !is_sign {
            text.push(letter);
        } else if !in_run {
            text.push(' ');
        }
        in_run = is_sign;
    }
    text.trim().to_string()
}

/// The words of a sentence: what spaces divide once it is [`normalized`].
pub fn words(sentence: &str) -> Vec<String> {
    let text = normalized(sentence);
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(String::from).collect()
}

/// The words of those pairs of which neither side has more than [`LONGEST`].
///
/// The book counts a second space as the end of one more word; so does this, to keep the book's pairs. Such words of no letter are then left
/// out.
pub fn short_pairs(pairs: &[SentencePair]) -> Vec<[Vec<String>; 2]> {
    let is_short = |sentence: &String| normalized(sentence).split(' ').count() <= LONGEST;
    let short = pairs.iter().filter(|pair| pair.iter().all(is_short));
    let split = short.map(|pair| [words(&pair[0]), words(&pair[1])]);
    split
        .filter(|pair| pair.iter().all(|side| !side.is_empty()))
        .collect()
}

/// Those pairs of whose words each occurs at least `least` times in all of them.
pub fn of_common_words(pairs: Vec<[Vec<String>; 2]>, least: usize) -> Vec<[Vec<String>; 2]> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in pairs.iter().flatten().flatten() {
        *counts.entry(word.clone()).or_default() += 1;
    }
    let is_common = |word: &String| counts.get(word).is_some_and(|&count| count >= least);
    let mut pairs = pairs;
    pairs.retain(|pair| pair.iter().flatten().all(is_common));
    pairs
}

/// The words of both languages and their numbers, in the order in which they appear; 24,577 for the whole data set, in which the book also
/// counts a word of no letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        let mut empty = Self {
            words: Vec::new(),
            numbers: HashMap::new(),
        };
        SIGNS.into_iter().for_each(|sign| empty.add(sign));
        empty
    }
}

impl Vocabulary {
    /// The words of these pairs, those of a source before those of its target.
    pub fn new(pairs: &[[Vec<String>; 2]]) -> Self {
        let mut vocabulary = Self::default();
        for word in pairs.iter().flatten().flatten() {
            vocabulary.add(word);
        }
        vocabulary
    }

    fn add(&mut self, word: &str) {
        if !self.numbers.contains_key(word) {
            self.numbers
                .insert(word.to_string(), self.words.len() as u32);
            self.words.push(word.to_string());
        }
    }

    /// Number of words, PAD, SOS and EOS among them.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none; never.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The number of a word, if it is known.
    pub fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }

    /// The word of a number; `?` if there is none.
    pub fn word(&self, number: u32) -> &str {
        let word = self.words.get(number as usize);
        word.map_or("?", String::as_str)
    }

    /// The words of these numbers, without PAD, SOS and EOS, with spaces between them.
    pub fn text(&self, numbers: &[u32]) -> String {
        let words = numbers.iter().filter(|&&number| number > EOS);
        let words: Vec<&str> = words.map(|&number| self.word(number)).collect();
        words.join(" ")
    }

    /// SOS, the words, EOS; and the words that are not known, which are left out.
    pub fn source(&self, words: &[String]) -> (Vec<u32>, Vec<String>) {
        let mut numbers = vec![SOS];
        let mut unknown = Vec::new();
        for word in words {
            match self.number(word) {
                Some(number) => numbers.push(number),
                None => unknown.push(word.clone()),
            }
        }
        numbers.push(EOS);
        (numbers, unknown)
    }

    /// The words and EOS; words that are not known are left out.
    pub fn target(&self, words: &[String]) -> Vec<u32> {
        let known = words.iter().filter_map(|word| self.number(word));
        known.chain([EOS]).collect()
    }

    /// Writes a word per line.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomic(path, (self.words.join("\n") + "\n").as_bytes())
    }

    /// Reads what [`save`](Self::save) has written.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] when it is no vocabulary.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let mut vocabulary = Self::default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().for_each(|word| vocabulary.add(word));
        if lines.get(..SIGNS.len()) != Some(&SIGNS[..]) || vocabulary.len() != lines.len() {
            return Err(Error::Data(format!(
                "{}: is no vocabulary: {} and then different words, a line each",
                path.display(),
                SIGNS.join(", ")
            )));
        }
        Ok(vocabulary)
    }
}
