//! The gallery over all runs.

use std::path::Path;

use maud::{Markup, html};

use super::Found;
use super::page::{document, facts};

/// The page that shows `runs`, chapter by chapter.
pub(super) fn render(runs: &[Found]) -> String {
    let mut chapters: Vec<&str> = runs
        .iter()
        .map(|run| run.summary.chapter.as_str())
        .collect();
    chapters.dedup();
    let body = html! {
        h1 { "Inside Deep Learning in Rust: runs" }
        @if runs.is_empty() {
            p { "No run is finished yet. Start with " code { "cargo run -p ch03-cnn" } "." }
        }
        @if chapters.len() > 1 {
            nav { @for chapter in &chapters { a href={ "#" (chapter) } { (chapter) } } }
        }
        @for chapter in &chapters {
            h2 id=(chapter) { (chapter) }
            @for run in runs.iter().filter(|run| run.summary.chapter == *chapter) { (card(run)) }
        }
    };
    document("Inside Deep Learning in Rust: runs", body)
}

fn card(run: &Found) -> Markup {
    let summary = &run.summary;
    let folder = link(&run.folder);
    let (held, all) = summary.score();
    html! {
        article.box {
            h3 {
                a href={ (folder) "/report.html" } { span.id { (summary.id) } (summary.title) }
            }
            p.faint {
                (facts(summary))
                @if all > 0 {
                    " · "
                    span class=(if held == all { "holds" } else { "fails" }) { (held) " of " (all) " claims hold" }
                }
                @if summary.data.iter().any(|source| !source.real) { " · stand-in data" }
            }
            div.thumbnails {
                @for figure in &summary.figures {
                    figure {
                        a href={ (folder) "/report.html" } {
                            img src={ (folder) "/" (figure.png) } alt=(figure.alt) loading="lazy";
                        }
                    }
                }
            }
        }
    }
}

/// A path as a link: `/` between its parts, everywhere; what has a meaning in a link is written as its code.
fn link(path: &Path) -> String {
    let parts = path.iter().map(|part| {
        let part = part.to_string_lossy();
        part.replace('%', "%25")
            .replace('#', "%23")
            .replace('?', "%3F")
    });
    parts.collect::<Vec<_>>().join("/")
}
