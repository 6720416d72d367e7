//! The generator of the progressive GAN reads weights as they are published, and makes of noise what PyTorch makes of it.
//!
//! `golden/pgan.pth` and `golden/pgan.json` are written by `golden/make_pgan.py`.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use ch09_gan::pgan::{FACE_NOISE, FACES, ProgressiveGenerator};
use ch09_gan::players::Generator;
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/golden").join(name)
}

fn numbers(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap().iter();
    list.map(|v| v.as_f64().unwrap() as f32).collect()
}

#[test]
fn published_weights_make_what_pytorch_makes_of_them() {
    let facts: Value =
        serde_json::from_slice(&std::fs::read(fixture("pgan.json")).unwrap()).unwrap();
    let device = Device::flex();
    let generator = ProgressiveGenerator::new(6, &[5, 4, 3], &device);
    let generator = generator.load(&fixture("pgan.pth")).unwrap();
    assert_eq!(generator.side(), 16);
    let z = TensorData::new(numbers(&facts["z"]), [2, 6]);
    let output = generator.generate(Tensor::from_data(z, &device), None);
    assert_eq!(output.dims(), [2, 3 * 16 * 16]);
    let output = output.into_data().try_to_vec::<f32>().unwrap();
    let want = numbers(&facts["output"]);
    assert_eq!(want.len(), output.len().div_ceil(37));
    for (found, want) in output.iter().step_by(37).zip(&want) {
        assert!((found - want).abs() < 1e-4, "{found} is not {want}");
    }
}

#[test]
fn other_files_are_refused() {
    let device = Device::flex();
    let fresh = |channels: &[usize]| ProgressiveGenerator::new(6, channels, &device);
    let error = |channels: &[usize], file: &str| {
        let loaded = fresh(channels).load(&fixture(file));
        loaded.err().unwrap().to_string()
    };
    assert!(error(&[5, 4, 2], "pgan.pth").contains("not the weights"));
    assert!(error(&[5, 4, 3, 3], "pgan.pth").contains("not the weights"));
    assert!(error(&[5, 4, 3], "pgan.json").contains("not the weights"));
    assert!(error(&[5, 4, 3], "no such file").contains("no such file"));
}

#[test]
fn faces_have_512_pixels() {
    let generator = ProgressiveGenerator::new(FACE_NOISE, &FACES, &Device::flex());
    assert_eq!(generator.side(), 512);
}
