//! The program as a user runs it: every experiment at `smoke`, and models shared between experiments.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ch10-attention"))
        .args(arguments)
        .arg("--offline")
        .env_remove("IDL_DATA")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn summary(out: &Path, id: &str) -> Value {
    let file = out.join("ch10").join(id).join("smoke/summary.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn every_experiment_runs_and_models_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let path = out.to_str().unwrap();
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    for (id, figures, models) in [
        ("10.1", 2, 1),
        ("10.2", 1, 2),
        ("10.3", 1, 1),
        ("10.4", 1, 0),
        ("10.5", 1, 5),
        ("10.6", 2, 1),
    ] {
        let summary = summary(&out, id);
        let count = |what: &str| summary[what].as_array().unwrap().len();
        assert_eq!(
            (count("figures"), count("models")),
            (figures, models),
            "{id}"
        );
        assert!(count("claims") > 0, "{id}");
        let folder = out.join("ch10").join(id).join("smoke");
        for figure in summary["figures"].as_array().unwrap() {
            let png = std::fs::read(folder.join(figure["png"].as_str().unwrap())).unwrap();
            let picture = image::load_from_memory(&png).unwrap().to_rgb8();
            let first = picture.get_pixel(0, 0);
            assert!(
                picture.pixels().any(|p| p != first),
                "{id}: an empty figure"
            );
        }
    }
    // What 10.4 claims does not depend on training; nor does the last claim of 10.6, on padding.
    let claims = |id: &str| summary(&out, id)["claims"].as_array().unwrap().clone();
    assert!(claims("10.4").iter().all(|claim| claim["held"] == true));
    assert_eq!(claims("10.6").last().unwrap()["held"], true);
    let said = text(&done.stdout);
    for model in ["all pixels", "simple attention", "dot score"] {
        let trained = format!("\n{model}  epoch 1/2");
        assert_eq!(said.matches(&trained).count(), 1, "{model}: {said}");
    }
}
