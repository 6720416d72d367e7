//! The program as a user runs it: every experiment at `smoke`, models shared between experiments, the book's mistake shown.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::process::Output;

use cli_setup::{assert_complete, run_offline, summary, text};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch06-design"), arguments)
}

#[test]
fn every_experiment_runs_and_models_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let path = out.to_str().unwrap();
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    for (id, figures, models) in [
        ("6.1", 1, 2),
        ("6.2", 2, 0),
        ("6.3", 1, 4),
        ("6.4", 1, 4),
        ("6.5", 1, 6),
        ("6.6", 1, 3),
        ("6.7", 1, 3),
        ("6.8", 1, 3),
        ("6.9", 1, 4),
        ("6.10", 1, 2),
    ] {
        let folder = out.join("ch06").join(id).join("smoke");
        assert_complete(&folder, id, figures, models);
    }
    let said = text(&done.stdout);
    assert_eq!(
        said.matches("\nCNN, batch norm  epoch 1/2").count(),
        1,
        "{said}"
    );
}

#[test]
fn as_printed_adds_the_accuracy_on_the_training_images() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let path = out.to_str().unwrap();
    let done = run(&[
        "run",
        "6.1",
        "--preset",
        "smoke",
        "--as-printed",
        "--out",
        path,
    ]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let summary = summary(&out.join("ch06/6.1/smoke-as-printed"));
    assert_eq!(summary["figures"].as_array().unwrap().len(), 2);
    let again = folder.path().join("again");
    let path = again.to_str().unwrap();
    run(&[
        "run",
        "6.1",
        "--preset",
        "smoke",
        "--as-printed",
        "--out",
        path,
    ]);
    let file = "ch06/6.1/smoke-as-printed/figures/printed.csv";
    let [first, second] = [out, again].map(|folder| std::fs::read(folder.join(file)).unwrap());
    assert_eq!(first, second, "the same seed, other numbers");
}
