//! Data sets: what they are made of, where they are looked for, and how batches are built from them.
//!
//! Reading order: `images.rs`, `tables.rs` and `sequences.rs` (the sets in memory), `loader.rs` (batches), `fetch.rs` (where files
//! come from), then one file per data set: `mnist.rs`, `synthetic.rs`, `photos.rs`, `names.rs`, `shakespeare.rs`, `nuclei.rs`,
//! `sentences.rs`, `ag_news.rs` with `vocabulary.rs`, `cifar10.rs`; the weights in `detector_weights.rs` and `text_encoders.rs`. What stands in for a
//! set that is not there: `digits.rs`, `garments.rs` and the files `invented_*.rs`.

mod ag_news;
pub mod augment;
mod augmented;
mod backbone_weights;
mod cats_and_dogs;
mod cifar10;
mod crops;
mod detector_weights;
mod digits;
mod download;
mod fetch;
mod garments;
pub mod idx;
mod images;
mod invented_names;
mod invented_news;
mod invented_nuclei;
mod invented_pets;
mod invented_sentences;
mod invented_shapes;
mod invented_verse;
mod loader;
mod mnist;
mod names;
mod nuclei;
mod photo_folders;
mod photos;
mod picture;
mod raster;
mod resize;
mod segmented;
mod sentences;
mod sequences;
mod shakespeare;
mod synthetic;
mod tables;
mod text_encoders;
mod vocabulary;
mod zebra;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use ag_news::{NEWS_CLASSES, NEWS_LEAST, News, ag_news, ag_news_words};
pub use augmented::{Augmented, Transform};
pub use backbone_weights::{
    EFFICIENTNET_LITE0, RESNET18, efficientnet_lite0_weights, resnet18_weights,
};
pub use cats_and_dogs::{cats_and_dogs, pet_from_file};
pub use cifar10::cifar10;
pub use crops::Crops;
pub use detector_weights::{COCO_DETECTOR, coco_detector_weights};
pub use images::Images;
pub use loader::{Batch, Batches, Loader};
pub use mnist::{fashion_mnist, mnist};
pub use names::{LANGUAGES, NAME_ALPHABET, Spelled, spell, surnames};
pub use nuclei::nuclei;
pub use photos::{PHOTOS, photo};
pub use picture::{Preparation, digit_from_file, picture_from_file};
pub use resize::resize_and_crop;
pub use segmented::Segmented;
pub use sentences::{SentencePair, english_french};
pub use sequences::{LabeledSequences, PaddedSequences, Sequences};
pub use shakespeare::shakespeare;
pub use synthetic::{noisy_sine, two_moons};
pub use tables::{Points, Regression};
pub use text_encoders::{EncoderFiles, text_encoder};
pub use vocabulary::{BOS, EOS, PAD, UNK, Vocabulary, basic_english, basic_english_all};
pub use zebra::zebra;

/// Where a data set came from, for the report and `summary.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The set's name, as `MNIST`.
    pub name: String,
    /// Where it was found: `folder ...`, `cache ...`, `downloaded to ...`, `built in: ...`.
    pub origin: String,
    /// Whether this is the set itself; false for a stand-in.
    pub real: bool,
    /// Training examples.
    pub train: usize,
    /// Test examples.
    pub test: usize,
}

/// Where data is looked for, and whether the network may be used. The default looks in `$IDL_DATA`, the user's cache folder
/// and the system's folders, then downloads, then takes what is built in.
#[derive(Clone, Debug, Default)]
pub struct DataOptions {
    /// `--data-dir`: looked at first.
    pub data_dir: Option<PathBuf>,
    /// `--offline`: nothing is downloaded.
    pub offline: bool,
    /// `--data real`: an error instead of a stand-in.
    pub require_real: bool,
    /// No notices and no progress bar on standard error.
    pub quiet: bool,
}

#[cfg(test)]
impl DataOptions {
    /// Real data in a folder, or an error.
    fn real_in(folder: &std::path::Path) -> Self {
        Self {
            data_dir: Some(folder.to_path_buf()),
            offline: true,
            require_real: true,
            quiet: true,
        }
    }
}

/// A training set, a test set and where they came from.
#[derive(Clone, Debug)]
pub struct Split<D> {
    /// What models are trained on.
    pub train: D,
    /// What they are evaluated on.
    pub test: D,
    /// Where both came from.
    pub source: Source,
}
