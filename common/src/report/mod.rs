//! What a run leaves for its reader: `summary.json`, the page `report.html`, and the gallery `index.html` over all runs.
//!
//! The pages are plain HTML with their style inside: they open from disk, without a network and without scripts.

mod gallery;
mod page;
mod summary;

use std::path::{Path, PathBuf};

pub use summary::{Claim, FigureEntry, Metric, ModelSummary, Summary, Table};

use crate::files::write_atomic;
use crate::{Error, Result};

/// Writes `summary.json` and `report.html` into a run's folder. Gives the page.
///
/// # Errors
/// [`Error::Io`] when they can't be written.
pub fn write_report(folder: &Path, summary: &Summary) -> Result<PathBuf> {
    let json = serde_json::to_vec_pretty(summary);
    let json = json.map_err(|error| Error::Training(format!("summary.json: {error}")))?;
    write_atomic(&folder.join("summary.json"), &json)?;
    write_page(folder, summary)
}

fn write_page(folder: &Path, summary: &Summary) -> Result<PathBuf> {
    let path = folder.join("report.html");
    write_atomic(&path, page::render(summary).as_bytes())?;
    Ok(path)
}

/// Writes `index.html` in `out`: all finished runs with their figures. Gives the page.
///
/// # Errors
/// [`Error::Io`] when a folder can't be read or the page can't be written.
pub fn write_gallery(out: &Path) -> Result<PathBuf> {
    let path = out.join("index.html");
    let page = gallery::render(&finished(out)?);
    write_atomic(&path, page.as_bytes())?;
    Ok(path)
}

/// Writes the pages of all finished runs in `out` anew, and the gallery. Gives the number of runs and the gallery.
///
/// # Errors
/// [`Error::Io`] when a folder can't be read or a page can't be written.
pub fn rebuild(out: &Path) -> Result<(usize, PathBuf)> {
    let runs = finished(out)?;
    for run in &runs {
        write_page(&out.join(&run.folder), &run.summary)?;
    }
    Ok((runs.len(), write_gallery(out)?))
}

/// A finished run, found on disk.
pub struct Found {
    /// Relative to the gallery: `ch03/3.5/quick`.
    pub folder: PathBuf,
    /// What it found.
    pub summary: Summary,
}

/// All runs `chNN/ID/NAME` below `out` that have a readable summary, in the book's order.
///
/// # Errors
/// [`Error::Io`] when a folder can't be read.
pub fn finished(out: &Path) -> Result<Vec<Found>> {
    let mut runs = Vec::new();
    if !out.is_dir() {
        return Ok(runs);
    }
    for chapter in folders(out)? {
        for experiment in folders(&chapter)? {
            for run in folders(&experiment)? {
                let unfinished = run
                    .extension()
                    .is_some_and(|e| e == "partial" || e == "stopped");
                let Ok(bytes) = std::fs::read(run.join("summary.json")) else {
                    continue;
                };
                // A summary that can't be read (of another version, or damaged) is no reason to show nothing of the others.
                let Ok(summary) = serde_json::from_slice::<Summary>(&bytes) else {
                    eprintln!("{}: not a summary of this version", run.display());
                    continue;
                };
                if summary.complete && !unfinished {
                    let folder = run.strip_prefix(out).unwrap_or(&run).to_path_buf();
                    runs.push(Found { folder, summary });
                }
            }
        }
    }
    let place = |id: &str| -> Vec<u32> { id.split('.').map(|n| n.parse().unwrap_or(0)).collect() };
    runs.sort_by_key(|run| (place(&run.summary.id), run.folder.clone()));
    Ok(runs)
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(parent).map_err(Error::io(parent))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(out: &Path, folder: &str, id: &str, complete: bool) {
        let summary = Summary {
            id: id.into(),
            title: "A <title> & more".into(),
            chapter: "ch03-cnn".into(),
            metrics: vec![Metric {
                name: "loss".into(),
                value: f64::NAN,
                book: Some(0.5),
            }],
            figures: vec![FigureEntry {
                name: "fit".into(),
                title: "Fit".into(),
                caption: "A \"fit\"".into(),
                png: "figures/fit.png".into(),
                csv: "figures/fit.csv".into(),
                alt: "a line".into(),
            }],
            complete,
            ..Summary::default()
        };
        write_report(&out.join(folder), &summary).unwrap();
    }

    #[test]
    fn the_gallery_shows_finished_runs_in_the_books_order() {
        let out = tempfile::tempdir().unwrap();
        run(out.path(), "ch03/3.10/quick", "3.10", true);
        run(out.path(), "ch03/3.2/quick", "3.2", true);
        run(out.path(), "ch03/3.3/quick.partial", "3.3", true);
        run(out.path(), "ch03/3.4/quick", "3.4", false);
        let (count, gallery) = rebuild(out.path()).unwrap();
        assert_eq!(count, 2);
        let html = std::fs::read_to_string(gallery).unwrap();
        let at = |text: &str| html.find(text).unwrap_or(usize::MAX);
        assert!(at("ch03/3.2/quick/figures/fit.png") < at("ch03/3.10/quick/figures/fit.png"));
        assert!(!html.contains("quick.partial") && !html.contains("ch03/3.4"));
    }

    #[test]
    fn text_is_escaped_and_a_missing_number_is_a_dash() {
        let out = tempfile::tempdir().unwrap();
        run(out.path(), "ch03/3.2/quick", "3.2", true);
        let html = std::fs::read_to_string(out.path().join("ch03/3.2/quick/report.html")).unwrap();
        assert!(html.contains("A &lt;title&gt; &amp; more") && !html.contains("<title>A <"));
        assert!(html.contains("<td class=\"number\">-</td>"));
        assert!(html.contains("../../../index.html"));
    }

    #[test]
    fn a_damaged_summary_does_not_hide_the_others() {
        let out = tempfile::tempdir().unwrap();
        run(out.path(), "ch03/3.2/quick", "3.2", true);
        run(out.path(), "ch03/3.3/quick", "3.3", true);
        std::fs::write(out.path().join("ch03/3.3/quick/summary.json"), "{").unwrap();
        assert_eq!(rebuild(out.path()).unwrap().0, 1);
    }
}
