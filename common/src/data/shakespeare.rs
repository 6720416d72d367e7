//! A million characters of Shakespeare's plays (chapter 7), the file that char-rnn made known as "tinyshakespeare".
//!
//! The book takes another file, `shakespear.txt` of the same author: 99,993 characters, which a network had written.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::fetch::{Bundle, Found, Places, PublishedFile, file_in};
use super::{DataOptions, Source, invented_verse};
use crate::{Error, Result};

/// No play is larger.
const LARGEST_FILE: u64 = 16 << 20;
const BYTES: u64 = 1_115_394;
const SHA256: &str = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed";

/// The text as it is published.
const PLAYS: Bundle = Bundle {
    name: "tinyshakespeare",
    folders: &["tinyshakespeare"],
    accepts_bare: |_| false,
    package: None,
    mirrors: &[
        "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/",
        "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/",
    ],
    files: &[PublishedFile {
        name: "input.txt",
        bytes: BYTES,
        sha256: SHA256,
    }],
};

/// The same under a name that says what it is, directly in a data folder.
const RENAMED: Bundle = Bundle {
    folders: &[""],
    accepts_bare: |_| true,
    mirrors: &[],
    files: &[PublishedFile {
        name: "tinyshakespeare.txt",
        bytes: BYTES,
        sha256: SHA256,
    }],
    ..PLAYS
};

/// The plays, 1,115,394 characters, and where they came from. Where they can't be had, invented verse stands in.
///
/// # Errors
/// [`Error::Data`] for a file that is no text, and when only the plays will do and there are none; [`Error::Usage`] for a data
/// folder that does not exist.
pub fn shakespeare(options: &DataOptions) -> Result<(String, Source)> {
    load(&Places::new(options))
}

fn load(places: &Places) -> Result<(String, Source)> {
    let here = Places {
        named: places.named.clone(),
        cache: None,
        network: None,
        ..*places
    };
    let found = match here.find(&RENAMED)? {
        Found::Nothing { .. } => places.find(&PLAYS)?,
        found => found,
    };
    let (text, origin, real) = match found {
        Found::Folder { path, origin } => {
            let text = read(&path).map_err(|error| places.explain(error, &path))?;
            (text, origin, true)
        }
        Found::Nothing { reason } => {
            places.stand_in(&PLAYS, &reason, invented_verse::ORIGIN)?;
            let text = invented_verse::invent();
            (text, invented_verse::ORIGIN.into(), false)
        }
    };
    let source = Source {
        name: PLAYS.name.to_string(),
        origin,
        real,
        train: 0,
        test: 0,
    };
    Ok((text, source))
}

fn read(folder: &Path) -> Result<String> {
    let mut files = RENAMED.files.iter().chain(PLAYS.files);
    let path = files.find_map(|file| file_in(folder, file.name));
    let path =
        path.ok_or_else(|| Error::Data(format!("{}: the text is gone", folder.display())))?;
    let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(Error::io(&path))?;
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io(&path))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(bad("is larger than 16 MB".into()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        bad(format!("is not UTF-8 at byte {at}"))
    })?;
    match text.trim().is_empty() {
        true => Err(bad("has no text".into())),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_are_found_and_other_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("input.txt"), "not the plays").unwrap();
        assert!(load(&Places::offline(Some(folder.path()), true)).is_err());
        let inner = folder.path().join("tinyshakespeare");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("input.txt"), "First Citizen:").unwrap();
        let (text, source) = load(&Places::offline(Some(folder.path()), true)).unwrap();
        assert_eq!(text, "First Citizen:");
        assert!(source.real && source.origin.ends_with("tinyshakespeare"));
        std::fs::write(folder.path().join("tinyshakespeare.txt"), "All:").unwrap();
        assert_eq!(
            load(&Places::offline(Some(folder.path()), true)).unwrap().0,
            "All:"
        );
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tinyshakespeare.txt");
        for (bytes, why) in [
            (&b"abc\xff"[..], "not UTF-8 at byte 3"),
            (b" \n", "no text"),
        ] {
            std::fs::write(&file, bytes).unwrap();
            let error = load(&Places::offline(Some(folder.path()), false))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("tinyshakespeare.txt") && error.contains(why),
                "{error}"
            );
        }
    }

    #[test]
    fn a_stand_in_says_so_and_real_data_only_refuses_it() {
        let (text, source) = load(&Places::offline(None, false)).unwrap();
        assert!(!source.real && text.len() > 100_000);
        let error = load(&Places::offline(None, true)).unwrap_err().to_string();
        assert!(error.contains("input.txt (1115394 bytes)"), "{error}");
        assert!(error.contains("FOLDER/tinyshakespeare"), "{error}");
    }
}
