//! A torchvision state dict is loaded with its names mapped, and the detector finds what torchvision finds with it.
//!
//! The files are written by `golden/make_photo_detector.py`.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use ch08_detection::coco::{PhotoDetector, PhotoDetectorConfig};
use ch08_detection::resnet_fpn::ResNetFpnConfig;
use ch08_detection::roi_heads::Threshold;
use image::{Rgb, RgbImage};
use serde_json::Value;

fn tiny() -> PhotoDetectorConfig {
    PhotoDetectorConfig {
        backbone: ResNetFpnConfig {
            width: 2,
            blocks: [1, 2, 1, 1],
            channels: 8,
            epsilon: 0.0,
        },
        hidden: 16,
        classes: 5,
        shorter: 64,
        longer: 100,
    }
}

fn file(name: &str) -> PathBuf {
    Path::new("tests/golden").join(name)
}

/// Coloured waves, by a formula.
fn picture() -> RgbImage {
    RgbImage::from_fn(90, 70, |x, y| {
        Rgb([0, 1, 2].map(|c| ((x * (5 + c) + y * (3 + 2 * c) + x * y / (7 + c)) % 256) as u8))
    })
}

#[test]
fn both_kinds_of_file_give_torchvision_s_detections() {
    let want: Value = serde_json::from_slice(&std::fs::read(file("photo.json")).unwrap()).unwrap();
    let device = Device::flex();
    for name in ["tiny.pth", "tiny.safetensors"] {
        let detector = PhotoDetector::load(&file(name), tiny(), &device).unwrap();
        let found = detector.detect(&picture(), Threshold::default(), &device);
        let found = found.unwrap();
        let labels = want["labels"].as_array().unwrap();
        assert_eq!(found.len(), labels.len(), "{name}");
        for (i, detection) in found.iter().enumerate() {
            let number = |value: &Value| value.as_f64().unwrap() as f32;
            assert_eq!(labels[i], detection.label, "{name}: detection {i}");
            let score = number(&want["scores"][i]);
            assert!(
                (detection.score - score).abs() < 1e-4,
                "{name}: {detection:?}, not {score}"
            );
            let Some(corners) = want["boxes"].get(i) else {
                continue;
            };
            for (c, corner) in detection.corners.iter().enumerate() {
                let want = number(&corners[c]);
                assert!(
                    (corner - want).abs() < 2e-2,
                    "{name}: {detection:?}, not {want}"
                );
            }
        }
    }
}

#[test]
fn files_of_other_networks_and_damaged_ones_are_refused() {
    let device = Device::flex();
    let refused = |path: &Path, config: PhotoDetectorConfig, why: &str| {
        let error = PhotoDetector::load(path, config, &device).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let error = error.to_string();
        assert!(error.contains(why), "{error}");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    };
    for name in ["tiny.pth", "tiny.safetensors"] {
        let mut deeper = tiny();
        deeper.backbone.blocks = [1, 2, 1, 2];
        refused(&file(name), deeper, "it lacks backbone.body.layer4.1");
        let mut shallower = tiny();
        shallower.backbone.blocks = [1, 1, 1, 1];
        refused(&file(name), shallower, "besides");
        let wider = PhotoDetectorConfig {
            classes: 6,
            ..tiny()
        };
        refused(&file(name), wider, "download.pytorch.org");
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["weights.pth", "weights.safetensors"] {
        let path = folder.path().join(name);
        std::fs::write(&path, b"these are no weights").unwrap();
        refused(&path, tiny(), "download.pytorch.org");
        let other = name.replace("weights", "tiny");
        let whole = std::fs::read(file(&other)).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        refused(&path, tiny(), "download.pytorch.org");
    }
    refused(&folder.path().join("absent.pth"), tiny(), "absent.pth");
}
