//! The program as a user runs it: every experiment at `smoke`, and models shared between experiments.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use cli_setup::{assert_complete, path, run_offline, summary, text};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch10-attention");

#[test]
fn every_experiment_runs_and_models_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let all = ["run", "--all", "--preset", "smoke", "--out", path(&out)];
    let done = run_offline(PROGRAM, &all);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let run = |id: &str| out.join("ch10").join(id).join("smoke");
    for (id, figures, models) in [
        ("10.1", 2, 1),
        ("10.2", 1, 2),
        ("10.3", 1, 1),
        ("10.4", 1, 0),
        ("10.5", 1, 5),
        ("10.6", 2, 1),
    ] {
        assert_complete(&run(id), id, figures, models);
    }
    // What 10.4 claims does not depend on training; nor does the last claim of 10.6, on padding.
    let claims = |id: &str| summary(&run(id))["claims"].as_array().unwrap().clone();
    assert!(claims("10.4").iter().all(|claim| claim["held"] == true));
    assert_eq!(claims("10.6").last().unwrap()["held"], true);
    let said = text(&done.stdout);
    for model in ["all pixels", "simple attention", "dot score"] {
        let trained = format!("\n{model}  epoch 1/2");
        assert_eq!(said.matches(&trained).count(), 1, "{model}: {said}");
    }
}
