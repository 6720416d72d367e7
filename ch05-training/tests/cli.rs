//! The program as a user runs it: every experiment at `smoke`, models shared between experiments, a search resumed.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::path::{Path, PathBuf};
use std::process::Output;

use cli_setup::{assert_complete, parameters, run_offline, summary, text};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch05-training"), arguments)
}

fn folder_of(out: &Path, id: &str) -> PathBuf {
    out.join("ch05").join(id).join("smoke")
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
        assert_complete(&folder_of(&out, id), id, figures, models);
        let trained = parameters(&folder_of(&out, id));
        assert!(trained.iter().all(|count| *count == 134_794), "{id}");
    }
    // The training of 5.1 is trained once, and taken over nine times: 5.2 to 5.10.
    let said = text(&done.stdout);
    assert_eq!(said.matches("\nSGD  taken from").count(), 9, "{said}");
    assert_eq!(said.matches("\nSGD  epoch 1/2").count(), 1, "{said}");
    // Stopped and resumed equals not stopped, at any preset.
    let claims = summary(&folder_of(&out, "5.1"))["claims"].clone();
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
    let straight = summary(&folder_of(&out, "5.15"));
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
    let again = summary(&folder_of(&out, "5.15"));
    assert_eq!(again["metrics"], straight["metrics"]);
    assert_eq!(again["claims"], straight["claims"]);

    let other = run(&[&arguments[..], &["--resume", "--lr", "0.5"]].concat());
    assert!(
        other.status.success(),
        "another folder: nothing to resume there"
    );
}
