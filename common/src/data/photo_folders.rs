//! Photos in a folder per class, packed in a zip file or not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use zip::ZipArchive;

use super::resize::resize_and_crop;
use super::{Images, picture};
use crate::{Error, Result};

/// A photo of more bytes is none of these sets.
const MAX_FILE: u64 = 1 << 26;
/// Nor are there more photos.
const MAX_FILES: usize = 1_000_000;
/// Photos with a shorter side are thumbnails of nothing.
const TINY: u32 = 32;

/// What is read of a set, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The names of the folders, which are the classes in this order.
    pub(super) classes: &'a [&'a str],
    /// The length that the shorter side of a photo gets.
    pub(super) shorter: usize,
    /// The side of the square that is cut out of its middle.
    pub(super) side: usize,
    /// The part of the set that is for training; the rest is for testing.
    pub(super) train: f64,
    /// At most as many photos are read, for training and for testing.
    pub(super) most: [usize; 2],
    /// Photos are shuffled by this.
    pub(super) seed: u64,
}

/// What was read, and how many photos are broken or tiny and were skipped.
#[derive(Debug)]
pub(super) struct Photos {
    pub(super) train: Images,
    pub(super) test: Images,
    pub(super) skipped: usize,
}

/// Reads the photos in `path`, a folder or a zip file, on all threads. Those that can't be decoded or are smaller than 32 pixels are skipped.
///
/// # Errors
/// [`Error::Data`] when it is no zip file that can be read, or when a class has no photo; [`Error::Io`] when it can't be opened.
pub(super) fn read(path: &Path, wanted: Wanted) -> Result<Photos> {
    let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
    if path.is_dir() {
        let parts = chosen(files_in(path, wanted.classes)?, wanted).map_err(bad)?;
        let open = |name: &str| limited(File::open(path.join(name)).ok()?);
        let decode = |photos: &[Photo]| -> Vec<Option<Vec<u8>>> {
            let photos = photos.par_iter();
            photos.map(|p| prepare(&open(&p.name)?, wanted)).collect()
        };
        return collected(parts, decode, wanted);
    }
    let bytes: Arc<[u8]> = std::fs::read(path).map_err(Error::io(path))?.into();
    let archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| bad(format!("not a zip file that can be read: {error}")))?;
    let names = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()));
    let parts = chosen(names, wanted).map_err(bad)?;
    let decode = |photos: &[Photo]| -> Vec<Option<Vec<u8>>> {
        let read = |archive: &mut ZipArchive<_>, photo: &Photo| {
            prepare(&limited(archive.by_name(&photo.name).ok()?)?, wanted)
        };
        let photos = photos.par_iter();
        photos.map_init(|| archive.clone(), read).collect()
    };
    collected(parts, decode, wanted)
}

/// A file and its class.
#[derive(Clone, Debug)]
struct Photo {
    name: String,
    label: u8,
}

/// `CLASS/*` in a folder.
fn files_in(folder: &Path, classes: &[&str]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for class in classes {
        let inner = folder.join(class);
        let entries = std::fs::read_dir(&inner).map_err(Error::io(&inner))?;
        for entry in entries {
            let entry = entry.map_err(Error::io(&inner))?;
            all.push(format!("{class}/{}", entry.file_name().to_string_lossy()));
        }
    }
    Ok(all)
}

/// The photos for training and for testing among these names, each part shuffled.
fn chosen(
    names: impl IntoIterator<Item = String>,
    wanted: Wanted,
) -> std::result::Result<[Vec<Photo>; 2], String> {
    let mut photos = BTreeMap::new();
    for name in names {
        let parts: Vec<&str> = name.split(['/', '\\']).collect();
        let [.., folder, file] = parts[..] else {
            continue;
        };
        let is_photo = [".jpg", ".jpeg", ".png"]
            .iter()
            .any(|end| file.to_lowercase().ends_with(end));
        let label = wanted.classes.iter().position(|class| *class == folder);
        if let Some(label) = label
            && is_photo
            && !file.starts_with('.')
            && !name.starts_with("__MACOSX")
        {
            photos.insert(name.clone(), label as u8);
        }
    }
    if photos.len() > MAX_FILES {
        return Err(format!("more than {MAX_FILES} photos"));
    }
    for (label, class) in wanted.classes.iter().enumerate() {
        if !photos.values().any(|l| usize::from(*l) == label) {
            return Err(format!("there is no photo in a folder {class}"));
        }
    }
    let photos = photos.into_iter();
    let mut train: Vec<Photo> = photos.map(|(name, label)| Photo { name, label }).collect();
    train.shuffle(&mut ChaCha8Rng::seed_from_u64(wanted.seed));
    let mut test = train.split_off((train.len() as f64 * wanted.train).round() as usize);
    train.truncate(wanted.most[0]);
    test.truncate(wanted.most[1]);
    Ok([train, test])
}

/// All bytes of a file, unless they are too many or can't be read.
fn limited(file: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    (read.is_ok() && bytes.len() as u64 <= MAX_FILE).then_some(bytes)
}

/// The pixels that are wanted of a photo; none if it is broken or tiny.
fn prepare(bytes: &[u8], wanted: Wanted) -> Option<Vec<u8>> {
    let picture = picture::decode(bytes).ok()?.into_rgb8();
    if picture.width().min(picture.height()) < TINY {
        return None;
    }
    resize_and_crop(&picture, wanted.shorter, wanted.side)
}

fn collected(
    parts: [Vec<Photo>; 2],
    decode: impl Fn(&[Photo]) -> Vec<Option<Vec<u8>>>,
    wanted: Wanted,
) -> Result<Photos> {
    let mut skipped = 0;
    let mut images = |photos: &[Photo]| {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (photo, image) in photos.iter().zip(decode(photos)) {
            match image {
                Some(image) => {
                    pixels.extend(image);
                    labels.push(photo.label);
                }
                None => skipped += 1,
            }
        }
        let names = wanted.classes.iter().map(|class| class.to_string());
        Images::new(
            [3, wanted.side, wanted.side],
            pixels,
            labels,
            names.collect(),
        )
    };
    let (train, test) = (images(&parts[0])?, images(&parts[1])?);
    Ok(Photos {
        train,
        test,
        skipped,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;

    const WANTED: Wanted = Wanted {
        classes: &["Cat", "Dog"],
        shorter: 40,
        side: 36,
        train: 0.8,
        most: [1000; 2],
        seed: 1,
    };

    fn png(width: u32, height: u32, color: u8) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_pixel(width, height, Rgb([color, 7, 9]));
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// Ten photos of each class, one of them broken and one tiny.
    fn files() -> Vec<(String, Vec<u8>)> {
        let mut all = vec![("readme.txt".to_string(), b"hello".to_vec())];
        for i in 0..10 {
            all.push((format!("Pets/Cat/{i}.png"), png(50 + i, 60, 10)));
            all.push((format!("Pets/Dog/{i}.png"), png(80, 41 + i, 20)));
        }
        all[1].1 = b"no picture".to_vec();
        all[4].1 = png(31, 100, 20);
        all
    }

    #[test]
    fn broken_and_tiny_photos_are_skipped_and_counted_in_archives_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("pets.zip");
        let mut writer = zip::ZipWriter::new(File::create(&archive).unwrap());
        for (name, bytes) in files() {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(&name, options).unwrap();
            writer.write_all(&bytes).unwrap();
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        writer.finish().unwrap();
        for path in [archive, folder.path().join("Pets")] {
            let photos = read(&path, WANTED).unwrap();
            assert_eq!(photos.skipped, 2);
            assert_eq!(photos.train.len() + photos.test.len(), 18);
            for part in [&photos.train, &photos.test] {
                assert_eq!(part.image_size(), 3 * 36 * 36);
                for i in 0..part.len() {
                    let color = [10, 20][usize::from(part.label(i))];
                    assert!(part.image(i)[..36 * 36].iter().all(|v| *v == color));
                }
            }
            let most = [5, 2];
            let few = read(&path, Wanted { most, ..WANTED }).unwrap();
            assert!(few.train.len() <= 5 && few.test.len() <= 2);
            assert_eq!(few.train.image(0), photos.train.image(0));
        }
    }

    #[test]
    fn archives_without_a_class_or_damaged_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pets.zip");
        let refused = |why: &str| {
            let error = read(&path, WANTED).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let error = error.to_string();
            assert!(error.contains("pets.zip") && error.contains(why), "{error}");
        };
        std::fs::write(&path, b"no zip").unwrap();
        refused("not a zip file");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("Pets/Cat/1.png", options).unwrap();
        writer.write_all(&png(50, 50, 1)).unwrap();
        writer.finish().unwrap();
        refused("no photo in a folder Dog");
    }
}
