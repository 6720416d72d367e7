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
mod tests;
