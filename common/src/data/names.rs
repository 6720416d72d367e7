//! Surnames of 18 languages (chapters 4 and 6): 18 files of a name per line, which PyTorch's tutorial on character networks made
//! known. Languages differ in size: nearly half of the names are Russian.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::fetch::{Bundle, Found, Places, PublishedFile, file_in};
use super::{DataOptions, LabeledSequences, Sequences, Source, Split, invented_names};
use crate::{Error, Result};

/// The languages, in the order of their class numbers.
pub const LANGUAGES: [&str; 18] = [
    "Arabic",
    "Chinese",
    "Czech",
    "Dutch",
    "English",
    "French",
    "German",
    "Greek",
    "Irish",
    "Italian",
    "Japanese",
    "Korean",
    "Polish",
    "Portuguese",
    "Russian",
    "Scottish",
    "Spanish",
    "Vietnamese",
];

/// The 57 symbols of a name; a symbol's token number is its place. Names are lower-cased, so that 26 of them are never used.
pub const NAME_ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'";

/// A longer line is no name.
const LONGEST: usize = 100;
/// The largest of the files has 85 kB.
const LARGEST_FILE: u64 = 1 << 20;

const fn file(name: &'static str, bytes: u64, sha256: &'static str) -> PublishedFile {
    PublishedFile {
        name,
        bytes,
        sha256,
    }
}

/// The files as their author published them. The tutorial's `data.zip` has the same folder `data/names` with 24 Russian names more, which
/// `--data-dir` takes too.
const NAMES: Bundle = Bundle {
    name: "surnames of 18 languages",
    folders: &["names", "data/names", ""],
    accepts_bare: |folder| {
        LANGUAGES
            .iter()
            .all(|l| folder.join(format!("{l}.txt")).is_file())
    },
    package: None,
    mirrors: &[
        "https://raw.githubusercontent.com/spro/practical-pytorch/c520c52e68e945d88fff563dba1c028b6ec0197b/data/names/",
        "https://cdn.jsdelivr.net/gh/spro/practical-pytorch@c520c52e68e945d88fff563dba1c028b6ec0197b/data/names/",
    ],
    files: &[
        file(
            "Arabic.txt",
            13190,
            "6f424a8dbe51cbbbabab7a57d38b617210125e4e3991f3c657cb79b8f104bafc",
        ),
        file(
            "Chinese.txt",
            1246,
            "09ba8f1f7e38dbc99372d461b26ad4433b811fc6bfa6a3ecca6fe11a9a777465",
        ),
        file(
            "Czech.txt",
            3916,
            "e17ab0ec47616a72c39cb85c783f70c3663ab64488721e5d8378f146d2226be7",
        ),
        file(
            "Dutch.txt",
            2351,
            "924f32b635170eae561f84538632138fc07d4c8bbd70ba3fb980de1ecc4d2af3",
        ),
        file(
            "English.txt",
            27125,
            "9cca037066d3d5989e24bc01801416162de506b5e28e15b7c092a47905d29bf2",
        ),
        file(
            "French.txt",
            2178,
            "81e65b36c60ed5b89a17422f6edcadbb89546f38ad69e960e64e7ba682012a95",
        ),
        file(
            "German.txt",
            5610,
            "7449cd590b97a733e18d613a4155decd77ec35dc5f8aadd7a82204dce4f051db",
        ),
        file(
            "Greek.txt",
            1981,
            "3555b5186de7f401e6d991b088e9e644ca3099116477818c25ab5793801389e6",
        ),
        file(
            "Irish.txt",
            1858,
            "cf8c7013256252a88d2503127b87282a11f21b2ff6db1bded68834c19a1ec058",
        ),
        file(
            "Italian.txt",
            5657,
            "f88414c27d0606a11a678b4859277828c2565d6cc4d9ee932deef6e94f3b35e4",
        ),
        file(
            "Japanese.txt",
            7622,
            "e0e717e114fec3e7eade4d9dabe0067c475f43147e36a22b47902ee76ad9e67f",
        ),
        file(
            "Korean.txt",
            423,
            "cd54221ccb362a6cba4c78828838cf3268a0e59744767a37cf6ec4b74036b136",
        ),
        file(
            "Polish.txt",
            1165,
            "45bab898af2f60ed3a728bbf6980e28821011a7caa53227553b5785903a40826",
        ),
        file(
            "Portuguese.txt",
            554,
            "50a8735f41f4f73757c8ce5b16cb0275cd86b2b214bcbc8c9805f508cb131c53",
        ),
        file(
            "Russian.txt",
            85168,
            "0cfe53ac18041e8f63666aa77313e0a3ff378facb132abee052d8ebdc8c3d62c",
        ),
        file(
            "Scottish.txt",
            752,
            "78d0252711d87d948ea86fe34826c51d2d794a8e52d15b5d6f7b6244d45d62dd",
        ),
        file(
            "Spanish.txt",
            2284,
            "1bcb462ed3316756a85781d68232bddae04498fdddd5d9219c53fd1fbdeba7a7",
        ),
        file(
            "Vietnamese.txt",
            339,
            "f3f9e4164ab47601178a6e45b216464a64122f49d05541f24bf18a757253281d",
        ),
    ],
};

/// A name as a network reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelled {
    /// Lower case, without accents, and without what is not in the alphabet.
    pub text: String,
    /// The numbers of its symbols in [`NAME_ALPHABET`].
    pub ids: Vec<u32>,
    /// Letters that were left out because neither they nor their base letters are in the alphabet.
    pub left_out: Vec<char>,
}

/// Brings a name to the alphabet as the book does: Unicode NFD, without combining marks and all that is not in the alphabet, in
/// lower case. `Müller` becomes `muller`; of `Błok` the ł, which has no base letter in Unicode, is left out.
pub fn spell(name: &str) -> Spelled {
    let mut spelled = Spelled {
        text: String::new(),
        ids: Vec::new(),
        left_out: Vec::new(),
    };
    for symbol in name.nfd().filter(|symbol| !is_combining_mark(*symbol)) {
        let lower = symbol.to_ascii_lowercase();
        match NAME_ALPHABET
            .bytes()
            .position(|known| char::from(known) == lower)
        {
            Some(id) => {
                spelled.text.push(lower);
                spelled.ids.push(id as u32);
            }
            None => spelled.left_out.push(symbol),
        }
    }
    spelled
}

/// Surnames with the number of their language in [`LANGUAGES`]: `test` of them (at most half), drawn at random with `seed`, for testing and
/// the others for training, both in random order. Where the files can't be had, invented names stand in.
///
/// # Errors
/// [`Error::Data`] for damaged files, and when only real data will do and there is none; [`Error::Usage`] for a data folder that
/// does not exist.
pub fn surnames(options: &DataOptions, test: usize, seed: u64) -> Result<Split<LabeledSequences>> {
    load(&Places::new(options), test, seed)
}

fn load(places: &Places, test: usize, seed: u64) -> Result<Split<LabeledSequences>> {
    let (names, origin, real) = match places.find(&NAMES)? {
        Found::Folder { path, origin } => {
            let names = read_folder(&path).map_err(|error| places.explain(error, &path))?;
            (names, origin, true)
        }
        Found::Nothing { reason } => {
            places.stand_in(&NAMES, &reason, invented_names::ORIGIN)?;
            (
                invented_names::invent(),
                invented_names::ORIGIN.into(),
                false,
            )
        }
    };
    let (train, test) = split(names, test, seed)?;
    let source = Source {
        name: NAMES.name.to_string(),
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

/// Token numbers and language.
pub(super) type Name = (Vec<u32>, u8);

fn split(
    mut names: Vec<Name>,
    test: usize,
    seed: u64,
) -> Result<(LabeledSequences, LabeledSequences)> {
    names.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let (test, train) = names.split_at(test.min(names.len() / 2));
    let set = |names: &[Name]| {
        let sequences: Sequences = names.iter().map(|(ids, _)| ids.as_slice()).collect();
        let labels = names.iter().map(|(_, language)| *language).collect();
        LabeledSequences::new(sequences, labels, LANGUAGES.map(String::from).to_vec())
    };
    Ok((set(train)?, set(test)?))
}

/// The names of all languages.
fn read_folder(folder: &Path) -> Result<Vec<Name>> {
    let mut names = Vec::new();
    for (language, file) in NAMES.files.iter().enumerate() {
        let gone = || Error::Data(format!("{}: {} is gone", folder.display(), file.name));
        let path = file_in(folder, file.name).ok_or_else(gone)?;
        let text = read_text(&path)?;
        let before = names.len();
        for (number, line) in text.lines().enumerate() {
            let ids = spell(line).ids;
            if ids.len() > LONGEST {
                return Err(Error::Data(format!(
                    "{}: line {} has {} letters, which is no name",
                    path.display(),
                    number + 1,
                    ids.len()
                )));
            }
            if !line.trim().is_empty() && !ids.is_empty() {
                names.push((ids, language as u8));
            }
        }
        if names.len() == before {
            return Err(Error::Data(format!("{}: has no name", path.display())));
        }
    }
    Ok(names)
}

/// A text file of reasonable size.
fn read_text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Error::Data(format!(
            "{}: is larger than 1 MB, too much for a list of names",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1;
        Error::Data(format!("{}: line {line} is not UTF-8 text", path.display()))
    })
}

#[cfg(test)]
mod tests;
