//! The table of all experiments in the root README.

use std::fmt::Write;

use common::experiment::{Chapter, number};
use common::report::Summary;
use common::{Error, Result};

use crate::runs::is_real;
use crate::{Runs, headline};

const BEGIN: &str = "<!-- experiments: cargo run -p results writes what is between these marks -->";
const END: &str = "<!-- end of experiments -->";

/// A row for each experiment: data, time at `quick`, its [`headline`] beside the book's, how many of the book's claims held.
pub fn table(chapters: &[Chapter], runs: &Runs) -> String {
    let mut text = String::from(
        "| | experiment | data | `quick` takes | | here | the book | preset | claims that hold |\n\
         |---|---|---|---|---|---:|---:|---|---|\n",
    );
    for experiment in chapters.iter().flat_map(|chapter| &chapter.experiments) {
        let run = runs.best(experiment.id);
        let metric = run.and_then(headline);
        let cells = [
            experiment.id.to_string(),
            experiment.title.to_string(),
            experiment.data.to_string(),
            experiment.takes[0].to_string(),
            metric.map_or(String::new(), |m| m.name.clone()),
            metric.map_or(String::new(), |m| number(m.value)),
            metric.and_then(|m| m.book).map_or(String::new(), number),
            run.map_or("none here".to_string(), preset),
            run.map_or(String::new(), score),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn preset(run: &Summary) -> String {
    let stand_in = if is_real(run) { "" } else { ", stand-in" };
    format!("{}{stand_in}", run.preset)
}

fn score(run: &Summary) -> String {
    match run.score() {
        (_, 0) => String::new(),
        (held, all) => format!("{held} of {all}"),
    }
}

/// `text` with `table` between its two marks.
///
/// # Errors
/// [`Error::Data`] when the marks are not there.
pub fn set_between_marks(text: &str, table: &str) -> Result<String> {
    let missing = || Error::Data(format!("the README has no lines `{BEGIN}` and `{END}`"));
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}
