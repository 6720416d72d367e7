//! Texts to pieces of words, as BERT reads them (section 13.4.1).

use std::collections::HashMap;
use std::path::Path;

use common::{Error, Result};
use regex_syntax::hir::{Class, HirKind};
use unicode_normalization::UnicodeNormalization;

/// Signs that every vocabulary of BERT has: what fills up shorter texts, a word that can't be put together, and what is before and behind a text.
const SIGNS: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
/// A vocabulary of BERT in 100 languages has 1 MB.
const LARGEST: u64 = 16 << 20;
/// Letters of the longest word that is put together.
const LONGEST_WORD: usize = 100;

/// A set of characters that Unicode defines.
#[derive(Clone, Debug)]
struct Characters(Vec<(char, char)>);

impl Characters {
    /// The characters of a class in the notation of regular expressions, such as `\p{P}`.
    fn of(class: &str) -> Result<Self> {
        let bad = || Error::Usage(format!("{class}: no class of characters"));
        let parsed = regex_syntax::parse(class).map_err(|_| bad())?;
        match parsed.kind() {
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges().iter();
                Ok(Self(ranges.map(|r| (r.start(), r.end())).collect()))
            }
            _ => Err(bad()),
        }
    }

    fn contains(&self, c: char) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= c);
        after > 0 && c <= self.0[after - 1].1
    }
}

/// WordPiece (Schuster and Nakajima 2012; Devlin et al. 2019): a text in lower case without accents, words cut into the longest pieces that the
/// vocabulary knows, `[CLS]` in front and `[SEP]` behind. What comes out is what Hugging Face's tokenizer of `bert-base-uncased` makes of
/// a text in which no sign is spelled out.
#[derive(Clone, Debug)]
pub struct Pieces {
    pieces: Vec<String>,
    numbers: HashMap<String, u32>,
    /// Of the [`SIGNS`].
    signs: [u32; 4],
    controls: Characters,
    accents: Characters,
    punctuation: Characters,
}

impl Pieces {
    /// Reads a vocabulary: a piece per line, those that continue a word with `##` in front.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] when it is no vocabulary of BERT.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |why: String| {
            let path = path.display();
            Error::Data(format!("{path}: is no vocabulary of BERT: {why}"))
        };
        let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
        if size > LARGEST {
            return Err(bad(format!("it has {size} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let pieces: Vec<String> = text.lines().map(|line| line.trim_end().into()).collect();
        let numbers: HashMap<String, u32> = pieces.iter().cloned().zip(0..).collect();
        let mut signs = [0; 4];
        for (number, sign) in signs.iter_mut().zip(SIGNS) {
            let found = numbers.get(sign);
            *number = *found.ok_or_else(|| bad(format!("it lacks {sign}")))?;
        }
        Ok(Self {
            pieces,
            numbers,
            signs,
            controls: Characters::of(r"[\p{Cc}\p{Cf}\p{Co}]")?,
            accents: Characters::of(r"\p{Mn}")?,
            punctuation: Characters::of(r"[\p{P}$+<=>^`|~]")?,
        })
    }

    /// The numbers of a text's pieces between those of `[CLS]` and `[SEP]`, `longest` of them at most.
    pub fn encode(&self, text: &str, longest: usize) -> Vec<u32> {
        let [_, _, cls, sep] = self.signs;
        let mut numbers = vec![cls];
        for word in self.words(text) {
            self.cut(&word, &mut numbers);
            if numbers.len() >= longest {
                break;
            }
        }
        numbers.truncate(longest.saturating_sub(1).max(1));
        numbers.push(sep);
        numbers
    }

    /// Words and signs of punctuation, in lower case and without accents.
    fn words(&self, text: &str) -> Vec<String> {
        let is_kept = |&c: &char| {
            let is_blank = matches!(c, '\t' | '\n' | '\r');
            is_blank || !(c == '\u{fffd}' || self.controls.contains(c))
        };
        let kept = text.chars().filter(is_kept);
        // Each Chinese character is a word.
        let spaced = kept.flat_map(|c| match is_chinese(c) {
            true => [Some(' '), Some(c), Some(' ')],
            false => [Some(c), None, None],
        });
        let plain = spaced
            .flatten()
            .nfd()
            .filter(|&c| !self.accents.contains(c));
        let mut words = Vec::new();
        let mut word = String::new();
        for c in plain.flat_map(char::to_lowercase) {
            let is_sign = self.punctuation.contains(c);
            if is_sign || c.is_whitespace() {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if is_sign {
                    words.push(c.into());
                }
            } else {
                word.push(c);
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
        words
    }

    /// Adds the numbers of a word's pieces: always the longest piece that the rest begins with.
    fn cut(&self, word: &str, numbers: &mut Vec<u32>) {
        let (before, unknown) = (numbers.len(), self.signs[1]);
        if word.chars().count() > LONGEST_WORD {
            return numbers.push(unknown);
        }
        let ends: Vec<usize> = word
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .collect();
        let mut start = 0;
        while start < word.len() {
            let longest_first = ends.iter().rev().take_while(|&&end| end > start);
            let found = longest_first.copied().find_map(|end| {
                let piece = &word[start..end];
                let number = match start {
                    0 => self.numbers.get(piece),
                    _ => self.numbers.get(&format!("##{piece}")),
                };
                number.map(|number| (*number, end))
            });
            let Some((number, end)) = found else {
                numbers.truncate(before);
                return numbers.push(unknown);
            };
            numbers.push(number);
            start = end;
        }
    }

    /// The piece of a number; `[UNK]` if there is none.
    pub fn piece(&self, number: u32) -> &str {
        let piece = self.pieces.get(number as usize);
        piece.map_or(SIGNS[1], String::as_str)
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is none; never.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The number that fills up shorter texts.
    pub fn padding(&self) -> u32 {
        self.signs[0]
    }
}

/// The blocks of Unicode that BERT takes for Chinese.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F | 0x2B740..=0x2B81F
        | 0x2B820..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_into_the_longest_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocab.txt");
        let vocabulary =
            "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\nunaf\n##aff\n##fable\n##able\n.\ncafe\n中\n";
        std::fs::write(&path, vocabulary).unwrap();
        let pieces = Pieces::load(&path).unwrap();
        let read = |text: &str| -> Vec<String> {
            let numbers = pieces.encode(text, 8);
            let names = numbers
                .iter()
                .map(|&number| pieces.piece(number).to_string());
            names.collect()
        };
        assert_eq!(
            read("Unaffable."),
            ["[CLS]", "unaf", "##fable", ".", "[SEP]"]
        );
        assert_eq!(read("unx CAFÉ"), ["[CLS]", "[UNK]", "cafe", "[SEP]"]);
        // "unaf" leaves an "f", which no piece has: a shorter start is not tried.
        assert_eq!(read("中un\u{200b}aff"), ["[CLS]", "中", "[UNK]", "[SEP]"]);
        assert_eq!(read(&"u".repeat(101)), ["[CLS]", "[UNK]", "[SEP]"]);
        assert_eq!(read(&". ".repeat(20)).len(), 8);
        assert_eq!(read(""), ["[CLS]", "[SEP]"]);
        assert_eq!(pieces.piece(99), "[UNK]");
    }
}
