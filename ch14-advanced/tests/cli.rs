//! The program as a user runs it: every experiment at `smoke`, and models shared between experiments.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use cli_setup::{assert_complete, path, run_offline, summary, text};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch14-advanced");

#[test]
fn every_experiment_runs_and_models_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let all = ["run", "--all", "--preset", "smoke", "--out", path(&out)];
    let done = run_offline(PROGRAM, &all);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let run = |id: &str| out.join("ch14").join(id).join("smoke");
    for (id, figures, models) in [
        ("14.1", 1, 0),
        ("14.2", 2, 1),
        ("14.3", 2, 1),
        ("14.4", 1, 0),
        ("14.5", 2, 2),
        ("14.6", 4, 3),
        ("14.7", 1, 0),
        ("14.8", 2, 4),
    ] {
        assert_complete(&run(id), id, figures, models);
    }
    // What 14.7 claims does not depend on training.
    let claims = summary(&run("14.7"))["claims"].as_array().unwrap().clone();
    assert!(claims.iter().all(|claim| claim["held"] == true));
    let said = text(&done.stdout);
    for model in [
        "regular",
        "anti-aliased",
        "ResNet",
        "ReZero",
        "ReZero, MixUp",
    ] {
        let trained = format!("\n{model}  epoch 1/2");
        assert_eq!(said.matches(&trained).count(), 1, "{model}: {said}");
    }
    // The alphas are in ReZero's table, one for each block.
    let table = std::fs::read_to_string(run("14.6").join("metrics.csv")).unwrap();
    assert!(table.lines().next().unwrap().ends_with("model alpha 4"));
}

#[test]
fn as_printed_adds_the_book_s_filter() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let printed = [
        "run",
        "14.4",
        "14.5",
        "--preset",
        "smoke",
        "--as-printed",
        "--out",
        path(&out),
    ];
    let done = run_offline(PROGRAM, &printed);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let folder = out.join("ch14").join("14.5").join("smoke-as-printed");
    assert_complete(&folder, "14.5", 2, 3);
    assert!(text(&done.stdout).contains("the book's filter"));
}
