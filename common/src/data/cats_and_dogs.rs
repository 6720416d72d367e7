//! Photos of cats and dogs (chapter 13): the PetImages of the Asirra data set, for research only.
//!
//! A folder per class, `PetImages/Cat/N.jpg` and `PetImages/Dog/N.jpg`; as a zip file or unpacked, all 25,000 or a part of them.

use super::fetch::{Places, announce};
use super::photo_folders::{self, Wanted};
use super::{DataOptions, Images, Source, Split, invented_pets};
use crate::{Error, Result};

const NAME: &str = "cats and dogs";
const ADDRESS: &str = "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip";
/// What is looked for in a data folder.
const PLACES: [&str; 4] = [
    "PetImages",
    "kagglecatsanddogs_5340.zip",
    "PetImages.zip",
    "PetImages_subset.zip",
];
const CLASSES: [&str; 2] = ["Cat", "Dog"];
/// The shorter side becomes as long, and of that a square is cut out, as in the book.
const SHORTER: usize = 130;
const SIDE: usize = 128;

/// Photos of cats (class 0) and dogs (1), [3, 128, 128], four fifths of them for training; which ones is drawn from `seed`, and at most `most`
/// for training and testing are read. Broken and tiny files are skipped and counted. Drawn faces where there are no photos.
///
/// # Errors
/// [`Error::Data`] for a damaged archive, and when only real data will do and there is none; [`Error::Usage`] for a data folder that
/// does not exist.
pub fn cats_and_dogs(options: &DataOptions, most: [usize; 2], seed: u64) -> Result<Split<Images>> {
    load(&Places::new(options), most, seed)
}

fn load(places: &Places, most: [usize; 2], seed: u64) -> Result<Split<Images>> {
    let wanted = Wanted {
        classes: &CLASSES,
        shorter: SHORTER,
        side: SIDE,
        train: 0.8,
        most,
        seed,
    };
    let (train, test, origin, real) = match places.look(&PLACES)? {
        Some((path, origin)) => {
            let photos = photo_folders::read(&path, wanted);
            let photos = photos.map_err(|error| places.explain(error, &path))?;
            let mut origin = origin;
            if photos.skipped > 0 {
                origin += &format!(", {} broken or tiny photos skipped", photos.skipped);
            }
            (photos.train, photos.test, origin, true)
        }
        None => {
            let reason = format!(
                "Photos of {NAME} are not on this machine. They are not downloaded by themselves: put {ADDRESS} (825 MB) into FOLDER and give --data-dir FOLDER"
            );
            if places.require_real {
                return Err(Error::Data(reason + "."));
            }
            let origin = "drawn faces";
            announce(
                &format!("{reason}.\nIn their place: {origin}."),
                places.quiet,
            );
            let (train, test) = invented_pets::stand_in(SIDE, most, seed)?;
            (train, test, origin.to_string(), false)
        }
    };
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

/// A user's photo, prepared as those of [`cats_and_dogs`] are: [3, 128, 128].
///
/// # Errors
/// As [`picture_from_file`](super::picture_from_file).
pub fn pet_from_file(path: &std::path::Path) -> Result<Images> {
    let photo = super::picture_from_file(path)?;
    let pixels = super::resize::resize_and_crop(&photo, SHORTER, SIDE);
    let empty = || Error::Data(format!("{}: the picture has no pixels", path.display()));
    let names = CLASSES.iter().map(|class| class.to_string());
    Images::new(
        [3, SIDE, SIDE],
        pixels.ok_or_else(empty)?,
        vec![0],
        names.collect(),
    )
}
