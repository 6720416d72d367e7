//! The program as a user runs it: every experiment at `smoke`, and `sample`.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::process::Output;

use cli_setup::{assert_complete, parameters, path, run_offline, summary, text};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch07-autoencoder"), arguments)
}

#[test]
fn every_experiment_runs_and_its_model_writes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path(&out)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let folder_of = |id: &str| out.join("ch07").join(id).join("smoke");
    let wide = 17_240_944;
    let alphabet = out.join("ch07/7.7/smoke/models/alphabet.txt");
    let symbols = std::fs::read_to_string(alphabet).unwrap().chars().count() as u64;
    // 161 for each symbol: its embedding and its output.
    let characters = 178_560 + 161 * symbols;
    for (id, figures, models) in [
        ("7.1", 2, vec![1_568]),
        ("7.2", 2, vec![1_568, 3_922]),
        ("7.3", 2, vec![1_568, 3_922, 928_256]),
        ("7.4", 2, vec![928_256, wide]),
        ("7.5", 1, vec![wide, wide]),
        ("7.6", 1, vec![wide, wide]),
        // The stand-in for Shakespeare has fewer symbols.
        ("7.7", 1, vec![characters]),
        ("7.8", 1, vec![characters]),
        ("7.9", 1, vec![characters]),
    ] {
        assert_complete(&folder_of(id), id, figures, models.len());
        assert_eq!(parameters(&folder_of(id)), models, "{id}");
    }
    let said = text(&done.stdout);
    // A network that several experiments want is trained once.
    for name in ["PCA", "big autoencoder", "character GRU"] {
        assert_eq!(
            said.matches(&format!("\n{name}  epoch 1/")).count(),
            1,
            "{said}"
        );
    }
    assert_eq!(said.matches("  | emilia:").count(), 4, "{said}");
    // Both ways to sample agree, trained or not.
    let claims = summary(&folder_of("7.9"))["claims"].clone();
    assert_eq!(claims[0]["held"], true, "{claims:?}");

    let model = out.join("ch07/7.7/smoke/models/character-gru-last.bpk");
    let sample = |more: &[&str]| run(&[&["sample", "--model", path(&model)], more].concat());
    let once = sample(&[
        "--prompt",
        "Emilia:",
        "--length",
        "60",
        "--temperature",
        "0.75",
    ]);
    assert!(once.status.success(), "{}", text(&once.stderr));
    let written = text(&once.stdout);
    assert!(written.starts_with("emilia:"), "{written}");
    assert_eq!(written.chars().count(), 61, "{written:?}");
    let again = sample(&["--length", "60"]);
    assert_eq!(text(&again.stdout), written, "the defaults, the same seed");
    let other = sample(&["--length", "60", "--seed", "7"]);
    assert_ne!(text(&other.stdout), written);

    let left_out = sample(&["--prompt", "王emilia", "--length", "9"]);
    assert!(text(&left_out.stderr).contains("does not know '王': left out"));
    assert!(text(&left_out.stdout).starts_with("emilia"));
    for (arguments, why) in [
        (&["--prompt", "王"][..], "knows none of '王'"),
        (&["--prompt", ""], "at least one character"),
        (&["--temperature", "0"], "a positive number"),
        (&["--temperature", "-1"], "a positive number"),
        (&["--length", "0"], "at least 1"),
    ] {
        let refused = sample(arguments);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }

    // A file that is no such model, and a model without its symbols.
    let other = out.join("ch07/7.1/smoke/models/pca-last.bpk");
    let refused = run(&["sample", "--model", path(&other)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("alphabet.txt"),
        "{}",
        text(&refused.stderr)
    );
    std::fs::copy(&other, &model).unwrap();
    let refused = sample(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("can't be read as this model"));
}

#[test]
fn the_book_s_slip_of_7_6_is_shown_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let arguments = [
        "run",
        "7.6",
        "--preset",
        "smoke",
        "--limit",
        "8",
        "--as-printed",
    ];
    let done = run(&[&arguments[..], &["--out", path(&out)]].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    let folder = out.join("ch07/7.6/smoke-limit8-as-printed");
    assert_eq!(parameters(&folder).len(), 4);
}
