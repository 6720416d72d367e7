//! The program as a user runs it: both experiments at `smoke` on the built-in sentences, and `translate`.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::process::Output;

use cli_setup::{assert_complete, path, run_offline, text};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch11-seq2seq"), arguments)
}

#[test]
fn every_experiment_runs_and_its_model_translates() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path(&out)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    assert_eq!(said.matches("\nSeq2Seq  epoch 1/2").count(), 1, "{said}");
    for (id, figures) in [("11.1", 1), ("11.2", 3)] {
        assert_complete(&out.join("ch11").join(id).join("smoke"), id, figures, 1);
    }

    let model = out.join("ch11/11.2/smoke/models/seq2seq-last.bpk");
    let heat = folder.path().join("heat");
    let sentences = ["I see my cat.", "I see a dinosaur", "dinosaurs", ""];
    let options = [
        "translate",
        "--model",
        path(&model),
        "--figure",
        path(&heat),
    ];
    let done = run(&[&options[..], &sentences].concat());
    let said = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(heat.join("i-see-my-cat.png").is_file(), "{said}");
    assert!(said.contains("left out: \"dinosaur\"\n"), "{said}");
    assert_eq!(
        said.matches("nothing that could be translated").count(),
        2,
        "{said}"
    );

    // A model without its vocabulary, and one of another vocabulary.
    let copy = folder.path().join("model.bpk");
    std::fs::copy(&model, &copy).unwrap();
    let refused = run(&["translate", "go", "--model", path(&copy)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("vocabulary.txt"));
    std::fs::write(
        folder.path().join("vocabulary.txt"),
        "<pad>\n<sos>\n<eos>\ngo\n",
    )
    .unwrap();
    let refused = run(&["translate", "go", "--model", path(&copy)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("can't be read as this model"));
}
