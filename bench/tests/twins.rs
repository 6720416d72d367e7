//! Workloads and twins: all are there, weights cross unchanged, and what differs is refused.
//!
//! `twin/` holds the twin of 2.9 as PyTorch wrote it: `python -m torch_side prepare mlp-2.9 tests/twin` in `bench/`.

use std::collections::BTreeMap;
use std::path::Path;

use bench::models::{attention, text};
use bench::registry::{self, NAMES};
use bench::workload::{Options, Workload};
use bench::{exchange, twin};
use burn::store::{ModuleSnapshot, ModuleStore, SafetensorsStore};
use burn::tensor::Device;
use ch06_design::deep::ResidualCnn;
use ch06_design::names::NameClassifier;
use ch06_design::networks::Cnn;
use ch07_autoencoder::auto_regressive::AutoRegressive;
use ch14_advanced::residual::ResidualNet;
use common::Error;
use tempfile::TempDir;

#[test]
fn each_workload_has_a_twin_of_its_name() {
    let python = include_str!("../torch_side/registry.py");
    let twins: Vec<&str> = python
        .lines()
        .filter_map(|line| line.strip_prefix("    \"")?.split('"').next())
        .collect();
    assert_eq!(twins, NAMES);
}

#[test]
fn each_section_of_the_comparison_has_a_workload() {
    let sections = [
        "2.9", "3.5", "5.1", "6.4", "6.9", "6.10", "7.4", "7.7", "8.3", "9.5", "10.5", "11.1",
        "12.2", "12.7", "13.1", "14.6",
    ];
    for section in sections {
        let of_section = |name: &&&str| name.rsplit('-').next() == Some(section);
        assert_eq!(NAMES.iter().filter(of_section).count(), 1, "{section}");
    }
}

/// The tensors of a file by name: shape and bytes.
fn contents(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let mut store = SafetensorsStore::from_file(path);
    let tensors = store.get_all_tensors().unwrap();
    let parts = tensors.values().map(|tensor| {
        let (name, _, shape, _, bytes) = tensor.clone().into_parts().unwrap();
        (name, (shape.to_vec(), bytes.to_vec()))
    });
    parts.collect()
}

/// A file of weights under the names that twins use.
fn store(path: &Path) -> SafetensorsStore {
    SafetensorsStore::from_file(path).skip_enum_variants(true)
}

fn round_trip<W: Workload>() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (
        folder.path().join("1.safetensors"),
        folder.path().join("2.safetensors"),
    );
    let device = Device::flex().autodiff();
    W::fresh(true, &device)
        .save_into(&mut store(&first))
        .unwrap();
    let other = exchange::load(W::fresh(true, &device), &first).unwrap();
    other.save_into(&mut store(&second)).unwrap();
    let written = contents(&first);
    assert!(written.len() > 3);
    assert_eq!(written, contents(&second));
}

#[test]
fn weights_cross_unchanged() {
    round_trip::<ch03_cnn::networks::PooledCnn>();
    round_trip::<Cnn>();
    round_trip::<ResidualCnn>();
    round_trip::<ResidualNet>();
    round_trip::<NameClassifier>();
    round_trip::<AutoRegressive>();
    round_trip::<ch11_seq2seq::Seq2Seq>();
    round_trip::<ch08_detection::unet::UNet>();
    round_trip::<attention::BagNet>();
    round_trip::<text::NewsTransformer>();
}

#[test]
fn weights_of_another_network_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("weights.safetensors");
    let device = Device::flex().autodiff();
    Cnn::fresh(true, &device)
        .save_into(&mut store(&path))
        .unwrap();
    let loaded = exchange::load(ResidualCnn::fresh(true, &device), &path);
    assert!(matches!(loaded, Err(Error::Data(_))));
}

/// A copy of the twin of 2.9.
fn copy_of_twin() -> TempDir {
    let from = Path::new("tests/twin");
    let folder = TempDir::new().unwrap();
    for file in ["weights.safetensors", "batches.safetensors", "twin.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Replaces the value of `key` in the twin's facts.
fn change(folder: &Path, key: &str, value: impl Fn(&serde_json::Value) -> serde_json::Value) {
    let path = folder.join("twin.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut facts: serde_json::Value = serde_json::from_str(&text).unwrap();
    facts[key] = value(&facts[key]);
    std::fs::write(&path, facts.to_string()).unwrap();
}

#[test]
fn the_same_network_passes() {
    let folder = copy_of_twin();
    twin::check("mlp-2.9", folder.path()).unwrap();
}

#[test]
fn other_losses_are_refused() {
    let folder = copy_of_twin();
    change(folder.path(), "losses", |losses| {
        let mut losses = losses.clone();
        losses[9] = (losses[9].as_f64().unwrap() * 1.002).into();
        losses
    });
    let refused = twin::check("mlp-2.9", folder.path()).unwrap_err();
    assert!(refused.to_string().contains("step 9"), "{refused}");
}

#[test]
fn another_learning_rate_is_refused() {
    let folder = copy_of_twin();
    change(folder.path(), "rate_factor", |_| 100.0.into());
    let refused = twin::check("mlp-2.9", folder.path()).unwrap_err();
    assert!(refused.to_string().contains("differ"), "{refused}");
}

#[test]
fn another_number_of_parameters_is_refused() {
    let folder = copy_of_twin();
    change(folder.path(), "parameters", |_| 1081.into());
    let refused = twin::check("mlp-2.9", folder.path()).unwrap_err();
    assert!(refused.to_string().contains("1081"), "{refused}");
}

#[test]
fn missing_and_unknown_files_are_errors() {
    let folder = copy_of_twin();
    let empty = TempDir::new().unwrap();
    assert!(matches!(
        twin::check("mlp-2.9", empty.path()),
        Err(Error::Data(_))
    ));
    assert!(matches!(
        twin::check("mlp", folder.path()),
        Err(Error::Usage(_))
    ));
    std::fs::write(folder.path().join("batches.safetensors"), [1; 40]).unwrap();
    assert!(matches!(
        twin::check("mlp-2.9", folder.path()),
        Err(Error::Data(_))
    ));
    let other = registry::read("cnn-3.5", folder.path(), Options::default());
    assert!(matches!(other, Err(Error::Data(_))));
}
