//! The program as a user runs it: every experiment at `smoke`, models shared between experiments, a search resumed.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ch05-training"))
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
    let file = out.join("ch05").join(id).join("smoke/summary.json");
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
        ("5.1", 1, 1),
        ("5.2", 2, 2),
        ("5.3", 3, 2),
        ("5.4", 3, 2),
        ("5.5", 1, 1),
        ("5.6", 3, 3),
        ("5.7", 2, 5),
        ("5.8", 1, 2),
        ("5.9", 1, 3),
        ("5.10", 1, 4),
        ("5.11", 1, 4),
        ("5.12", 1, 2),
        ("5.13", 2, 0),
        ("5.14", 4, 0),
        ("5.15", 3, 0),
    ] {
        let summary = summary(&out, id);
        assert_eq!(summary["id"], id);
        let run = out.join("ch05").join(id).join("smoke");
        assert_eq!(
            summary["figures"].as_array().unwrap().len(),
            figures,
            "{id}"
        );
        for figure in summary["figures"].as_array().unwrap() {
            let png = std::fs::read(run.join(figure["png"].as_str().unwrap())).unwrap();
            let picture = image::load_from_memory(&png).unwrap().to_rgb8();
            let first = picture.get_pixel(0, 0);
            assert!(
                picture.pixels().any(|pixel| pixel != first),
                "{id}: an empty figure"
            );
        }
        let trained = summary["models"].as_array().unwrap();
        assert_eq!(trained.len(), models, "{id}");
        assert!(trained.iter().all(|m| m["parameters"] == 134_794), "{id}");
        assert!(!summary["claims"].as_array().unwrap().is_empty(), "{id}");
    }
    // The training of 5.1 is trained once, and taken over nine times: 5.2 to 5.10.
    let said = text(&done.stdout);
    assert_eq!(said.matches("\nSGD  taken from").count(), 9, "{said}");
    assert_eq!(said.matches("\nSGD  epoch 1/2").count(), 1, "{said}");
    // Stopped and resumed equals not stopped, at any preset.
    let claims = summary(&out, "5.1")["claims"].clone();
    let resumed = claims.as_array().unwrap().last().unwrap();
    assert_eq!(resumed["held"], true, "{resumed}");
}

#[test]
fn a_search_is_resumed_after_its_last_whole_trial() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let arguments = [
        "run",
        "5.15",
        "--preset",
        "smoke",
        "--out",
        out.to_str().unwrap(),
    ];
    let done = run(&arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let finished = out.join("ch05/5.15/smoke");
    let straight = summary(&out, "5.15");
    let file = finished.join("studies/pruned.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    // As if killed while trial 3 was being written.
    let lines: Vec<&str> = whole.lines().collect();
    let half = &lines[4][..20];
    let part = format!("{}\n{half}", lines[..4].join("\n"));
    std::fs::write(&file, part).unwrap();
    std::fs::rename(&finished, out.join("ch05/5.15/smoke.partial")).unwrap();

    let resumed = run(&[&arguments[..], &["--resume"]].concat());
    let said = text(&resumed.stdout);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(said.contains("3 trials were there already"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), whole);
    let again = summary(&out, "5.15");
    assert_eq!(again["metrics"], straight["metrics"]);
    assert_eq!(again["claims"], straight["claims"]);

    let other = run(&[&arguments[..], &["--resume", "--lr", "0.5"]].concat());
    assert!(
        other.status.success(),
        "another folder: nothing to resume there"
    );
}
