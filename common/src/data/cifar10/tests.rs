//! The published archive, its folder, a folder per class, and damaged files.

use super::*;
use flate2::{Compression, write::GzEncoder};
use image::{Rgb, RgbImage};

/// A batch file: photos of one class each, red, green and blue being the class plus 0, 10 and 20.
fn batch(classes: &[u8]) -> Vec<u8> {
    let photo = |&class: &u8| {
        let plane = |c: u8| vec![class + 10 * c; SIDE * SIDE];
        [vec![class], plane(0), plane(1), plane(2)].concat()
    };
    classes.iter().flat_map(photo).collect()
}

fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn png(side: u32, value: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let photo = RgbImage::from_pixel(side, side, Rgb([value, 0, 1]));
    photo.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn the_published_archive_and_its_folder_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("cifar-10-batches-bin/readme.html", b"hello".to_vec()),
        ("cifar-10-batches-bin/data_batch_2.bin", batch(&[3])),
        ("cifar-10-batches-bin/data_batch_1.bin", batch(&[9, 0])),
        ("cifar-10-batches-bin/test_batch.bin", batch(&[7, 7, 1])),
    ];
    let check = |what: &str| {
        let split = cifar10(&DataOptions::real_in(folder.path())).unwrap();
        assert_eq!(split.train.labels, [9, 0, 3]);
        assert_eq!(split.test.labels, [7, 7, 1]);
        assert_eq!(split.train.image(2)[1023..1025], [3, 13]);
        assert_eq!(split.train.class_names[9], "truck");
        let source = split.source;
        assert!(source.real && source.origin.ends_with(what), "{source:?}");
        assert_eq!(source.name, "CIFAR-10, a subset of 3 and 3");
    };
    let packed = folder.path().join("cifar-10-binary.tar.gz");
    std::fs::write(&packed, archive(&files)).unwrap();
    check("cifar-10-binary.tar.gz");
    std::fs::remove_file(&packed).unwrap();
    for (name, bytes) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    check("cifar-10-batches-bin");
}

#[test]
fn a_folder_per_class_takes_turns() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("x/train/truck/0000.png", png(32, 1)),
        ("x/train/truck/0001.png", png(32, 2)),
        ("x/train/bird/0000.png", png(32, 3)),
        ("x/train/bird/notes.txt", b"no photo".to_vec()),
        ("x/train/house/0000.png", png(32, 9)),
        ("x/test/ship/0000.png", png(32, 4)),
    ];
    let path = folder.path().join("cifar10_jpg_subset.tar.gz");
    std::fs::write(&path, archive(&files)).unwrap();
    let split = cifar10(&DataOptions::real_in(folder.path())).unwrap();
    assert_eq!(split.train.labels, [2, 9, 9]);
    let red: Vec<u8> = (0..3).map(|i| split.train.image(i)[0]).collect();
    assert_eq!(red, [3, 1, 2]);
    assert_eq!(split.test.image(0)[2047..2049], [0, 1]);
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cifar-10-binary.tar.gz");
    let refused = |bytes: Vec<u8>, why: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = cifar10(&DataOptions::real_in(folder.path())).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let error = error.to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        assert!(error.contains(why), "{error}");
    };
    let test = || ("test_batch.bin", batch(&[1]));
    refused(b"no archive at all".to_vec(), "not a tar archive");
    refused(
        archive(&[("readme.txt", Vec::new())]),
        "no training or no test photos",
    );
    refused(archive(&[test()]), "no training or no test photos");
    let short = ("data_batch_1.bin", batch(&[1])[..3000].to_vec());
    refused(archive(&[short, test()]), "data_batch_1.bin: 3000 bytes");
    let class = ("data_batch_1.bin", batch(&[10]));
    refused(archive(&[class, test()]), "label 0 is 10");
    let whole = archive(&[("data_batch_1.bin", batch(&[1])), test()]);
    refused(whole[..whole.len() / 2].to_vec(), "not a tar archive");
    let size = ("a/train/cat/0.png", png(31, 0));
    refused(archive(&[size, test()]), "0.png: 31x31 pixels");
    let broken = ("a/train/cat/0.jpg", b"no photo".to_vec());
    refused(archive(&[broken, test()]), "0.jpg: not a picture");
}

#[test]
fn without_files_the_message_says_where_to_get_them() {
    let nowhere = |require_real| Places::offline(None, require_real);
    let error = load(&nowhere(true)).unwrap_err().to_string();
    assert!(error.contains("~kriz/cifar-10-binary.tar.gz"), "{error}");
    let split = load(&nowhere(false)).unwrap();
    assert!(!split.source.real && split.train.channels == 3);
}
