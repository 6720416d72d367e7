//! Several charts as one figure.

use plotters_backend::text_anchor::{HPos, VPos};

use super::canvas::{Canvas, TextPlace};
use super::chart::Chart;
use super::{Figure, style};

/// Pixels of one chart among several.
const PANEL: (u32, u32) = (840, 640);
/// Charts in a row.
const COLUMNS: usize = 3;

/// Charts side by side under a title, three in a row.
pub fn panels(title: &str, charts: Vec<Chart>) -> Figure {
    let columns = charts.len().clamp(1, COLUMNS);
    let rows = charts.len().div_ceil(columns).max(1);
    let top = (2.0 * style::MARGIN + style::TITLE) as u32;
    let size = (PANEL.0 * columns as u32, top + PANEL.1 * rows as u32);
    let mut canvas = Canvas::new(size.0, size.1);
    let place = TextPlace {
        at: (style::MARGIN, style::MARGIN),
        size: style::TITLE * 1.15,
        bold: true,
        horizontal: HPos::Left,
        vertical: VPos::Top,
    };
    canvas.text(title, &place, style::INK);
    let drawn = charts.iter().enumerate().try_for_each(|(i, chart)| {
        let (column, row) = ((i % columns) as u32, (i / columns) as u32);
        let at = (column * PANEL.0, top + row * PANEL.1);
        canvas.paste(&chart.draw(PANEL)?, at);
        Ok(())
    });
    let tables = charts.iter().map(|chart| {
        // One CSV file for all: a title, its rows, an empty line.
        format!("{}\n{}", chart.title, chart.csv())
    });
    let words = charts.iter().map(Chart::alt).collect::<Vec<_>>();
    Figure {
        csv: tables.collect::<Vec<_>>().join("\n"),
        alt: format!("{title}: {}", words.join("; ")),
        title: title.to_string(),
        png: drawn.and_then(|()| canvas.png()),
    }
}
