//! The weights of a detector that torchvision trained on COCO (chapter 8).

use std::path::PathBuf;

use super::DataOptions;
use super::fetch::{Bundle, Places, PublishedFile};
use crate::Result;

/// Where the weights of torchvision's Faster R-CNN are published.
pub const COCO_DETECTOR: &str =
    "https://download.pytorch.org/models/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth";

const BUNDLE: Bundle = Bundle {
    name: "Faster R-CNN trained on COCO",
    folders: &["weights", "hub/checkpoints", ""],
    accepts_bare: |_| true,
    package: None,
    mirrors: &["https://download.pytorch.org/models/"],
    files: &[PublishedFile {
        name: "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        bytes: 167_502_836,
        sha256: "258fb6c638b15964ddcdd1ae0748c5eef1be9e732750120cc857feed3faac384",
    }],
};

/// The file with the weights of torchvision's `fasterrcnn_resnet50_fpn`, and where it is in words: from the data folders or the cache,
/// else downloaded (168 MB).
///
/// # Errors
/// [`crate::Error::Data`] when it is nowhere and can't be downloaded: it says where to get it; [`crate::Error::Usage`] for a data folder that does not
/// exist.
pub fn coco_detector_weights(options: &DataOptions) -> Result<(PathBuf, String)> {
    Places::new(options).only_file(&BUNDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_file_the_message_says_where_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let options = DataOptions {
            data_dir: Some(folder.path().to_path_buf()),
            offline: true,
            require_real: false,
            quiet: true,
        };
        if let Err(error) = coco_detector_weights(&options) {
            let error = error.to_string();
            assert!(
                error.contains(COCO_DETECTOR) && error.contains("weights"),
                "{error}"
            );
        }
        let inner = folder.path().join("weights");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join(BUNDLE.files[0].name), b"x").unwrap();
        let (file, origin) = coco_detector_weights(&options).unwrap();
        assert!(file.starts_with(&inner) && origin.contains("weights"));
    }
}
