//! The program as a user runs it: every experiment at `smoke`, models shared between experiments, a run that is stopped and goes on, digits
//! on demand.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use cli_setup::{assert_complete, path, run_offline, text};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch09-gan");

fn run(arguments: &[&str]) -> Output {
    run_offline(PROGRAM, arguments)
}

#[test]
fn every_experiment_runs_and_models_are_shared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let all = ["run", "--all", "--preset", "smoke", "--as-printed"];
    let done = run(&[&all[..], &["--out", path(&out)]].concat());
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
        let run = out.join("ch09").join(id).join("smoke-as-printed");
        assert_complete(&run, id, figures, models);
        assert_eq!(run.join("figures/progress.gif").is_file(), animated, "{id}");
        let page = std::fs::read_to_string(run.join("report.html")).unwrap();
        assert_eq!(page.contains("figures/progress.gif"), animated, "{id}");
    }
    let said = text(&done.stdout);
    for name in ["digit classifier", "GAN", "WGAN-GP", "conditional WGAN-GP"] {
        let trained = said.matches(&format!("\n{name}  epoch 1/1")).count();
        assert_eq!(trained, 1, "{name}: {said}");
    }
    let model = "ch09/9.6/smoke-as-printed/models/conditional-wgan-gp-last.bpk";
    digits_on_demand(folder.path(), &out.join(model));
}

/// A generator that is there already draws what it is asked for, the same each time.
fn digits_on_demand(folder: &Path, model: &Path) {
    let ask = |name: &str, seed: &str| {
        let file = folder.join(name);
        let model = [
            "sample",
            "--model",
            path(model),
            "--digits",
            "2026",
            "--rows",
            "3",
        ];
        let done = run(&[&model[..], &["--seed", seed, "--out", path(&file)]].concat());
        assert!(done.status.success(), "{}", text(&done.stderr));
        std::fs::read(file).unwrap()
    };
    let grid = ask("grid.png", "3");
    assert_eq!(grid, ask("again.png", "3"));
    assert_ne!(grid, ask("other.png", "4"));
    let picture = image::load_from_memory(&grid).unwrap();
    assert_eq!([picture.width(), picture.height()], [4 * 84, 3 * 84]);
    let wrong = run(&["sample", "--digits", "2x26", "--model", path(model)]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = run(&["sample", "--model", path(&folder.join("again.png"))]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}

const LONG: [&str; 7] = ["run", "9.2", "--preset", "smoke", "--epochs", "40", "--out"];

fn start(out: &Path) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(LONG).arg(out).stdout(Stdio::null());
    command.stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until the run has a checkpoint.
fn wait_for_checkpoint(child: &mut Child, out: &Path) {
    let run = out.join("ch09/9.2/smoke-epochs40.partial");
    let state = run.join("checkpoints/gan-on-gaussians/state.json");
    while !state.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(state.exists());
}

/// The losses of all iterations, as the figure's table has them.
fn losses(out: &Path) -> Vec<u8> {
    let file = "ch09/9.2/smoke-epochs40/figures/losses.csv";
    std::fs::read(out.join(file)).unwrap()
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let [whole, killed, interrupted] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    assert!(start(whole.path()).wait().unwrap().success());
    let resume = |out: &Path| {
        let resumed = run(&[&LONG[..], &[path(out), "--resume"]].concat());
        assert!(resumed.status.success(), "{}", text(&resumed.stderr));
        assert_eq!(losses(whole.path()), losses(out));
    };

    let mut child = start(killed.path());
    wait_for_checkpoint(&mut child, killed.path());
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    resume(killed.path());

    // Ctrl-C writes a checkpoint of the iteration it comes after.
    let mut child = start(interrupted.path());
    wait_for_checkpoint(&mut child, interrupted.path());
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let state = "ch09/9.2/smoke-epochs40.partial/checkpoints/gan-on-gaussians/state.json";
    let state = std::fs::read(interrupted.path().join(state)).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    let done = state["losses"].as_array().unwrap().len();
    assert!((1..80).contains(&done), "{done} iterations");
    resume(interrupted.path());
}
