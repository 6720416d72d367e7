//! Published text encoders (chapter 13): DistilBERT, and MiniLM-L6-v2, a BERT of a quarter of its size.

use std::path::{Path, PathBuf};

use super::DataOptions;
use super::fetch::{Bundle, Found, Places, PublishedFile, file_in};
use crate::{Error, Result};

/// What stands in for DistilBERT where it is not to be had, in words.
const MINILM_NAME: &str = "MiniLM-L6-v2, a BERT of a quarter of its size";

/// The WordPiece vocabulary of all BERTs in lower-case English.
const WORD_PIECES: PublishedFile = PublishedFile {
    name: "vocab.txt",
    bytes: 231_508,
    sha256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
};

const DISTILBERT: Bundle = Bundle {
    name: "DistilBERT",
    folders: &["distilbert-base-uncased"],
    accepts_bare: |_| false,
    package: None,
    mirrors: &["https://huggingface.co/distilbert/distilbert-base-uncased/resolve/main/"],
    files: &[
        PublishedFile {
            name: "model.safetensors",
            bytes: 267_954_768,
            // Its publisher's servers name it; until one was asked, size and loading have to do.
            sha256: "",
        },
        WORD_PIECES,
    ],
};

const MINILM: Bundle = Bundle {
    name: "MiniLM-L6-v2",
    folders: &["minilm", "all-MiniLM-L6-v2"],
    mirrors: &[
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41/",
    ],
    files: &[
        PublishedFile {
            name: "model.safetensors",
            bytes: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
        WORD_PIECES,
        PublishedFile {
            name: "config.json",
            bytes: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
    ],
    ..DISTILBERT
};

/// The same in half precision.
const MINILM_HALF: Bundle = Bundle {
    mirrors: &[],
    files: &[
        PublishedFile {
            name: HALF,
            bytes: 45_441_944,
            sha256: "553c9ff2a4d968014fb1c66fdb6f2c9dc19b3ac2360ba58a51c69e177e55d765",
        },
        WORD_PIECES,
        PublishedFile {
            name: "config.json",
            bytes: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
    ],
    ..MINILM
};
const HALF: &str = "model.f16.safetensors";

/// The files of a published text encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderFiles {
    /// Its name: `DistilBERT` or `MiniLM-L6-v2`.
    pub name: &'static str,
    /// Weights, as Hugging Face names them.
    pub weights: PathBuf,
    /// A piece of a word per line.
    pub vocabulary: PathBuf,
    /// Hugging Face's `config.json`, where it lies beside the weights.
    pub config: Option<PathBuf>,
    /// Where the files are, in words.
    pub origin: String,
}

impl EncoderFiles {
    /// Whether this is the encoder that was asked for, and not one that stands in for it.
    pub fn is_distilbert(&self) -> bool {
        self.name == DISTILBERT.name
    }

    fn new(name: &'static str, folder: &Path, origin: String) -> Result<Self> {
        let weights = file_in(folder, "model.safetensors").or_else(|| file_in(folder, HALF));
        let gone = || Error::Data(format!("{}: a file of {name} is gone", folder.display()));
        Ok(Self {
            name,
            weights: weights.ok_or_else(gone)?,
            vocabulary: file_in(folder, WORD_PIECES.name).ok_or_else(gone)?,
            config: file_in(folder, "config.json"),
            origin,
        })
    }
}

/// DistilBERT (`distilbert-base-uncased`, 268 MB): from the data folders or the cache, else downloaded. Where that can't be, MiniLM-L6-v2 if it is
/// there or can be downloaded (91 MB); else nothing, which is announced with `otherwise`, what stands in for both.
///
/// # Errors
/// [`Error::Data`] for a folder with only a part of an encoder, and when only DistilBERT itself will do and it is not to be had;
/// [`Error::Usage`] for a data folder that does not exist.
pub fn text_encoder(options: &DataOptions, otherwise: &str) -> Result<Option<EncoderFiles>> {
    find(&Places::new(options), otherwise)
}

fn find(places: &Places, otherwise: &str) -> Result<Option<EncoderFiles>> {
    let reason = match places.find(&DISTILBERT)? {
        Found::Folder { path, origin } => {
            return EncoderFiles::new(DISTILBERT.name, &path, origin).map(Some);
        }
        Found::Nothing { reason } => reason,
    };
    match places.find_or_part(&MINILM, &MINILM_HALF)? {
        Found::Folder { path, origin } => {
            places.stand_in(&DISTILBERT, &reason, MINILM_NAME)?;
            EncoderFiles::new(MINILM.name, &path, origin).map(Some)
        }
        Found::Nothing { .. } => {
            places.stand_in(&DISTILBERT, &reason, otherwise)?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, inner: &str, names: &[&str]) {
        let inner = folder.join(inner);
        std::fs::create_dir_all(&inner).unwrap();
        for name in names {
            std::fs::write(inner.join(name), b"x").unwrap();
        }
    }

    #[test]
    fn the_best_encoder_that_is_there_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let found = |real| {
            find(
                &Places::offline(Some(folder.path()), real),
                "one trained here",
            )
        };
        assert_eq!(found(false).unwrap(), None);
        let error = found(true).unwrap_err().to_string();
        assert!(
            error.contains("distilbert-base-uncased") && error.contains("267954768"),
            "{error}"
        );

        put(folder.path(), "minilm", &[HALF, "vocab.txt", "config.json"]);
        let minilm = found(false).unwrap().unwrap();
        assert_eq!(minilm.name, "MiniLM-L6-v2");
        assert!(minilm.weights.ends_with(HALF) && minilm.config.is_some());
        assert!(!minilm.is_distilbert() && found(true).is_err());

        let ours = "distilbert-base-uncased";
        put(folder.path(), ours, &["vocab.txt"]);
        let error = found(false).unwrap_err().to_string();
        assert!(error.contains("add model.safetensors"), "{error}");
        put(folder.path(), ours, &["model.safetensors"]);
        let distilbert = found(true).unwrap().unwrap();
        assert!(distilbert.is_distilbert() && distilbert.config.is_none());
    }
}
