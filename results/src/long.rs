//! `RESULTS.md`: every number and every verdict.

use std::fmt::Write;

use common::data::Source;
use common::experiment::{Chapter, Experiment, number};
use common::report::Summary;

use crate::Runs;

/// The long form: each experiment with its claim, and its runs at `quick` and `book` with data, device, date, numbers and verdicts.
pub fn long_form(chapters: &[Chapter], runs: &Runs) -> String {
    let mut text = String::from(
        "# Results\n\n\
         Written by `cargo run -p results` from the runs that are named below. Where a data set was not at hand, the \
         stand-in or the part of it that was used is named. What a claim that fails means is told in the chapter's README.\n",
    );
    for chapter in chapters {
        let _ = write!(text, "\n## Chapter {}: {}\n", chapter.number, chapter.title);
        for experiment in &chapter.experiments {
            write_experiment(&mut text, experiment, runs);
        }
    }
    text
}

fn write_experiment(text: &mut String, experiment: &Experiment, runs: &Runs) {
    let (id, title, claim) = (experiment.id, experiment.title, experiment.claim);
    let _ = write!(text, "\n### {id} {title}\n\n{claim}\n");
    let found: Vec<&Summary> = ["quick", "book"]
        .iter()
        .flat_map(|preset| runs.of(id, preset))
        .collect();
    for run in &found {
        write_run(text, run);
    }
    if found.is_empty() {
        text.push_str("\nNo run here.\n");
    }
}

fn write_run(text: &mut String, run: &Summary) {
    let day = run.started.get(..10).unwrap_or(&run.started);
    let _ = write!(text, "\n**{}**, seed {}, ", run.preset, run.seed);
    let _ = write!(
        text,
        "device {}, {day}, {:.0} s",
        run.device,
        run.wall_seconds.max(1.0)
    );
    if let Some(commit) = &run.commit {
        let _ = write!(text, ", commit {commit}");
    }
    let data: Vec<String> = run.data.iter().map(size).collect();
    if !data.is_empty() {
        let _ = write!(text, "; {}", data.join(", "));
    }
    text.push('\n');
    if !run.metrics.is_empty() {
        text.push_str("\n| | here | the book |\n|---|---:|---:|\n");
        for metric in &run.metrics {
            let book = metric.book.map_or(String::new(), number);
            let name = metric.name.replace('|', "\\|");
            let _ = writeln!(text, "| {name} | {} | {book} |", number(metric.value));
        }
    }
    if !run.claims.is_empty() {
        text.push('\n');
    }
    for claim in &run.claims {
        let verdict = if claim.held { "holds" } else { "**fails**" };
        let _ = writeln!(text, "- {verdict}: {} ({})", claim.text, claim.detail);
    }
}

/// A data set and how much of it there was.
fn size(source: &Source) -> String {
    let Source {
        name, train, test, ..
    } = source;
    let what = if source.real { "" } else { "a stand-in for " };
    match test {
        0 => format!("{what}{name} ({train})"),
        test => format!("{what}{name} ({train} to train, {test} to test)"),
    }
}
