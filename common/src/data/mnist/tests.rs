//! Files in a data folder: found, told apart, damaged, missing.

use super::*;

/// The bytes of an idx file.
fn file(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|side| side.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn images(n: u32) -> Vec<u8> {
    let values: Vec<u8> = (0..n * 784).map(|i| (i % 251) as u8).collect();
    file(&[n, 28, 28], &values)
}

/// A folder with a small set: 12 and 3 images, unpacked.
fn small_set(folder: &Path, train_labels: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    let write = |name: &str, bytes| {
        let name = name.strip_suffix(".gz").unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    write(TRAIN_IMAGES, images(12));
    write(
        TRAIN_LABELS,
        file(&[train_labels.len() as u32], train_labels),
    );
    write(TEST_IMAGES, images(3));
    write(TEST_LABELS, file(&[3], &[7, 8, 9]));
}

const LABELS: [u8; 12] = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5];

fn error(folder: &Path) -> String {
    let error = mnist(&DataOptions::real_in(folder)).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn a_subset_in_a_data_folder_is_read_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("mnist");
    small_set(&inner, &LABELS);
    let split = mnist(&DataOptions::real_in(folder.path())).unwrap();
    let source = &split.source;
    assert_eq!((source.name.as_str(), source.real), ("MNIST", true));
    assert_eq!((source.train, source.test), (12, 3));
    assert_eq!(source.origin, format!("folder {}", inner.display()));
    assert_eq!(split.train.labels, LABELS);
    assert_eq!(
        split.train.image(1)[..2],
        [(784 % 251) as u8, (785 % 251) as u8]
    );
    assert_eq!(
        (split.test.label(2), split.test.class_names[7].as_str()),
        (9, "7")
    );
}

#[test]
fn files_of_the_same_names_are_told_apart_by_their_labels() {
    let (digits, clothes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small_set(digits.path(), &LABELS);
    small_set(clothes.path(), &[&FASHION_START[..], &[1, 2]].concat());
    let origin = |split: Split<Images>| split.source.origin;
    let bare = |folder: &Path| format!("folder {}", folder.display());
    assert_eq!(
        origin(mnist(&DataOptions::real_in(digits.path())).unwrap()),
        bare(digits.path())
    );
    assert_eq!(
        origin(fashion_mnist(&DataOptions::real_in(clothes.path())).unwrap()),
        bare(clothes.path())
    );
    // Whatever else this machine has, it is not taken from the other's folder.
    for wrong in [
        mnist(&DataOptions::real_in(clothes.path())),
        fashion_mnist(&DataOptions::real_in(digits.path())),
    ] {
        let origin = wrong.map_or_else(|error| error.to_string(), origin);
        assert!(!origin.contains(&bare(clothes.path())), "{origin}");
        assert!(!origin.contains(&bare(digits.path())), "{origin}");
    }
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("mnist");
    let labels = inner.join("train-labels-idx1-ubyte");
    let pictures = inner.join("t10k-images-idx3-ubyte");

    small_set(&inner, &LABELS[..11]);
    let said = error(folder.path());
    assert!(said.starts_with(&labels.display().to_string()), "{said}");
    assert!(said.contains("[11] for the 12 images"), "{said}");

    small_set(&inner, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0]);
    let said = error(folder.path());
    assert!(
        said.contains("train-labels") && said.contains("label 10 is 10"),
        "{said}"
    );

    small_set(&inner, &LABELS);
    std::fs::write(&pictures, file(&[3, 4, 4], &[0; 48])).unwrap();
    let said = error(folder.path());
    assert!(said.starts_with(&pictures.display().to_string()), "{said}");
    assert!(said.contains("[3, 4, 4], not [images, 28, 28]"), "{said}");

    std::fs::write(&pictures, &images(3)[..2000]).unwrap();
    let said = error(folder.path());
    assert!(said.contains("damaged idx file, at byte 2000"), "{said}");
    // The user's own file: nobody proposes to delete it.
    assert!(!said.contains("Delete"), "{said}");

    std::fs::remove_file(&pictures).unwrap();
    let said = error(folder.path());
    assert!(
        said.contains("only a part of MNIST; add t10k-images-idx3-ubyte.gz"),
        "{said}"
    );

    std::fs::write(&pictures, file(&[0, 28, 28], &[])).unwrap();
    std::fs::write(inner.join("t10k-labels-idx1-ubyte"), file(&[0], &[])).unwrap();
    assert!(error(folder.path()).contains("has no image"));
}

#[test]
fn a_damaged_download_says_how_to_get_another() {
    let cache = tempfile::tempdir().unwrap();
    small_set(&cache.path().join("mnist"), &LABELS[..11]);
    let places = Places {
        named: Vec::new(),
        cache: Some(cache.path().to_path_buf()),
        network: None,
        require_real: false,
        quiet: true,
    };
    let error = load(&MNIST, &places, vec![String::new(); 10], digits::stand_in).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the next run downloads it again."),
        "{error}"
    );
}

#[test]
fn a_stand_in_says_so_and_real_data_only_refuses_it() {
    let mut places = Places::offline(None, false);
    let names = || vec![String::new(); 10];
    let split = load(&MNIST, &places, names(), digits::stand_in).unwrap();
    assert!(!split.source.real && split.source.origin.contains("built-in"));
    places.require_real = true;
    let error = load(&MNIST, &places, names(), digits::stand_in)
        .unwrap_err()
        .to_string();
    for file in MNIST.files {
        assert!(
            error.contains(&format!("{} ({} bytes)", file.name, file.bytes)),
            "{error}"
        );
    }
    assert!(
        error.contains("FOLDER/mnist") && error.contains("--data-dir"),
        "{error}"
    );
}

#[test]
fn published_checksums_are_whole() {
    for file in MNIST.files.iter().chain(FASHION.files) {
        assert_eq!(file.sha256.len(), 64, "{}", file.name);
        assert!(
            file.sha256
                .bytes()
                .all(|byte| b"0123456789abcdef".contains(&byte))
        );
    }
}
