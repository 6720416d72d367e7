//! The program as a user runs it: every experiment at `smoke`, and `classify`.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::process::Output;

use cli_setup::{assert_complete, parameters, path, run_offline, summary, text};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch04-rnn"), arguments)
}

#[test]
fn every_experiment_runs_and_its_model_classifies() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path(&out)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let folder_of = |id: &str| out.join("ch04").join(id).join("smoke");
    for (id, figures, models) in [
        ("4.1", 1, 2),
        ("4.2", 1, 0),
        ("4.3", 1, 1),
        ("4.4", 2, 3),
        ("4.5", 1, 2),
        ("4.6", 1, 3),
    ] {
        assert_complete(&folder_of(id), id, figures, models);
    }
    assert_eq!(parameters(&folder_of("4.1")), [335_114, 269_322]);
    assert_eq!(parameters(&folder_of("4.3")), [90_706]);
    assert_eq!(parameters(&folder_of("4.6")), [90_706, 353_874, 966_226]);
    // What 4.2 claims does not depend on training.
    let claims = summary(&folder_of("4.2"))["claims"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(claims.len(), 2);
    assert!(claims.iter().all(|claim| claim["held"] == true));

    let models = out.join("ch04/4.6/smoke/models");
    let model = models.join("3-layers-both-directions-last.bpk");
    let names = ["Frank", "Müller", "Błok", "王"];
    let classify = ["classify", "--model", path(&model)];
    let done = run(&[&classify[..], &names].concat());
    let said = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(said.contains("Frank, read as \"frank\""), "{said}");
    assert!(said.contains("Müller, read as \"muller\"\n"), "{said}");
    assert!(
        said.contains("Błok, read as \"bok\"; not in the alphabet and left out: 'ł'"),
        "{said}"
    );
    assert!(said.contains("王: has no letter of the alphabet"), "{said}");
    assert!(said.matches(" %").count() >= 3, "{said}");

    let other = models.join("3-layers-last.bpk");
    let refused = run(&["classify", "Frank", "--model", path(&other)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("can't be read as this model"));
}

#[test]
fn a_name_that_can_not_be_read_trains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let done = run(&["classify", "王", "", "--out", path(&out)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout).matches("has no letter").count(), 2);
    assert!(!out.exists(), "nothing was trained");
}

#[test]
fn a_folder_with_damaged_names_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let names = folder.path().join("names");
    std::fs::create_dir(&names).unwrap();
    for language in common::data::LANGUAGES {
        std::fs::write(names.join(format!("{language}.txt")), "abc\n").unwrap();
    }
    std::fs::write(names.join("Greek.txt"), b"abc\n\xff\xfe\n").unwrap();
    let out = folder.path().join("runs");
    let data = ["--data-dir", path(folder.path()), "--out", path(&out)];
    let done = run(&[&["run", "4.3", "--preset", "smoke"], &data[..]].concat());
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(
        said.contains("Greek.txt") && said.contains("line 2 is not UTF-8"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}
