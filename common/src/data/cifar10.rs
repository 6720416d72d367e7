//! CIFAR-10 (chapters 13 and 14): 50,000 training and 10,000 test photos of 32x32 pixels in 10 classes.
//!
//! Read are the published binary files (`cifar-10-binary.tar.gz` or the folder in it) and a folder of photos per class, as
//! `cifar10_jpg_subset.tar.gz` has it: `train/CLASS/*` and `test/CLASS/*`, PNG or JPEG, all or a part of them.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use rayon::prelude::*;

use super::fetch::{Bundle, Found, Places, PublishedFile, announce, file_in};
use super::{DataOptions, Images, Source, Split, invented_shapes, picture};
use crate::{Error, Result};

const SIDE: usize = 32;
const SIZE: usize = 3 * SIDE * SIDE;
const NAME: &str = "CIFAR-10";
const FULL: (usize, usize) = (50_000, 10_000);

const BUNDLE: Bundle = Bundle {
    name: NAME,
    folders: &["cifar10", ""],
    accepts_bare: |_| true,
    package: None,
    mirrors: &["https://www.cs.toronto.edu/~kriz/"],
    files: &[PublishedFile {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    }],
};

/// What is looked for in a data folder: the whole set first.
const PLACES: [&str; 8] = [
    "cifar10/cifar-10-binary.tar.gz",
    "cifar-10-binary.tar.gz",
    "cifar10/cifar-10-batches-bin",
    "cifar-10-batches-bin",
    "cifar10/cifar10_jpg_subset.tar.gz",
    "cifar10_jpg_subset.tar.gz",
    "cifar10/cifar10_jpg",
    "cifar10_jpg",
];

/// The classes, in the order of their numbers.
const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// Largest file of the set (`data_batch_1.bin` has 30,730,000 bytes), and most bytes and files together.
const MAX_FILE: u64 = 1 << 26;
const MAX_BYTES: usize = 1 << 29;
const MAX_FILES: usize = 100_000;

/// CIFAR-10: colour photos of animals and vehicles, [3, 32, 32]. A part of the set is announced as such; where there is none, drawn
/// shapes stand in.
///
/// # Errors
/// [`Error::Data`] for damaged files in a folder, and when only real data will do and there is none; [`Error::Usage`] for a data
/// folder that does not exist.
pub fn cifar10(options: &DataOptions) -> Result<Split<Images>> {
    load(&Places::new(options))
}

fn load(places: &Places) -> Result<Split<Images>> {
    let (path, origin) = match places.look(&PLACES)? {
        Some(found) => found,
        None => match places.find(&BUNDLE)? {
            Found::Folder { path, origin } => {
                let file = file_in(&path, BUNDLE.files[0].name);
                let gone = || Error::Data(format!("{}: {NAME} is gone", path.display()));
                (file.ok_or_else(gone)?, origin)
            }
            Found::Nothing { reason } => {
                let split = invented_shapes::stand_in()?;
                places.stand_in(&BUNDLE, &reason, &split.source.origin)?;
                return Ok(split);
            }
        },
    };
    let (train, test, lossy) = read(&path).map_err(|error| places.explain(error, &path))?;
    let (n, m) = (train.len(), test.len());
    let mut name = NAME.to_string();
    if (n, m) != FULL || lossy {
        let lossy = if lossy { ", as lossy JPEG" } else { "" };
        name += &format!(", a subset of {n} and {m}{lossy}");
        let text = format!(
            "{NAME}: only {n} of {} training and {m} of {} test photos{lossy}.",
            FULL.0, FULL.1
        );
        announce(&text, places.quiet);
    }
    let source = Source {
        name,
        origin,
        real: true,
        train: n,
        test: m,
    };
    Ok(Split {
        train,
        test,
        source,
    })
}

/// Training photos, test photos, and whether they came through lossy compression.
fn read(path: &Path) -> Result<(Images, Images, bool)> {
    let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
    let mut files = match path.is_dir() {
        true => files_in(path)?,
        false => unpack(path)?,
    };
    // By number, then by class: the first n of a folder per class are as many of each class.
    files.sort_by(|a, b| a.key().cmp(&b.key()));
    let lossy = files
        .iter()
        .any(|file| matches!(file.kind, Kind::Photo(_)) && file.bytes.starts_with(&[0xff, 0xd8]));
    let decoded: Vec<Result<(Vec<u8>, Vec<u8>)>> = files
        .par_iter()
        .map(|file| {
            file.decode()
                .map_err(|why| bad(format!("{}: {why}", file.name)))
        })
        .collect();
    let mut sets = [(); 2].map(|()| (Vec::new(), Vec::new()));
    for (file, decoded) in files.iter().zip(decoded) {
        let (pixels, labels) = decoded?;
        let set = &mut sets[usize::from(!file.train)];
        set.0.extend(pixels);
        set.1.extend(labels);
    }
    let names = || CLASSES.map(String::from).to_vec();
    let [train, test] = sets.map(|(pixels, labels)| {
        Images::new([3, SIDE, SIDE], pixels, labels, names())
            .map_err(|error| bad(error.to_string()))
    });
    let (train, test) = (train?, test?);
    match train.is_empty() || test.is_empty() {
        true => Err(bad(
            "has no training or no test photos (data_batch_*.bin and test_batch.bin, or train/CLASS/* and test/CLASS/*)".into(),
        )),
        false => Ok((train, test, lossy)),
    }
}

/// What a file holds.
enum Kind {
    /// A label and 3,072 bytes [3, 32, 32] per photo.
    Batch,
    /// One photo of this class, as a picture.
    Photo(u8),
}

/// A file of the set.
struct Member {
    name: String,
    train: bool,
    kind: Kind,
    bytes: Vec<u8>,
}

impl Member {
    /// The file of this name, without its bytes; `None` if it is not of this set.
    fn named(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split(['/', '\\']).collect();
        let class = |folder: &str| CLASSES.iter().position(|class| *class == folder);
        let (train, kind) = match parts[..] {
            [.., "train" | "test", folder, file]
                if [".jpg", ".jpeg", ".png"]
                    .iter()
                    .any(|end| file.ends_with(end))
                    && !file.starts_with('.') =>
            {
                let train = parts[parts.len() - 3] == "train";
                (train, Kind::Photo(class(folder)? as u8))
            }
            [.., "test_batch.bin"] => (false, Kind::Batch),
            [.., file] if file.starts_with("data_batch_") && file.ends_with(".bin") => {
                (true, Kind::Batch)
            }
            _ => return None,
        };
        Some(Self {
            name: name.to_string(),
            train,
            kind,
            bytes: Vec::new(),
        })
    }

    fn key(&self) -> (&str, u8) {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        match self.kind {
            Kind::Batch => (file, 0),
            Kind::Photo(class) => (file, class),
        }
    }

    /// Pixels and labels; or what is wrong.
    fn decode(&self) -> std::result::Result<(Vec<u8>, Vec<u8>), String> {
        match self.kind {
            Kind::Batch => {
                let rows = self.bytes.chunks_exact(1 + SIZE);
                if self.bytes.is_empty() || !rows.remainder().is_empty() {
                    let bytes = self.bytes.len();
                    return Err(format!(
                        "{bytes} bytes are no whole number of photos of {} bytes",
                        1 + SIZE
                    ));
                }
                let labels = rows.clone().map(|row| row[0]).collect();
                Ok((rows.flat_map(|row| &row[1..]).copied().collect(), labels))
            }
            Kind::Photo(class) => {
                let photo = picture::decode(&self.bytes)?.into_rgb8();
                let (width, height) = photo.dimensions();
                if (width, height) != (SIDE as u32, SIDE as u32) {
                    return Err(format!("{width}x{height} pixels instead of {SIDE}x{SIDE}"));
                }
                let channel = |c: usize| photo.pixels().map(move |pixel| pixel[c]);
                Ok(((0..3).flat_map(channel).collect(), vec![class]))
            }
        }
    }

    /// Reads the bytes, unless they are too many.
    fn fill(mut self, reader: impl Read) -> std::io::Result<Self> {
        reader.take(MAX_FILE + 1).read_to_end(&mut self.bytes)?;
        match self.bytes.len() as u64 > MAX_FILE {
            true => Err(std::io::Error::other(format!("{}: too large", self.name))),
            false => Ok(self),
        }
    }
}

/// The files of the set in a tar archive, packed or not.
fn unpack(path: &Path) -> Result<Vec<Member>> {
    let bad = |error: std::io::Error| {
        Error::Data(format!(
            "{}: not a tar archive that can be read: {error}",
            path.display()
        ))
    };
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(Error::io(path))?);
    let packed = reader.fill_buf().map_err(Error::io(path))?;
    let reader: Box<dyn Read> = match packed.starts_with(&[0x1f, 0x8b]) {
        true => Box::new(MultiGzDecoder::new(reader)),
        false => Box::new(reader),
    };
    let mut archive = tar::Archive::new(reader);
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in archive.entries().map_err(bad)? {
        let entry = entry.map_err(bad)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(file) = Member::named(&name) else {
            continue;
        };
        files.push(file.fill(entry).map_err(bad)?);
        bytes += files.last().map_or(0, |file| file.bytes.len());
        if bytes > MAX_BYTES || files.len() > MAX_FILES {
            return Err(bad(std::io::Error::other(
                "more files or bytes than the set has",
            )));
        }
    }
    Ok(files)
}

/// The files of the set in a folder: directly, or as `train/CLASS/*` and `test/CLASS/*`.
fn files_in(folder: &Path) -> Result<Vec<Member>> {
    let mut names = list(folder)?;
    for part in ["train", "test"] {
        for class in CLASSES {
            let inner = folder.join(part).join(class);
            if inner.is_dir() {
                let files = list(&inner)?.into_iter();
                names.extend(files.map(|file| format!("{part}/{class}/{file}")));
            }
        }
    }
    let files = names.iter().filter_map(|name| Member::named(name));
    let files = files.take(MAX_FILES).map(|file| {
        let path = folder.join(&file.name);
        let opened = File::open(&path).and_then(|opened| file.fill(opened));
        opened.map_err(Error::io(&path))
    });
    files.collect()
}

/// The names of what is in a folder.
fn list(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: std::io::Result<_> = names.collect();
    names.map_err(Error::io(folder))
}

#[cfg(test)]
mod tests;
