//! Archives and folders of pictures with masks, and damaged ones.

use super::*;
use image::{GrayImage, Luma, Rgba, RgbaImage};
use std::io::Write;

fn png(picture: DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let format = image::ImageFormat::Png;
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A picture of 6x4 with two masks of a pixel column each, as files.
fn files(id: u8) -> Vec<(String, Vec<u8>)> {
    let picture = RgbaImage::from_fn(6, 4, |x, y| Rgba([id, x as u8, y as u8, 9]));
    let mask = |column: u32| {
        png(GrayImage::from_fn(6, 4, |x, _| Luma([if x == column { 255 } else { 0 }])).into())
    };
    let at = |rest: &str| format!("stage1_train/{id:02x}/{rest}");
    vec![
        (at("images/a.png"), png(picture.into())),
        (at("masks/b.png"), mask(0)),
        (at("masks/c.png"), mask(4)),
    ]
}

fn zip(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn zip_and_folder_give_the_same_squares() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> = (0..10).flat_map(files).collect();
    zip(&folder.path().join("stage1_train.zip"), &all);
    let zipped = nuclei(&DataOptions::real_in(folder.path()), 2, 1).unwrap();
    assert_eq!((zipped.train.len(), zipped.test.len()), (7, 3));
    assert!(zipped.source.real && zipped.source.origin.contains("stage1_train.zip"));
    for i in 0..7 {
        let picture = zipped.train.picture(i);
        // Pixels (0, 0), (3, 0), (0, 2), (3, 2): red is the number, green the column, blue the row.
        assert_eq!(picture[4..], [0, 3, 0, 3, 0, 0, 2, 2]);
        assert_eq!(zipped.train.mask(i), [1, 0, 1, 0]);
    }
    for (name, bytes) in &all {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let unpacked = nuclei(&DataOptions::real_in(folder.path()), 2, 1).unwrap();
    assert!(unpacked.source.origin.ends_with("stage1_train"));
    for i in 0..7 {
        assert_eq!(unpacked.train.picture(i), zipped.train.picture(i));
    }
}

#[test]
fn damaged_archives_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stage1_train.zip");
    let refused = |why: &str| {
        let error = nuclei(&DataOptions::real_in(folder.path()), 4, 1).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let error = error.to_string();
        assert!(
            error.contains("stage1_train.zip") && error.contains(why),
            "{error}"
        );
    };
    std::fs::write(&path, b"no zip").unwrap();
    refused("not a zip file");
    zip(&path, &[("readme.txt".into(), b"hello".to_vec())]);
    refused("no picture with masks");
    let mut broken = files(3);
    broken[1].1 = b"no picture".to_vec();
    zip(&path, &broken);
    refused("masks/b.png");
    let mut other_size = files(3);
    other_size[2].1 = png(GrayImage::new(5, 4).into());
    zip(&path, &other_size);
    refused("masks/c.png: the mask is not of the size");
}

#[test]
fn without_files_the_message_says_where_to_get_them() {
    let nowhere = |require_real| Places::offline(None, require_real);
    let error = load(&nowhere(true), 4, 1).unwrap_err();
    assert!(error.to_string().contains(ADDRESS));
    assert!(!load(&nowhere(false), 4, 1).unwrap().source.real);
}
