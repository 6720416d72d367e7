//! Files of weights that others have published are loaded with their names mapped, and compute what they computed there.
//!
//! `golden/tiny.*` are written by `golden/make_golden.py`. Where the published weights are in `$IDL_DATA`, their outputs are compared too.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use ch13_transfer::efficientnet::EfficientNetLite0;
use ch13_transfer::resnet::ResNetConfig;
use common::train::{Network, count_parameters};
use golden_setup::{assert_numbers, noise, read_golden, values};
use serde_json::json;

fn tiny() -> ResNetConfig {
    ResNetConfig {
        width: 1,
        blocks: vec![1; 4],
        small: false,
        classes: 3,
    }
}

fn file(name: &str) -> PathBuf {
    Path::new("tests/golden").join(name)
}

#[test]
fn both_kinds_of_file_give_torchvision_s_output() {
    let device = Device::flex();
    let want = read_golden(file("golden.json").to_str().unwrap())["tiny"].take();
    let shape = [2, 3, 40, 40];
    for name in ["tiny.pth", "tiny.safetensors"] {
        let network = tiny().load(&file(name), &device).unwrap();
        let input = TensorData::new(noise(7, shape.iter().product()), shape);
        let output = network.forward(Tensor::from_data(input, &device));
        assert_numbers(name, &values(output), &want["evaluation"], 1e-5);
    }
}

#[test]
fn files_of_other_networks_and_damaged_ones_are_refused() {
    let device = Device::flex();
    let refused = |path: &Path, config: ResNetConfig, why: &str| {
        let error = config.load(path, &device).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let error = error.to_string();
        assert!(error.contains(why), "{error}");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["tiny.pth", "tiny.safetensors"] {
        let with = |change: fn(&mut ResNetConfig)| {
            let mut config = tiny();
            change(&mut config);
            config
        };
        refused(
            &file(name),
            with(|c| c.blocks[3] = 2),
            "it lacks stages.3.1",
        );
        refused(&file(name), with(|c| c.blocks = vec![1; 3]), "fc.weight");
        refused(&file(name), with(|c| c.classes = 4), "download.pytorch.org");
        let path = folder.path().join(name);
        let whole = std::fs::read(file(name)).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        refused(&path, tiny(), "download.pytorch.org");
        std::fs::write(&path, b"these are no weights").unwrap();
        refused(&path, tiny(), "download.pytorch.org");
    }
    refused(&folder.path().join("absent.pth"), tiny(), "absent.pth");
}

/// A published file of weights, if the machine has it.
fn published(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("IDL_DATA").map(PathBuf::from)?;
    let from_root = Path::new("..").join(&folder);
    let folders = [folder, from_root].into_iter();
    let mut files = folders.map(|folder| folder.join("weights").join(name));
    files.find(|file| file.is_file())
}

/// The input that outputs of published weights were computed of.
fn steps(side: usize, device: &Device) -> Tensor<4> {
    let steps = (0..3 * side * side).map(|k| (k % 17) as f32 / 8.5 - 1.0);
    let shape = [1, 3, side, side];
    Tensor::from_data(TensorData::new(steps.collect::<Vec<f32>>(), shape), device)
}

#[test]
fn the_published_resnet20_gives_its_output() {
    let Some(path) = published("resnet20-12fca82f.th") else {
        return;
    };
    let device = Device::flex();
    let network = ResNetConfig::resnet20(10).load(&path, &device).unwrap();
    assert_eq!(count_parameters(&network), 269_722);
    let want = json!([
        7.669, 8.6348, 6.115, -7.878, -5.2442, -11.3241, 6.3081, -10.9529, 2.8387, 3.8328
    ]);
    let output = network.forward(steps(32, &device));
    assert_numbers("ResNet-20", &values(output), &want, 1e-4);
}

#[test]
fn the_published_efficientnet_lite0_gives_its_output() {
    let Some(path) = published("efficientnet-lite0-57934424.pth") else {
        return;
    };
    let device = Device::flex();
    let network = EfficientNetLite0::load(&path, &device).unwrap();
    assert_eq!(count_parameters(&network), 4_652_008);
    let output = values(network.forward(steps(224, &device)));
    let want = json!([
        -1.8337, -0.0761, -1.3408, 0.0091, -0.091, -1.5526, -1.1341, -0.6069
    ]);
    assert_numbers("EfficientNet-Lite0", &output[..8], &want, 1e-3);
    let best = (0..output.len()).max_by(|a, b| output[*a].total_cmp(&output[*b]));
    assert_eq!(best, Some(892));
}
