//! The catalogue of all chapters, and what is written from runs.

use std::collections::BTreeSet;
use std::path::Path;

use common::data::Source;
use common::report::{Claim, Metric, Summary, write_report};
use results::{Runs, chapters, long_form, set_between_marks, table};

fn run(preset: &str, value: f64) -> Summary {
    Summary {
        id: "3.5".into(),
        title: "Pooling".into(),
        chapter: "ch03-cnn".into(),
        preset: preset.into(),
        device: "flex".into(),
        started: "2026-11-25T14:58:05Z".into(),
        data: vec![Source {
            name: "MNIST".into(),
            origin: "folder /home/someone/mnist".into(),
            real: true,
            train: 60,
            test: 10,
        }],
        metrics: vec![
            Metric {
                name: "a|b".into(),
                value: 0.25,
                book: None,
            },
            Metric {
                name: "test accuracy".into(),
                value,
                book: Some(0.958),
            },
        ],
        claims: vec![Claim {
            text: "pooling helps".into(),
            held: false,
            detail: "0.1 against 0.2".into(),
        }],
        complete: true,
        ..Summary::default()
    }
}

fn keep(out: &Path, folder: &str, summary: &Summary) {
    write_report(&out.join("ch03/3.5").join(folder), summary).unwrap();
}

fn row(text: &str, id: &str) -> String {
    let start = format!("| {id} |");
    text.lines()
        .find(|line| line.starts_with(&start))
        .unwrap()
        .to_string()
}

/// The book's 112 experiments.
#[test]
fn all_experiments_are_there_in_the_books_order() {
    let count = [8, 9, 7, 6, 15, 10, 9, 7, 10, 6, 2, 8, 7, 8];
    let chapters = chapters();
    let expected: Vec<String> = (1..=chapters.len())
        .flat_map(|chapter| (1..=count[chapter - 1]).map(move |n| format!("{chapter}.{n}")))
        .collect();
    let all: Vec<String> = chapters
        .iter()
        .flat_map(|chapter| chapter.experiments.iter().map(|e| e.id.to_string()))
        .collect();
    assert_eq!(all.len(), 112);
    assert_eq!(all, expected);
    let names: BTreeSet<&str> = chapters.iter().map(|chapter| chapter.name).collect();
    assert_eq!(names.len(), chapters.len());
}

/// `book` before `quick`, the number that the book has before others, verdicts counted; a run with settings of its own and one on a stand-in
/// are left out.
#[test]
fn the_table_tells_of_the_best_run() {
    let out = tempfile::tempdir().unwrap();
    let before = table(&chapters(), &Runs::read(out.path()).unwrap());
    assert!(row(&before, "3.5").contains("none here"), "{before}");

    keep(out.path(), "quick", &run("quick", 0.943));
    let mut own = run("book", 0.1);
    own.config = serde_json::json!({ "epochs": 3 });
    keep(out.path(), "book-epochs3", &own);
    let mut stand_in = run("book", 0.2);
    stand_in.data[0].real = false;
    keep(out.path(), "book-digits", &stand_in);
    let quick = row(&table(&chapters(), &Runs::read(out.path()).unwrap()), "3.5");
    assert!(
        quick.contains("| test accuracy | 0.9430 | 0.9580 | quick | 0 of 1 |"),
        "{quick}"
    );

    keep(out.path(), "book", &run("book", 0.9555));
    let book = row(&table(&chapters(), &Runs::read(out.path()).unwrap()), "3.5");
    assert!(book.contains("| 0.9555 | 0.9580 | book |"), "{book}");
}

/// Numbers, verdicts, data; no folder of this machine.
#[test]
fn the_long_form_has_every_number_and_verdict() {
    let out = tempfile::tempdir().unwrap();
    keep(out.path(), "quick", &run("quick", 0.943));
    let text = long_form(&chapters(), &Runs::read(out.path()).unwrap());
    for part in [
        "### 3.5 ",
        "**quick**, seed 0, device flex, 2026-11-25",
        "MNIST (60 to train, 10 to test)",
        "| test accuracy | 0.9430 | 0.9580 |",
        "| a\\|b | 0.2500 |  |",
        "- **fails**: pooling helps (0.1 against 0.2)",
        "\nNo run here.\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    assert!(!text.contains("/home/someone"));
}

/// Only what is between the marks changes, and a second time changes nothing.
#[test]
fn the_table_goes_between_the_marks() {
    let readme = include_str!("../../README.md");
    let once = set_between_marks(readme, "| table |\n").unwrap();
    assert!(once.contains("| table |"));
    assert_eq!(once, set_between_marks(&once, "| table |\n").unwrap());
    let (before, _) = readme.split_once("<!-- experiments").unwrap();
    assert!(once.starts_with(before));
    assert!(set_between_marks("no marks", "").is_err());
}
