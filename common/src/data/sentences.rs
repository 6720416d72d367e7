//! English sentences and their French translations (chapter 11): a pair per line, the shortest first, from the Tatoeba project, as PyTorch's
//! tutorial on translation made them known.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::fetch::{Bundle, Found, Places, PublishedFile, file_in};
use super::{DataOptions, Source, invented_sentences};
use crate::{Error, Result};

/// The file's name everywhere.
const FILE: &str = "eng-fra.txt";
/// The file has 10 MB; a newer edition may grow.
const LARGEST_FILE: u64 = 64 << 20;

const PAIRS: Bundle = Bundle {
    name: "English-French sentences",
    folders: &["eng-fra", "data", ""],
    accepts_bare: |folder| file_in(folder, FILE).is_some(),
    package: None,
    mirrors: &[
        "https://media.githubusercontent.com/media/LunaticMaestro/-NLP-_you_may_speak/ac2255b321b1b4ea8374836f7eaad796a0e1b171/data/",
    ],
    files: &[PublishedFile {
        name: FILE,
        bytes: 9_541_158,
        sha256: "6b0f3decdb78600485b58efb541f5a2ab69ba888742ac04180e013084e40de7c",
    }],
};

/// An English sentence and a French one that says the same.
pub type SentencePair = [String; 2];

/// The pairs in the order of the file, and where they came from. Where the file can't be had, sentences of a small grammar stand in. A part
/// of the file will do too.
///
/// # Errors
/// [`Error::Data`] for a damaged file, and when only real data will do and there is none; [`Error::Usage`] for a data folder that
/// does not exist.
pub fn english_french(options: &DataOptions) -> Result<(Vec<SentencePair>, Source)> {
    load(&Places::new(options))
}

fn load(places: &Places) -> Result<(Vec<SentencePair>, Source)> {
    let (pairs, origin, real) = match places.find(&PAIRS)? {
        Found::Folder { path, origin } => {
            let gone = || Error::Data(format!("{}: {FILE} is gone", path.display()));
            let file = file_in(&path, FILE).ok_or_else(gone)?;
            let pairs = read(&file).map_err(|error| places.explain(error, &path))?;
            (pairs, origin, true)
        }
        Found::Nothing { reason } => {
            places.stand_in(&PAIRS, &reason, invented_sentences::ORIGIN)?;
            let origin = invented_sentences::ORIGIN.to_string();
            (invented_sentences::invent(), origin, false)
        }
    };
    let source = Source {
        name: PAIRS.name.to_string(),
        origin,
        real,
        train: pairs.len(),
        test: 0,
    };
    Ok((pairs, source))
}

/// The pairs of a file: the first two fields of each line, which tabs divide.
fn read(path: &Path) -> Result<Vec<SentencePair>> {
    let bad = |line: usize, why: &str| {
        let line = line + 1;
        Error::Data(format!("{}: line {line} {why}", path.display()))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Error::Data(format!(
            "{}: is larger than 64 MB, too much for a list of sentences",
            path.display()
        )));
    }
    let mut pairs = Vec::new();
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = std::str::from_utf8(line).map_err(|_| bad(number, "is not UTF-8 text"))?;
        if line.trim().is_empty() {
            continue;
        }
        let mut fields = line.trim_end_matches('\r').split('\t');
        let (Some(english), Some(french)) = (fields.next(), fields.next()) else {
            return Err(bad(number, "has no tab between two sentences"));
        };
        pairs.push([english.to_string(), french.to_string()]);
    }
    if pairs.is_empty() {
        return Err(Error::Data(format!("{}: has no sentence", path.display())));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_fields_of_each_line_are_a_pair() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, "Go.\tVa !\r\n\nHi.\tSalut.\tCC-BY 2.0\n").unwrap();
        let (pairs, source) = load(&Places::offline(Some(folder.path()), false)).unwrap();
        assert_eq!(pairs, [["Go.", "Va !"], ["Hi.", "Salut."]]);
        assert!(source.real && source.train == 2, "{source:?}");
    }

    #[test]
    fn damaged_files_are_named_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data").join(FILE);
        std::fs::create_dir(folder.path().join("data")).unwrap();
        for (content, why) in [
            (&b"Go.\tVa !\nno tab here\n"[..], "line 2 has no tab"),
            (b"Go.\t\xff\xfe\n", "line 1 is not UTF-8"),
            (b"\n\n", "has no sentence"),
        ] {
            std::fs::write(&file, content).unwrap();
            let said = load(&Places::offline(Some(folder.path()), false))
                .unwrap_err()
                .to_string();
            assert!(said.contains(FILE) && said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_stand_in_says_so_and_real_data_only_refuses_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut places = Places::offline(Some(folder.path()), false);
        let (pairs, source) = load(&places).unwrap();
        assert!(!source.real && source.origin.contains("built in"));
        assert_eq!(source.train, pairs.len());
        places.require_real = true;
        let error = load(&places).unwrap_err().to_string();
        assert!(error.contains("eng-fra.txt (9541158 bytes)"), "{error}");
    }
}
