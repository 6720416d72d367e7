//! AG News (chapters 12 and 13): titles and first sentences of news in four classes, 120,000 for training and 7,600 for testing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::fetch::{Bundle, Found, Places, PublishedFile, file_in};
use super::vocabulary::{PAD, Vocabulary, basic_english_all};
use super::{DataOptions, LabeledSequences, Source, Split, invented_news};
use crate::{Error, Result};

/// The classes, in the order of their numbers.
pub const NEWS_CLASSES: [&str; 4] = ["world", "sports", "business", "sci/tech"];
/// How often a word has to occur in the training texts to be in the vocabulary.
pub const NEWS_LEAST: usize = 10;

/// The published training file has 29 MB.
const LARGEST_FILE: u64 = 64 << 20;
/// A longer text is no piece of news: the longest has 1,012 characters.
const LONGEST: usize = 10_000;
const FOLDERS: &[&str] = &["ag_news_csv", ""];
const TEST: PublishedFile = PublishedFile {
    name: "test.csv",
    bytes: 1_857_427,
    sha256: "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699",
};

/// The files as they are published.
const NEWS: Bundle = Bundle {
    name: "AG News",
    folders: FOLDERS,
    accepts_bare: |folder| is_news(folder, "train.csv"),
    package: None,
    mirrors: &[
        "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/555590db4219b1243abb1918effd6a7425a2d75f/data/ag_news_csv/",
        "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/",
    ],
    files: &[
        PublishedFile {
            name: "train.csv",
            bytes: 29_470_338,
            sha256: "76a0a2d2f92b286371fe4d4044640910a04a803fdd2538e0f3f29a5c6f6b672e",
        },
        TEST,
    ],
};

/// Some of the training texts, under a name that says so, and the test file.
const PART: Bundle = Bundle {
    accepts_bare: |folder| is_news(folder, "train_subset.csv"),
    mirrors: &[],
    files: &[
        PublishedFile {
            name: "train_subset.csv",
            bytes: 1_235_056,
            sha256: "0905e124034ce213151e1a7437a0ce68003a9b6d278c580d71980d837f682d05",
        },
        TEST,
    ],
    ..NEWS
};

/// Whether the file begins as a file of this set does: with a class in quotes, a comma and a quote.
fn is_news(folder: &Path, name: &str) -> bool {
    let mut start = [0; 5];
    let read = file_in(folder, name).map(|path| File::open(path)?.read_exact(&mut start));
    matches!(read, Some(Ok(())))
        && matches!(
            &start,
            b"\"1\",\"" | b"\"2\",\"" | b"\"3\",\"" | b"\"4\",\""
        )
}

/// Texts and the numbers of their classes in [`NEWS_CLASSES`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Title, blank, first sentences.
    pub texts: Vec<String>,
    /// A class per text.
    pub labels: Vec<u8>,
}

impl News {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The first `n` texts, or all of them if there are fewer.
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self {
            texts: self.texts[..n].to_vec(),
            labels: self.labels[..n].to_vec(),
        }
    }
}

/// The texts of AG News in the order of the files. A folder that the user named may have some of the training texts only
/// (`train_subset.csv`). Where there is neither, invented news stand in.
///
/// # Errors
/// [`Error::Data`] for damaged files, and when only real data will do and there is none; [`Error::Usage`] for a data folder that
/// does not exist.
pub fn ag_news(options: &DataOptions) -> Result<Split<News>> {
    load(&Places::new(options))
}

/// The same as numbers of words: [`basic_english`](super::basic_english) words of the training texts that occur [`NEWS_LEAST`] times (20,647
/// with BOS, EOS, PAD and `<unk>` for all of AG News), each text between BOS and EOS, batches filled up with PAD.
///
/// # Errors
/// Never for what [`ag_news`] gives: [`Error::Data`] when a class has no name.
pub fn ag_news_words(news: &Split<News>) -> Result<(Split<LabeledSequences>, Vocabulary)> {
    let train = basic_english_all(&news.train.texts);
    let vocabulary = Vocabulary::new(&train, NEWS_LEAST);
    let encode = |words: &[Vec<String>], labels: &[u8]| {
        let sequences = vocabulary.encode_all(words);
        let names = NEWS_CLASSES.map(String::from).to_vec();
        let set = LabeledSequences::new(sequences, labels.to_vec(), names)?;
        Ok::<_, Error>(LabeledSequences {
            padding: PAD,
            ..set
        })
    };
    let split = Split {
        train: encode(&train, &news.train.labels)?,
        test: encode(&basic_english_all(&news.test.texts), &news.test.labels)?,
        source: news.source.clone(),
    };
    Ok((split, vocabulary))
}

fn load(places: &Places) -> Result<Split<News>> {
    let (train, test, origin, real) = match places.find_or_part(&NEWS, &PART)? {
        Found::Folder { path, origin } => {
            let file = |names: &[&str]| {
                let gone = || Error::Data(format!("{}: {} is gone", path.display(), names[0]));
                let file = names.iter().find_map(|name| file_in(&path, name));
                read(&file.ok_or_else(gone)?).map_err(|error| places.explain(error, &path))
            };
            let train = file(&["train.csv", "train_subset.csv"])?;
            (train, file(&["test.csv"])?, origin, true)
        }
        Found::Nothing { reason } => {
            places.stand_in(&NEWS, &reason, invented_news::ORIGIN)?;
            let [train, test] = invented_news::invent();
            (train, test, invented_news::ORIGIN.into(), false)
        }
    };
    let source = Source {
        name: NEWS.name.to_string(),
        origin,
        real,
        train: train.len(),
        test: test.len(),
    };
    Ok(Split {
        train,
        test,
        source,
    })
}

/// The texts of a file: comma-separated class (from 1), title and description, each in quotes.
fn read(path: &Path) -> Result<News> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Error::Data(format!(
            "{}: is larger than 64 MB, too much for news",
            path.display()
        )));
    }
    let mut news = News::default();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes.as_slice());
    for row in reader.byte_records() {
        let bad =
            |line: u64, why: &str| Error::Data(format!("{}: line {line} {why}", path.display()));
        let row = row.map_err(|error| Error::Data(format!("{}: {error}", path.display())))?;
        let line = row.position().map_or(0, csv::Position::line);
        let mut fields = row.iter();
        let label = match fields.next() {
            Some(&[digit @ b'1'..=b'4']) => digit - b'1',
            _ => return Err(bad(line, "does not begin with a class from 1 to 4")),
        };
        let text = fields.collect::<Vec<_>>().join(&b' ');
        let text = String::from_utf8(text).map_err(|_| bad(line, "is not UTF-8 text"))?;
        if text.trim().is_empty() {
            return Err(bad(line, "has no text"));
        }
        if text.len() > LONGEST {
            return Err(bad(line, "is longer than any news: a quote may be missing"));
        }
        news.labels.push(label);
        news.texts.push(text);
    }
    match news.is_empty() {
        true => Err(Error::Data(format!("{}: has no text", path.display()))),
        false => Ok(news),
    }
}

#[cfg(test)]
mod tests;
