//! The page of one run.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{FigureEntry, Summary, Table};
use crate::experiment::number;

/// The style of all pages.
pub(super) const STYLE: &str = "
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, 'DejaVu Sans', sans-serif; color: #222; background: #fafafa; margin: 0 auto; padding: 1.5rem; max-width: 72rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.2rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.6rem; }
a { color: #00558a; }
.faint { color: #666; }
.id { color: #0072b2; margin-right: 0.4rem; }
.box { background: #fff; border: 1px solid #e2e2e2; border-radius: 6px; padding: 0.9rem 1rem; }
.warning { background: #fff4e0; border-color: #e6b566; margin: 1rem 0; }
table { border-collapse: collapse; background: #fff; max-width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.9rem; border-bottom: 1px solid #e6e6e6; vertical-align: top; }
th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.holds { color: #00734f; font-weight: 600; }
.fails { color: #b3261e; font-weight: 600; }
.wide { overflow-x: auto; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; align-items: start; }
.thumbnails { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0.8rem; align-items: start; }
figure { margin: 0; }
figure img { max-width: 100%; max-height: 44rem; display: block; margin: 0 auto; }
figcaption { font-size: 0.92rem; margin-top: 0.5rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.9rem; margin: 0; }
article { margin: 1rem 0; }
article h3 { margin: 0 0 0.2rem; font-size: 1.05rem; }
article p { margin: 0.2rem 0 0.7rem; }
nav { margin-bottom: 0.8rem; }
nav a { margin-right: 1rem; }
";

/// A whole page.
pub(super) fn document(title: &str, body: Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

/// The page of a run.
pub(super) fn render(summary: &Summary) -> String {
    let title = format!("{} {}", summary.id, summary.title);
    document(&title, body(summary))
}

fn body(summary: &Summary) -> Markup {
    html! {
        nav { a href="../../../index.html" { "all runs" } }
        h1 { span.id { (summary.id) } (summary.title) }
        div.faint { (facts(summary)) }
        @for source in summary.data.iter().filter(|source| !source.real) {
            div.box.warning {
                strong { (source.name) " is a stand-in. " }
                "The real data set was not found, so the numbers below are not comparable with the book's. It was: " (source.origin)
            }
        }
        (claims(summary))
        @if !summary.figures.is_empty() {
            h2 { "Figures" }
            div.figures { @for figure in &summary.figures { (large(figure)) } }
        }
        (metrics(summary))
        @for table in &summary.tables { (any_table(table)) }
        @if !summary.text.is_empty() {
            h2 { "Printed" }
            div.box { pre { @for line in &summary.text { (line) "\n" } } }
        }
        (data_and_models(summary))
        h2 { "How to run it again" }
        div.box {
            pre { (command(summary)) }
        }
        h2 { "Settings" }
        details.box {
            summary { "all flags" }
            pre { (serde_json::to_string_pretty(&summary.config).unwrap_or_default()) }
        }
    }
}

/// Chapter, preset, device, seed, time and commit in a line.
pub(super) fn facts(summary: &Summary) -> String {
    let mut facts = vec![
        summary.chapter.clone(),
        format!("preset {}", summary.preset),
        format!("device {}", summary.device),
        format!("seed {}", summary.seed),
        format!("{:.1} s", summary.wall_seconds),
    ];
    let date = summary.started.split('T').next().unwrap_or_default();
    facts.push(date.to_string());
    facts.extend(
        summary
            .commit
            .iter()
            .map(|commit| format!("commit {commit}")),
    );
    facts.retain(|fact| !fact.is_empty());
    facts.join(" · ")
}

fn command(summary: &Summary) -> String {
    let mut command = format!(
        "cargo run -p {} -- run {} --preset {}",
        summary.chapter, summary.id, summary.preset
    );
    let flags = ["epochs", "batch_size", "lr", "limit"];
    for flag in flags {
        match summary.config.get(flag) {
            None | Some(serde_json::Value::Null) => {}
            Some(value) => command += &format!(" --{} {value}", flag.replace('_', "-")),
        }
    }
    command + &format!(" --device {} --seed {}", summary.device, summary.seed)
}

fn claims(summary: &Summary) -> Markup {
    html! {
        @if !summary.claims.is_empty() {
            h2 { "What the book claims" }
            div.wide { table {
                @for claim in &summary.claims {
                    tr {
                        td { @if claim.held { span.holds { "holds" } } @else { span.fails { "fails" } } }
                        td { (claim.text) }
                        td.faint { (claim.detail) }
                    }
                }
            } }
        }
    }
}

fn metrics(summary: &Summary) -> Markup {
    html! {
        @if !summary.metrics.is_empty() {
            h2 { "Numbers" }
            div.wide { table {
                tr { th {} th.number { "here" } th.number { "book" } }
                @for metric in &summary.metrics {
                    tr {
                        td { (metric.name) }
                        td.number { (number(metric.value)) }
                        td.number { @if let Some(book) = metric.book { (number(book)) } }
                    }
                }
            } }
            p.faint { "Loss and scores of each epoch: " a href="metrics.csv" { "metrics.csv" } }
        }
    }
}

fn any_table(table: &Table) -> Markup {
    html! {
        h2 { (table.title) }
        div.wide { table {
            tr { @for column in &table.columns { th { (column) } } }
            @for row in &table.rows {
                tr { @for cell in row { td { (cell) } } }
            }
        } }
    }
}

fn data_and_models(summary: &Summary) -> Markup {
    html! {
        @if !summary.data.is_empty() {
            h2 { "Data" }
            div.wide { table {
                tr { th { "set" } th.number { "train" } th.number { "test" } th { "from" } }
                @for source in &summary.data {
                    tr {
                        td { (source.name) }
                        td.number { (source.train) }
                        td.number { (source.test) }
                        td { (source.origin) }
                    }
                }
            } }
        }
        @if !summary.models.is_empty() {
            h2 { "Models" }
            div.wide { table {
                tr { th { "model" } th.number { "parameters" } }
                @for model in &summary.models {
                    tr { td { (model.name) } td.number { (grouped(model.parameters)) } }
                }
            } }
        }
    }
}

/// 125610 as 125,610.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn large(figure: &FigureEntry) -> Markup {
    html! {
        figure.box {
            a href=(figure.png) { img src=(figure.png) alt=(figure.alt); }
            figcaption { (figure.caption) " " a href=(figure.csv) { "numbers" } }
        }
    }
}
