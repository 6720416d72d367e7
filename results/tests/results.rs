//! The catalogue of all chapters, and what is written from runs.

use std::collections::BTreeSet;
use std::path::Path;

use common::data::Source;
use common::report::{Claim, Metric, Summary, write_report};
use results::{HEADLINES, Runs, chapters, headline, long_form, set_between_marks, table};

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

/// `book` before `quick`, the number that the book has before others, verdicts counted; a run with settings of its own is
/// left out, and one on a stand-in counts only, and says so, where there is no other.
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
    let alone = tempfile::tempdir().unwrap();
    keep(alone.path(), "book-digits", &stand_in);
    let told = row(
        &table(&chapters(), &Runs::read(alone.path()).unwrap()),
        "3.5",
    );
    assert!(
        told.contains("| 0.2000 | 0.9580 | book, stand-in |"),
        "{told}"
    );
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

/// What a file keeps is read back; the later of two runs counts, whichever was there first; no folder of this machine is kept.
#[test]
fn runs_of_several_days_come_together() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("runs.jsonl");
    keep(out.path(), "quick", &run("quick", 0.9));
    let mut smoke = run("smoke", 0.1);
    smoke.config = serde_json::json!({});
    keep(out.path(), "smoke", &smoke);
    let mut runs = Runs::kept(&file).unwrap();
    assert!(runs.best("3.5").is_none());
    runs.merge(Runs::read(out.path()).unwrap());
    runs.keep(&file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(!text.contains("/home/someone"));

    let mut later = run("quick", 0.95);
    later.started = "2026-11-26T01:00:00Z".into();
    let mut tenth = run("quick", 0.5);
    tenth.id = "3.10".into();
    let mut other = run("quick", 0.7);
    other.seed = 43;
    let second = tempfile::tempdir().unwrap();
    keep(second.path(), "quick", &later);
    keep(second.path(), "quick-43", &other);
    keep(second.path(), "tenth", &tenth);
    let value = |runs: &Runs| runs.best("3.5").unwrap().metrics[1].value;
    let mut forward = Runs::kept(&file).unwrap();
    forward.merge(Runs::read(second.path()).unwrap());
    assert_eq!(value(&forward), 0.95);
    let mut backward = Runs::read(second.path()).unwrap();
    backward.merge(Runs::kept(&file).unwrap());
    assert_eq!(value(&backward), 0.95);
    assert_eq!(forward.of("3.5", "quick").len(), 2);
    forward.keep(&file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let ids: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('"').nth(3))
        .collect();
    assert_eq!(ids, ["3.5", "3.5", "3.10"]);

    std::fs::write(&file, "{}\nnot a summary\n").unwrap();
    let error = Runs::kept(&file).err().unwrap().to_string();
    assert!(error.contains("runs.jsonl:1"), "{error}");
}

/// Each headline is a number of its experiment, and what is committed was written by the program from the runs that are committed.
#[test]
fn what_is_written_is_what_was_run() {
    let root = Path::new("..");
    let runs = Runs::kept(&root.join("results/runs.jsonl")).unwrap();
    let chapters = chapters();
    for (id, name) in HEADLINES {
        let found = runs.best(id).map(headline);
        let found = found.flatten().map(|metric| metric.name.as_str());
        assert_eq!(found, Some(*name), "{id}");
    }
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let again = "is out of date: cargo run -p results writes it";
    assert!(
        read("RESULTS.md") == long_form(&chapters, &runs),
        "RESULTS.md {again}"
    );
    let readme = read("README.md");
    let written = set_between_marks(&readme, &table(&chapters, &runs)).unwrap();
    assert!(readme == written, "the table in README.md {again}");
}
