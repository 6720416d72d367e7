//! Texts to words, words to numbers: the tokenizer `basic_english` and the vocabulary of torchtext (chapter 12).

use std::collections::HashMap;
use std::path::Path;

use super::Sequences;
use crate::files::write_atomic;
use crate::{Error, Result};

/// Any word that the vocabulary lacks.
pub const UNK: u32 = 0;
/// Before the first word of a text.
pub const BOS: u32 = 1;
/// After the last word of a text.
pub const EOS: u32 = 2;
/// Fills up the shorter texts of a batch.
pub const PAD: u32 = 3;
/// How UNK, BOS, EOS and PAD are written.
const SIGNS: [&str; 4] = ["<unk>", "<BOS>", "<EOS>", "<PAD>"];

/// The words of a text as torchtext's `basic_english` splits it: in lower case; `' . , ( ) ! ?` are words of their own; `"` is deleted; `;`,
/// `:` and `<br />` divide as blanks do.
pub fn basic_english(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace('"', "").replace("<br />", " ");
    let mut spaced = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '\'' | '.' | ',' | '(' | ')' | '!' | '?' => spaced.extend([' ', letter, ' ']),
            ';' | ':' => spaced.push(' '),
            _ => spaced.push(letter),
        }
    }
    // Python counts four control characters as blanks too.
    let is_blank = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    let words = spaced.split(is_blank).filter(|word| !word.is_empty());
    words.map(String::from).collect()
}

/// The words of many texts.
pub fn basic_english_all(texts: &[String]) -> Vec<Vec<String>> {
    texts.iter().map(|text| basic_english(text)).collect()
}

/// Words and their numbers: `<unk>`, `<BOS>`, `<EOS>`, `<PAD>`, then the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Vocabulary {
    /// The words that occur at least `least` times in these texts, the most frequent first; of equally frequent ones the first in the
    /// alphabet (Unicode code points) first, as torchtext's `Vocab` sorts a `Counter`.
    pub fn new(texts: &[Vec<String>], least: usize) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in texts.iter().flatten() {
            *counts.entry(word).or_default() += 1;
        }
        let is_kept = |(word, count): &(&str, usize)| *count >= least && !SIGNS.contains(word);
        let mut counts: Vec<(&str, usize)> = counts.into_iter().filter(is_kept).collect();
        counts.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        let words = counts.into_iter().map(|(word, _)| word);
        Self::of(SIGNS.into_iter().chain(words).map(String::from).collect())
    }

    fn of(words: Vec<String>) -> Self {
        let numbered = words.iter().cloned().zip(0..);
        let numbers = numbered.collect();
        Self { words, numbers }
    }

    /// Number of words, the four signs among them.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none; never.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The number of a word, [`UNK`] if it is not known.
    pub fn number(&self, word: &str) -> u32 {
        self.numbers.get(word).copied().unwrap_or(UNK)
    }

    /// The word of a number; `<unk>` if there is none.
    pub fn word(&self, number: u32) -> &str {
        let word = self.words.get(number as usize);
        word.map_or(SIGNS[0], String::as_str)
    }

    /// [`BOS`], the numbers of the words, [`EOS`].
    pub fn encode(&self, words: &[String]) -> Vec<u32> {
        let numbers = words.iter().map(|word| self.number(word));
        [BOS].into_iter().chain(numbers).chain([EOS]).collect()
    }

    /// [`encode`](Self::encode) of all texts.
    pub fn encode_all(&self, texts: &[Vec<String>]) -> Sequences {
        let mut all = Sequences::default();
        texts.iter().for_each(|words| all.push(&self.encode(words)));
        all
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
        let vocabulary = Self::of(text.split_terminator('\n').map(String::from).collect());
        let starts = vocabulary.words.iter().take(SIGNS.len()).eq(SIGNS.iter());
        if !starts || vocabulary.numbers.len() != vocabulary.len() {
            return Err(Error::Data(format!(
                "{}: is no vocabulary: {} and then different words, a line each",
                path.display(),
                SIGNS.join(", ")
            )));
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> String {
        basic_english(text).join(" ")
    }

    #[test]
    fn texts_are_split_as_torchtext_splits_them() {
        assert_eq!(
            words("Wall St. Bears Claw Back Into the Black (Reuters)"),
            "wall st . bears claw back into the black ( reuters )"
        );
        assert_eq!(words("It's \"so\"; 9:30?!"), "it ' s so 9 30 ? !");
        assert_eq!(words("a<br />b <BR /> c<br/>d"), "a b c<br/>d");
        // Quotes go first, so that what they part grows together.
        assert_eq!(words("in\"side <br\" />x"), "inside x");
        // Backslashes, hyphens and other signs stay inside of words.
        assert_eq!(
            words("dwindling\\band ultra-cynics #36;1 $5"),
            "dwindling\\band ultra-cynics #36 1 $5"
        );
        assert_eq!(words("U.S.,000"), "u . s . , 000");
        assert_eq!(words(" \t\u{a0}x\u{3000}y\x1cz\n"), "x y z");
        assert_eq!(words("ÄRGER İ ΣΑΣ"), "ärger i\u{307} σας");
        assert_eq!(words(" \"\" ; : "), "");
    }

    #[test]
    fn frequent_words_come_first_and_equal_ones_by_the_alphabet() {
        let texts = basic_english_all(&[
            "b b a a c, Zebra é <PAD>".to_string(),
            "c. b zebra é z <pad> <PAD>".to_string(),
        ]);
        let vocabulary = Vocabulary::new(&texts, 2);
        let all: Vec<&str> = (0..vocabulary.len() as u32)
            .map(|i| vocabulary.word(i))
            .collect();
        assert_eq!(
            all,
            [
                "<unk>", "<BOS>", "<EOS>", "<PAD>", "<pad>", "b", "a", "c", "zebra", "é"
            ]
        );
        assert_eq!(vocabulary.number("z"), UNK);
        assert_eq!(vocabulary.word(99), "<unk>");
        assert_eq!(
            vocabulary.encode(&basic_english("B é Q")),
            [BOS, 5, 9, UNK, EOS]
        );
        assert_eq!(vocabulary.encode(&[]), [BOS, EOS]);
        assert_eq!(vocabulary.encode_all(&texts).get(1).len(), 10);
    }

    #[test]
    fn a_vocabulary_is_saved_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.txt");
        let texts = basic_english_all(&["one two two x\u{85}y z\\n".to_string()]);
        let vocabulary = Vocabulary::new(&texts, 1);
        vocabulary.save(&path).unwrap();
        assert_eq!(Vocabulary::load(&path).unwrap(), vocabulary);
        for bad in ["", "a\nb\n", "<unk>\n<BOS>\n<EOS>\n<PAD>\ntwo\ntwo\n"] {
            std::fs::write(&path, bad).unwrap();
            let error = Vocabulary::load(&path).unwrap_err().to_string();
            assert!(error.contains("is no vocabulary"), "{error}");
        }
        assert!(Vocabulary::load(&folder.path().join("none")).is_err());
    }

    proptest! {
        #[test]
        fn words_have_no_blank_and_are_known_again(texts in prop::collection::vec(".*", 0..6)) {
            let texts = basic_english_all(&texts);
            let vocabulary = Vocabulary::new(&texts, 1);
            for word in texts.iter().flatten() {
                prop_assert!(!word.is_empty() && !word.contains(char::is_whitespace));
                prop_assert_eq!(vocabulary.word(vocabulary.number(word)), word);
            }
        }
    }
}
