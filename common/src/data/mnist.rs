//! MNIST (chapters 1, 3, 4, 7 to 10) and Fashion-MNIST (chapters 5, 6): 60,000 training and 10,000 test images of 28x28 grey
//! pixels in 10 classes each.

use std::path::Path;

use super::fetch::{Bundle, Found, Package, Places, PublishedFile, file_in};
use super::{DataOptions, Images, Source, Split, digits, garments, idx};
use crate::{Error, Result};

const SIDE: usize = 28;
const TRAIN_IMAGES: &str = "train-images-idx3-ubyte.gz";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte.gz";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte.gz";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte.gz";

pub(super) const MNIST: Bundle = Bundle {
    name: "MNIST",
    folders: &["mnist", "MNIST/raw", ""],
    accepts_bare: |folder| !starts_with_labels(folder, &FASHION_START),
    package: None,
    mirrors: &[
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://sagemaker-sample-files.s3.amazonaws.com/datasets/image/MNIST/",
    ],
    files: &[
        PublishedFile {
            name: TRAIN_IMAGES,
            bytes: 9_912_422,
            sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        },
        PublishedFile {
            name: TRAIN_LABELS,
            bytes: 28_881,
            sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
        PublishedFile {
            name: TEST_IMAGES,
            bytes: 1_648_877,
            sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        },
        PublishedFile {
            name: TEST_LABELS,
            bytes: 4_542,
            sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ],
};

const FASHION: Bundle = Bundle {
    name: "Fashion-MNIST",
    folders: &["fashion-mnist", "FashionMNIST/raw", ""],
    accepts_bare: |folder| starts_with_labels(folder, &FASHION_START),
    package: Some(Package {
        install: "apt install dataset-fashion-mnist (Debian, Ubuntu)",
        folder: "/usr/share/datasets/fashion-mnist",
    }),
    mirrors: &[
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
    ],
    files: &[
        PublishedFile {
            name: TRAIN_IMAGES,
            bytes: 26_421_880,
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        },
        PublishedFile {
            name: TRAIN_LABELS,
            bytes: 29_515,
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
        PublishedFile {
            name: TEST_IMAGES,
            bytes: 4_422_102,
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        },
        PublishedFile {
            name: TEST_LABELS,
            bytes: 5_148,
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ],
};

/// The first training labels of Fashion-MNIST, whose files have the same names as MNIST's.
const FASHION_START: [u8; 10] = [9, 0, 0, 3, 0, 2, 7, 2, 5, 5];

/// The classes of Fashion-MNIST.
pub(super) const GARMENTS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// MNIST: handwritten digits. Where it can't be had, drawings made from 1,797 other handwritten digits stand in.
///
/// # Errors
/// [`Error::Data`] for damaged files in a folder, and when only real data will do and there is none;
/// [`Error::Usage`] for a data folder that does not exist.
pub fn mnist(options: &DataOptions) -> Result<Split<Images>> {
    let names = (0..10).map(|digit| digit.to_string()).collect();
    load(&MNIST, &Places::new(options), names, digits::stand_in)
}

/// Fashion-MNIST: pictures of clothes. Where it can't be had, drawn ones stand in.
///
/// # Errors
/// As [`mnist`].
pub fn fashion_mnist(options: &DataOptions) -> Result<Split<Images>> {
    let names = GARMENTS.map(String::from).to_vec();
    load(&FASHION, &Places::new(options), names, garments::stand_in)
}

fn load(
    bundle: &Bundle,
    places: &Places,
    class_names: Vec<String>,
    stand_in: fn() -> Result<Split<Images>>,
) -> Result<Split<Images>> {
    let (path, origin) = match places.find(bundle)? {
        Found::Folder { path, origin } => (path, origin),
        Found::Nothing { reason } => {
            let split = stand_in()?;
            places.stand_in(bundle, &reason, &split.source.origin)?;
            return Ok(split);
        }
    };
    // The files are independent, and unpacking takes a quarter of a second.
    let names = class_names.clone();
    let (train, test) = std::thread::scope(|scope| {
        let test = scope.spawn(|| read_pair(&path, TEST_IMAGES, TEST_LABELS, names));
        let train = read_pair(&path, TRAIN_IMAGES, TRAIN_LABELS, class_names);
        let crashed = |_| Err(Error::Data(format!("{}: can't be read", path.display())));
        (train, test.join().unwrap_or_else(crashed))
    });
    let explain = |error| places.explain(error, &path);
    let (train, test) = (train.map_err(explain)?, test.map_err(explain)?);
    let source = Source {
        name: bundle.name.to_string(),
        origin,
        real: true,
        train: train.len(),
        test: test.len(),
    };
    Ok(Split {
        train,
        test,
        source,
    })
}

/// Images and their labels from two files.
fn read_pair(
    folder: &Path,
    images: &str,
    labels: &str,
    class_names: Vec<String>,
) -> Result<Images> {
    let locate = |name| {
        file_in(folder, name)
            .ok_or_else(|| Error::Data(format!("{}: {name} is gone", folder.display())))
    };
    let (images_path, labels_path) = (locate(images)?, locate(labels)?);
    let images = idx::read(&images_path)?;
    let labels = idx::read(&labels_path)?;
    let [count, SIDE, SIDE] = images.shape[..] else {
        return Err(Error::Data(format!(
            "{}: has the shape {:?}, not [images, 28, 28]",
            images_path.display(),
            images.shape
        )));
    };
    if labels.shape != [count] {
        return Err(Error::Data(format!(
            "{}: has labels of the shape {:?} for the {count} images of {}",
            labels_path.display(),
            labels.shape,
            images_path.display()
        )));
    }
    if count == 0 {
        let path = images_path.display();
        return Err(Error::Data(format!("{path}: has no image")));
    }
    Images::new([1, SIDE, SIDE], images.values, labels.values, class_names)
        .map_err(|error| Error::Data(format!("{}: {error}", labels_path.display())))
}

/// Whether the training labels in `folder` begin like this.
fn starts_with_labels(folder: &Path, start: &[u8]) -> bool {
    let labels = file_in(folder, TRAIN_LABELS).map(|path| idx::read(&path));
    matches!(labels, Some(Ok(labels)) if labels.values.starts_with(start))
}

#[cfg(test)]
mod tests {
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

    fn options(folder: &Path) -> DataOptions {
        DataOptions {
            data_dir: Some(folder.to_path_buf()),
            offline: true,
            require_real: true,
            quiet: true,
        }
    }

    fn error(folder: &Path) -> String {
        let error = mnist(&options(folder)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn a_subset_in_a_data_folder_is_read_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("mnist");
        small_set(&inner, &LABELS);
        let split = mnist(&options(folder.path())).unwrap();
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
            origin(mnist(&options(digits.path())).unwrap()),
            bare(digits.path())
        );
        assert_eq!(
            origin(fashion_mnist(&options(clothes.path())).unwrap()),
            bare(clothes.path())
        );
        // Whatever else this machine has, it is not taken from the other's folder.
        for wrong in [
            mnist(&options(clothes.path())),
            fashion_mnist(&options(digits.path())),
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
        let mut places = Places {
            named: Vec::new(),
            cache: None,
            network: None,
            require_real: false,
            quiet: true,
        };
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
}
