//! The program as a user runs it: every experiment at `smoke`, models shared between experiments, a run that is stopped and goes on, digits
//! on demand.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch09-gan"));
    command.current_dir(folder).env_remove("IDL_DATA");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = program(folder);
    command.args(arguments).arg("--offline").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn summary(folder: &Path, id: &str, name: &str) -> Value {
    let file = folder.join("runs/ch09").join(id).join(name);
    serde_json::from_slice(&std::fs::read(file.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn every_experiment_runs_and_models_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let done = run(
        folder,
        &["run", "--all", "--preset", "smoke", "--as-printed"],
    );
    assert!(done.status.success(), "{}", text(&done.stderr));
    for (id, figures, models, animated) in [
        ("9.1", 4, 2, true),
        ("9.2", 3, 1, true),
        ("9.3", 3, 2, true),
        ("9.4", 5, 3, true),
        ("9.5", 4, 3, true),
        ("9.6", 4, 2, true),
        ("9.7", 1, 2, false),
        ("9.8", 1, 2, false),
        ("9.9", 1, 2, false),
        ("9.10", 5, 2, false),
    ] {
        let summary = summary(folder, id, "smoke-as-printed");
        let count = |what: &str| summary[what].as_array().unwrap().len();
        assert_eq!(
            (count("figures"), count("models")),
            (figures, models),
            "{id}"
        );
        assert!(count("claims") > 0, "{id}");
        let run = folder.join("runs/ch09").join(id).join("smoke-as-printed");
        assert_eq!(run.join("figures/progress.gif").is_file(), animated, "{id}");
        let page = std::fs::read_to_string(run.join("report.html")).unwrap();
        assert_eq!(page.contains("figures/progress.gif"), animated, "{id}");
    }
    let said = text(&done.stdout);
    for name in ["digit classifier", "GAN", "WGAN-GP", "conditional WGAN-GP"] {
        let trained = said.matches(&format!("\n{name}  epoch 1/1")).count();
        assert_eq!(trained, 1, "{name}: {said}");
    }

    // A generator that is there already draws what it is asked for, the same each time.
    let model = "runs/ch09/9.6/smoke-as-printed/models/conditional-wgan-gp-last.bpk";
    let ask = |out: &str, seed: &str| {
        let arguments = [
            "sample", "--digits", "2026", "--rows", "3", "--model", model,
        ];
        let done = run(
            folder,
            &[&arguments[..], &["--seed", seed, "--out", out]].concat(),
        );
        assert!(done.status.success(), "{}", text(&done.stderr));
        std::fs::read(folder.join(out)).unwrap()
    };
    let grid = ask("grid.png", "3");
    assert_eq!(grid, ask("again.png", "3"));
    assert_ne!(grid, ask("other.png", "4"));
    // Width and height of a PNG.
    assert_eq!(grid[16..24], [0, 0, 1, 80, 0, 0, 0, 252]);
    let wrong = run(folder, &["sample", "--digits", "2x26", "--model", model]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = run(folder, &["sample", "--model", "runs/index.html"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}

/// The losses of each iteration, as the figure's table has them.
fn losses(folder: &Path) -> Vec<u8> {
    let file = "runs/ch09/9.2/smoke-epochs150/figures/losses.csv";
    std::fs::read(folder.join(file)).unwrap()
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let arguments = [
        "run",
        "9.2",
        "--preset",
        "smoke",
        "--epochs",
        "150",
        "--offline",
    ];
    let whole = tempfile::tempdir().unwrap();
    assert!(run(whole.path(), &arguments[..6]).status.success());

    let folder = tempfile::tempdir().unwrap();
    let mut child = program(folder.path())
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // As soon as there is a checkpoint, kill -9.
    let state = "runs/ch09/9.2/smoke-epochs150.partial/checkpoints/gan-on-gaussians/state.json";
    let state = folder.path().join(state);
    while !state.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(state.exists());
    let stopped: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    let done = stopped["losses"].as_array().unwrap().len();
    assert!(
        (1..300).contains(&done),
        "{done} iterations before the kill"
    );
    let resumed = run(folder.path(), &[&arguments[..6], &["--resume"]].concat());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert_eq!(losses(whole.path()), losses(folder.path()));
}
