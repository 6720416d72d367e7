//! The program as a user runs it: every experiment at `smoke` on invented news, models shared between experiments, and `classify`.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use cli_setup::{assert_complete, path, run_offline, summary, text};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch12-transformer");

#[test]
fn every_experiment_runs_and_a_network_classifies() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let all = ["run", "--all", "--preset", "smoke", "--out", path(&out)];
    let done = run_offline(PROGRAM, &all);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let run = |id: &str| out.join("ch12").join(id).join("smoke");
    for (id, figures, models) in [
        ("12.1", 3, 1),
        ("12.2", 2, 2),
        ("12.3", 3, 3),
        ("12.4", 2, 3),
        ("12.5", 2, 3),
        ("12.6", 3, 3),
        ("12.7", 4, 3),
        ("12.8", 3, 0),
    ] {
        assert_complete(&run(id), id, figures, models);
    }
    // What 12.8 claims does not depend on training.
    let claims = summary(&run("12.8"))["claims"].as_array().unwrap().clone();
    assert!(claims.iter().all(|claim| claim["held"] == true));
    let said = text(&done.stdout);
    for model in ["GRU", "average", "attention + position", "transformer"] {
        let trained = format!("\n{model}  epoch 1/2");
        assert_eq!(said.matches(&trained).count(), 1, "{model}: {said}");
    }

    let models = run("12.7").join("models");
    let model = models.join("transformer-last.bpk");
    let texts = ["The bank and its shares", "The zyzzyva", "qwertz", ""];
    let asked = [&["classify", "--model", path(&model)][..], &texts].concat();
    let done = run_offline(PROGRAM, &asked);
    let said = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(said.matches("sci/tech").count(), 2, "{said}");
    assert_eq!(said.matches("weights:").count(), 2, "{said}");
    assert!(said.contains("not in the vocabulary: zyzzyva"), "{said}");
    assert_eq!(
        said.matches("no word that the network knows").count(),
        2,
        "{said}"
    );

    // A file of another name, and a model without its vocabulary.
    let other = folder.path().join("other.bpk");
    std::fs::copy(&model, &other).unwrap();
    let refused = run_offline(PROGRAM, &["classify", "go", "--model", path(&other)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("which network is it?"));
    let alone = folder.path().join("transformer-last.bpk");
    std::fs::copy(&model, &alone).unwrap();
    let refused = run_offline(PROGRAM, &["classify", "go", "--model", path(&alone)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("vocabulary.txt"));
}
