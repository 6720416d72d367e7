//! What the tests of a chapter's program share: run it as a user does, and read what it wrote.
//!
//! A chapter takes it in with `#[path = "../../common/tests/cli_setup/mod.rs"] mod cli_setup;`.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs a chapter's program on what is built in, so that the result is the same on each machine.
pub fn run_offline(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .arg("--offline")
        .env_remove("IDL_DATA")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is UTF-8")
}

/// The summary of a run in its folder.
pub fn summary(run: &Path) -> Value {
    let file = run.join("summary.json");
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&bytes).expect("JSON")
}

/// How many figures and trained models the run in `folder` of experiment `id` has. Each figure must be a picture of more than one colour, and
/// the run must have judged a claim and written its page.
pub fn assert_complete(folder: &Path, id: &str, figures: usize, models: usize) {
    let summary = summary(folder);
    assert_eq!(summary["id"], id);
    let list = |what: &str| summary[what].as_array().expect("a list").clone();
    assert_eq!(list("figures").len(), figures, "figures of {id}");
    assert_eq!(list("models").len(), models, "models of {id}");
    for figure in list("figures") {
        let png = std::fs::read(folder.join(figure["png"].as_str().unwrap())).unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        let first = picture.get_pixel(0, 0);
        assert!(
            picture.pixels().any(|pixel| pixel != first),
            "{id}: an empty figure"
        );
    }
    assert!(!list("claims").is_empty(), "claims of {id}");
    assert!(folder.join("report.html").is_file(), "page of {id}");
}

/// The numbers of parameters of a run's models, in the order of training.
pub fn parameters(run: &Path) -> Vec<u64> {
    let models = summary(run)["models"].as_array().expect("a list").clone();
    let count = |model: &Value| model["parameters"].as_u64().expect("a number");
    models.iter().map(count).collect()
}
