//! A smoke run of every experiment, as the command line would start it.

use std::path::Path;

use ch01_tensors::chapter;
use common::experiment::{Finished, run_all};

/// Runs one experiment with these flags, without the network.
fn run(id: &str, out: &Path, flags: &[&str]) -> common::Result<Finished> {
    let chapter = chapter();
    let experiment = chapter.find(id).unwrap();
    let out = out.to_str().unwrap();
    let always = [
        "ch01-tensors",
        "run",
        id,
        "--quiet",
        "--offline",
        "--out",
        out,
    ];
    let matches = common::cli::command(&chapter).get_matches_from(always.iter().chain(flags));
    let (_, arguments) = matches.subcommand().unwrap();
    let options = common::cli::options(arguments)?;
    let mut finished = run_all(&chapter, &[experiment], &options)?;
    Ok(finished.remove(0))
}

/// Every claim of this chapter holds even in a smoke run.
#[track_caller]
fn assert_complete(run: &Finished) {
    let summary = &run.summary;
    assert!(summary.complete && !summary.claims.is_empty());
    for claim in &summary.claims {
        assert!(
            claim.held,
            "{}: {}: {}",
            summary.id, claim.text, claim.detail
        );
    }
    for metric in &summary.metrics {
        assert!(metric.value.is_finite(), "{}: {}", summary.id, metric.name);
    }
    for figure in &summary.figures {
        for file in [&figure.png, &figure.csv] {
            let bytes = std::fs::metadata(run.folder.join(file)).unwrap().len();
            assert!(bytes > 0, "{}: {file} is empty", summary.id);
        }
    }
}

/// The value of a metric.
fn metric(run: &Finished, name: &str) -> f64 {
    let metrics = &run.summary.metrics;
    metrics
        .iter()
        .find(|metric| metric.name == name)
        .unwrap()
        .value
}

#[test]
fn every_experiment_runs_and_every_claim_holds() {
    let out = tempfile::tempdir().unwrap();
    let figures = [0, 2, 0, 2, 0, 2, 1, 2];
    for (experiment, figures) in chapter().experiments.iter().zip(figures) {
        let finished = run(experiment.id, out.path(), &["--preset", "smoke"]).unwrap();
        assert_complete(&finished);
        assert_eq!(finished.summary.figures.len(), figures, "{}", experiment.id);
    }
}

#[test]
fn the_chapter_has_experiments_1_1_to_1_8() {
    let chapter = chapter();
    let ids: Vec<&str> = chapter
        .experiments
        .iter()
        .map(|experiment| experiment.id)
        .collect();
    assert_eq!(
        ids,
        ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8"]
    );
    assert!(chapter.find(chapter.headline).is_some());
}

#[test]
fn the_books_numbers_come_out() {
    let out = tempfile::tempdir().unwrap();
    let at_a_point = run("1.5", out.path(), &[]).unwrap();
    assert_eq!(metric(&at_a_point, "f(-3.5)"), 30.25);
    assert_eq!(metric(&at_a_point, "gradient at -3.5"), -11.0);
    let by_hand = run("1.6", out.path(), &[]).unwrap();
    assert_eq!(metric(&by_hand, "steps"), 54.0);
    assert!((metric(&by_hand, "x") - 2.0).abs() < 5e-5);
    let optimizer = run("1.7", out.path(), &[]).unwrap();
    assert_eq!(metric(&optimizer, "iterations"), 60.0);
    assert!((metric(&optimizer, "x") - 2.0).abs() < 5e-5);
}

#[cfg(feature = "ndarray")]
#[test]
fn every_experiment_runs_on_ndarray_too() {
    let out = tempfile::tempdir().unwrap();
    for experiment in &chapter().experiments {
        let flags = ["--preset", "smoke", "--device", "ndarray"];
        assert_complete(&run(experiment.id, out.path(), &flags).unwrap());
    }
}

#[test]
fn few_digits_are_split_as_many_are() {
    let out = tempfile::tempdir().unwrap();
    for (limit, rows) in [("1", 2.0), ("7", 14.0), ("100", 200.0)] {
        let finished = run("1.8", out.path(), &["--preset", "smoke", "--limit", limit]).unwrap();
        assert_complete(&finished);
        assert_eq!(metric(&finished, "digits"), rows);
    }
}

#[test]
fn a_step_size_of_one_swings_for_ever_and_the_claims_say_so() {
    let out = tempfile::tempdir().unwrap();
    let finished = run("1.6", out.path(), &["--lr", "1"]).unwrap();
    assert!(finished.summary.complete);
    assert!(finished.summary.claims.iter().all(|claim| !claim.held));
}

#[test]
fn a_step_size_that_overflows_is_an_error() {
    let out = tempfile::tempdir().unwrap();
    for id in ["1.6", "1.7"] {
        match run(id, out.path(), &["--lr", "1e30"]) {
            Err(common::Error::Training(text)) => assert!(text.contains("too large"), "{text}"),
            other => panic!("{:?}", other.map(|run| run.summary.claims)),
        }
    }
}
