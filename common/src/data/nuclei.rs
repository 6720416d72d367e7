//! Microscope pictures of cell nuclei (chapter 8): the training set of stage 1 of the 2018 Data Science Bowl, in the public domain
//! (Broad Bioimage Benchmark Collection, BBBC038).
//!
//! A folder per picture, `stage1_train/ID/images/ID.png` and a mask per nucleus, `stage1_train/ID/masks/*.png`; as a zip file or
//! unpacked, all 670 or a part of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::DynamicImage;
use rayon::prelude::*;
use zip::ZipArchive;

use super::fetch::{Places, announce};
use super::{DataOptions, Segmented, Source, Split, invented_nuclei, picture};
use crate::{Error, Result};

const NAME: &str = "DSB 2018 nuclei";
const ADDRESS: &str = "https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip";
/// What is looked for in a data folder.
const PLACES: [&str; 4] = [
    "stage1_train",
    "nuclei/stage1_train",
    "stage1_train.zip",
    "nuclei_stage1_train_subset.zip",
];
/// Of 670 pictures the book trains on 500.
const TRAIN_OF: (usize, usize) = (500, 670);
/// A file in the archive that is larger than this is no picture of a nucleus.
const MAX_FILE: u64 = 1 << 26;
/// More pictures than this, or masks of one picture, are no nuclei either.
const MAX_FILES: usize = 10_000;

/// Pictures of nuclei, each with one mask of all its nuclei, made to squares of this side by nearest neighbours; 500 in 670 of
/// them for training, drawn at random by `seed`. Drawn cells where there are none.
///
/// # Errors
/// [`Error::Data`] for damaged files in a folder, and when only real data will do and there is none; [`Error::Usage`] for a data
/// folder that does not exist.
pub fn nuclei(options: &DataOptions, side: usize, seed: u64) -> Result<Split<Segmented>> {
    load(&Places::new(options), side, seed)
}

fn load(places: &Places, side: usize, seed: u64) -> Result<Split<Segmented>> {
    let (all, origin, real) = match places.look(&PLACES)? {
        Some((path, origin)) => {
            let all = read(&path, side).map_err(|error| places.explain(error, &path))?;
            (all, origin, true)
        }
        None => {
            let reason = format!(
                "{NAME} is not on this machine. It is not downloaded by itself: put {ADDRESS} (83 MB) into FOLDER and give --data-dir FOLDER"
            );
            if places.require_real {
                return Err(Error::Data(reason + "."));
            }
            let origin = "drawn cells";
            announce(&format!("{reason}.\nIn its place: {origin}."), places.quiet);
            (invented_nuclei::stand_in(side)?, origin.to_string(), false)
        }
    };
    let first = (all.len() * TRAIN_OF.0 + TRAIN_OF.1 / 2) / TRAIN_OF.1;
    let (train, test) = all.random_split(first, seed);
    let source = Source {
        name: NAME.to_string(),
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

/// The names of the files of a picture.
#[derive(Default)]
struct Files {
    picture: Option<String>,
    masks: Vec<String>,
}

/// The pictures among these names, by the name of their folder.
fn sorted(names: impl IntoIterator<Item = String>) -> BTreeMap<String, Files> {
    let mut all: BTreeMap<String, Files> = BTreeMap::new();
    for name in names {
        let parts: Vec<&str> = name.split(['/', '\\']).collect();
        let [.., id, kind, file] = parts[..] else {
            continue;
        };
        if !file.ends_with(".png") || file.starts_with('.') || name.starts_with("__MACOSX") {
            continue;
        }
        match kind {
            "images" => all.entry(id.to_string()).or_default().picture = Some(name.clone()),
            "masks" => all
                .entry(id.to_string())
                .or_default()
                .masks
                .push(name.clone()),
            _ => {}
        }
    }
    for files in all.values_mut() {
        files.masks.sort_unstable();
    }
    all
}

fn read(path: &Path, side: usize) -> Result<Segmented> {
    let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
    let (examples, what): (Vec<Result<Example>>, _) = if path.is_dir() {
        let files = pictures(names_in(path)?, bad)?;
        let open = |name: &str| -> Result<Vec<u8>> {
            let path = path.join(name);
            let file = File::open(&path).map_err(Error::io(&path))?;
            limited(file, name).map_err(&bad)
        };
        let read = |(id, files): &(String, Files)| example(id, files, side, open, bad);
        (files.par_iter().map(read).collect(), "folder")
    } else {
        let bytes: Arc<[u8]> = std::fs::read(path).map_err(Error::io(path))?.into();
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| bad(format!("not a zip file that can be read: {error}")))?;
        let names = archive
            .file_names()
            .filter_map(|name| Some(name.ok()?.into_owned()));
        let files = pictures(names, bad)?;
        let read = |archive: &mut ZipArchive<_>, (id, files): &(String, Files)| {
            let open = |name: &str| {
                let file = archive.by_name(name);
                let file = file.map_err(|error| bad(format!("{name}: {error}")))?;
                limited(file, name).map_err(&bad)
            };
            example(id, files, side, open, bad)
        };
        let examples = files.par_iter().map_init(|| archive.clone(), read);
        (examples.collect(), "zip file")
    };
    if examples.is_empty() {
        return Err(bad(format!(
            "the {what} has no picture with masks (ID/images/ID.png, ID/masks/*.png)"
        )));
    }
    let (mut pixels, mut masks) = (Vec::new(), Vec::new());
    for example in examples {
        let (picture, mask) = example?;
        pixels.extend(picture);
        masks.extend(mask);
    }
    Segmented::new([side, side], pixels, masks)
}

/// The pictures among these names that have a picture, in the order of their names.
fn pictures(
    names: impl IntoIterator<Item = String>,
    bad: impl Fn(String) -> Error,
) -> Result<Vec<(String, Files)>> {
    let all = sorted(names).into_iter();
    let all: Vec<_> = all.filter(|(_, files)| files.picture.is_some()).collect();
    match all.len() > MAX_FILES || all.iter().any(|(_, files)| files.masks.len() > MAX_FILES) {
        true => Err(bad(format!("more than {MAX_FILES} pictures or masks"))),
        false => Ok(all),
    }
}

/// `ID/images/*` and `ID/masks/*` in a folder.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    let list = |folder: &PathBuf| -> Result<Vec<String>> {
        let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names
            .collect::<std::io::Result<_>>()
            .map_err(Error::io(folder))
    };
    let mut all = Vec::new();
    for id in list(&folder.to_path_buf())? {
        for kind in ["images", "masks"] {
            let inner = folder.join(&id).join(kind);
            if inner.is_dir() {
                let names = list(&inner)?;
                all.extend(names.iter().map(|name| format!("{id}/{kind}/{name}")));
            }
        }
    }
    Ok(all)
}

/// All bytes of a file, unless they are too many.
fn limited(file: impl Read, name: &str) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("{name}: {error}"))?;
    match bytes.len() as u64 > MAX_FILE {
        true => Err(format!("{name}: too large")),
        false => Ok(bytes),
    }
}

/// A picture [3, side, side] and its mask [side, side].
type Example = (Vec<u8>, Vec<u8>);

/// Reads a picture and the union of its masks, both at nearest neighbours.
fn example(
    id: &str,
    files: &Files,
    side: usize,
    mut open: impl FnMut(&str) -> Result<Vec<u8>>,
    bad: impl Fn(String) -> Error,
) -> Result<Example> {
    let mut decode = |name: &str| -> Result<DynamicImage> {
        picture::decode(&open(name)?).map_err(|why| bad(format!("{name}: {why}")))
    };
    let picture = decode(files.picture.as_deref().unwrap_or_default())?.into_rgb8();
    let size = picture.dimensions();
    let places = nearest(size, side);
    let channel = |c: usize| places.iter().map(move |&(x, y)| (x, y, c));
    let values = (0..3).flat_map(channel);
    let pixels = values.map(|(x, y, c)| picture.get_pixel(x, y)[c]).collect();
    let mut mask = vec![0; side * side];
    for name in &files.masks {
        let one = decode(name)?.into_luma8();
        if one.dimensions() != size {
            return Err(bad(format!(
                "{name}: the mask is not of the size of {id}'s picture"
            )));
        }
        for (out, &(x, y)) in mask.iter_mut().zip(&places) {
            *out |= u8::from(one.get_pixel(x, y)[0] > 127);
        }
    }
    Ok((pixels, mask))
}

/// For each pixel of a square of this side, row by row, the one of the picture that it shows: `floor(i length / side)` on each axis.
fn nearest((width, height): (u32, u32), side: usize) -> Vec<(u32, u32)> {
    let at = |i: usize, length: u32| (i as u64 * u64::from(length) / side as u64) as u32;
    let row = |y: usize| (0..side).map(move |x| (at(x, width), at(y, height)));
    (0..side).flat_map(row).collect()
}

#[cfg(test)]
mod tests;
