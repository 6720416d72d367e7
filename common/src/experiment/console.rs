//! What a run prints: a heading, results beside the book's, verdicts, where the report is.

use console::style;

use super::Finished;
use crate::report::Summary;

/// Prints the heading of a run.
pub(super) fn heading(summary: &Summary) {
    println!();
    println!(
        "{}  {}",
        style(&summary.id).bold().cyan(),
        style(&summary.title).bold()
    );
    println!(
        "     {} · preset {} · device {} · seed {}",
        summary.chapter, summary.preset, summary.device, summary.seed
    );
}

/// Prints what came of a run.
pub(super) fn results(summary: &Summary) {
    let width = |text: &str| console::measure_text_width(text);
    let longest = summary.metrics.iter().map(|m| width(&m.name)).max();
    if let Some(longest) = longest {
        let pad = " ".repeat(longest);
        println!("     {pad}      here      book");
        for metric in &summary.metrics {
            let name = console::pad_str(&metric.name, longest, console::Alignment::Left, None);
            let book = metric.book.map_or(String::new(), number);
            println!("     {name}  {:>8}  {book:>8}", number(metric.value));
        }
    }
    for claim in &summary.claims {
        let mark = if claim.held {
            style("holds").green()
        } else {
            style("FAILS").red().bold()
        };
        println!("     {mark}  {}: {}", claim.text, claim.detail);
    }
}

/// Prints mean and spread of each metric over the seeds of one experiment, and how often each claim held.
pub(super) fn seeds(id: &str, finished: &[Finished]) {
    let runs: Vec<&Summary> = finished
        .iter()
        .map(|run| &run.summary)
        .filter(|summary| summary.id == id)
        .collect();
    let Some(first) = runs.first() else { return };
    println!();
    println!("{}  over {} seeds", style(id).bold().cyan(), runs.len());
    for metric in &first.metrics {
        let values = runs.iter().flat_map(|run| &run.metrics);
        let values: Vec<f64> = values
            .filter(|m| m.name == metric.name)
            .map(|m| m.value)
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let book = metric
            .book
            .map_or(String::new(), |book| format!("  (book {})", number(book)));
        println!(
            "     {}: {} ± {}{book}",
            metric.name,
            number(mean),
            number(variance.sqrt())
        );
    }
    for claim in &first.claims {
        let held = runs.iter().flat_map(|run| &run.claims);
        let held = held.filter(|c| c.text == claim.text && c.held).count();
        println!("     {}: held {held} times of {}", claim.text, runs.len());
    }
}

/// A number with as many places as it deserves.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        "-".to_string()
    } else if value == 0.0 || (value.fract() == 0.0 && value.abs() < 1e9) {
        format!("{value:.0}")
    } else if value.abs() < 1e-3 || value.abs() >= 1e7 {
        format!("{value:.2e}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.4}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_get_the_places_they_deserve() {
        let shown = [2.0, 43626.0, 0.12345, 0.00001234, 123.456, f64::NAN].map(super::number);
        assert_eq!(
            shown,
            ["2", "43626", "0.1235", "1.23e-5", "123.5", "-"].map(str::to_string)
        );
    }
}
