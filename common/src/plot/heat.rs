//! A table of numbers as squares of grey, with a word at each row and column: which word of a translation looked at which word of the
//! sentence.

use plotters_backend::text_anchor::{HPos, VPos};

use super::axes::short;
use super::canvas::{Canvas, Rgb, TextPlace};
use super::{Figure, csv, style};

/// Pixels of a square, which is wider where a word is longer.
const SQUARE: f32 = 84.0;
/// Space between words, and around the scale.
const GAP: f32 = 22.0;
/// Width of the scale, and steps of grey in it.
const SCALE: f32 = 30.0;
const STEPS: usize = 64;

/// A heat map: `values` [rows, columns], row by row from the top, black for 0 and white for `most`. `what` says what the values are.
pub fn heat_map(
    title: &str,
    what: &str,
    rows: &[String],
    columns: &[String],
    values: &[f32],
    most: f32,
) -> Figure {
    let measure = Canvas::new(1, 1);
    let widest = |words: &[String]| {
        let widths = words
            .iter()
            .map(|word| measure.text_width(word, style::TICK, false));
        widths.fold(0.0, f32::max)
    };
    let wide = (widest(columns) + GAP).max(SQUARE);
    let left = style::MARGIN + widest(rows) + GAP;
    let top = style::MARGIN + style::TITLE + 2.0 * style::TICK + 2.0 * GAP;
    let right = left + wide * columns.len() as f32;
    let bottom = top + SQUARE * rows.len().max(2) as f32;
    let titles = measure.text_width(title, style::TITLE, true) + 2.0 * style::MARGIN;
    let width = (right + 2.0 * GAP + SCALE + 90.0).max(titles);
    let mut canvas = Canvas::new(width.ceil() as u32, (bottom + style::MARGIN).ceil() as u32);
    let mut write = |text: &str, at: (f32, f32), anchors: (HPos, VPos), color: Rgb| {
        let is_title = text == title;
        let place = TextPlace {
            at,
            size: if is_title { style::TITLE } else { style::TICK },
            bold: is_title,
            horizontal: anchors.0,
            vertical: anchors.1,
        };
        canvas.text(text, &place, color);
    };
    let corner = (style::MARGIN, style::MARGIN);
    write(title, corner, (HPos::Left, VPos::Top), style::INK);
    let below = (style::MARGIN, style::MARGIN + style::TITLE + 10.0);
    write(what, below, (HPos::Left, VPos::Top), style::FAINT);
    for (i, word) in columns.iter().enumerate() {
        let at = (left + wide * (i as f32 + 0.5), top - 10.0);
        write(word, at, (HPos::Center, VPos::Bottom), style::INK);
    }
    for (i, word) in rows.iter().enumerate() {
        let at = (left - 14.0, top + SQUARE * (i as f32 + 0.5));
        write(word, at, (HPos::Right, VPos::Center), style::INK);
    }
    let scale = right + 2.0 * GAP;
    for (part, y) in [(1.0, top), (0.5, (top + bottom) / 2.0), (0.0, bottom)] {
        let label = short(f64::from((part * most * 1000.0).round() / 1000.0));
        write(
            &label,
            (scale + SCALE + 8.0, y),
            (HPos::Left, VPos::Center),
            style::FAINT,
        );
    }

    let part = |value: f32| (value / most.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
    for (row, values) in values
        .chunks(columns.len().max(1))
        .take(rows.len())
        .enumerate()
    {
        for (column, value) in values.iter().enumerate() {
            let at = (left + wide * column as f32, top + SQUARE * row as f32);
            canvas.rectangle(at, (wide, SQUARE), grey(part(*value)), 1.0);
        }
    }
    // A frame, so that white squares have an end.
    for (at, size) in [
        ((left, top), (right - left, 1.5)),
        (
            (left, top + SQUARE * rows.len() as f32),
            (right - left, 1.5),
        ),
        ((left, top), (1.5, SQUARE * rows.len() as f32)),
        ((right, top), (1.5, SQUARE * rows.len() as f32)),
    ] {
        canvas.rectangle(at, size, style::FAINT, 1.0);
    }
    let step = (bottom - top) / STEPS as f32;
    for i in 0..STEPS {
        let at = (scale, bottom - step * (i + 1) as f32);
        let level = i as f32 / (STEPS - 1) as f32;
        canvas.rectangle(at, (SCALE, step + 0.5), grey(level), 1.0);
    }
    Figure {
        alt: alt(title, what, rows, columns, values),
        csv: table(rows, columns, values),
        title: title.to_string(),
        png: canvas.png(),
    }
}

/// Black at 0, white at 1.
fn grey(part: f32) -> Rgb {
    let level = (part * 255.0).round() as u8;
    (level, level, level)
}

fn table(rows: &[String], columns: &[String], values: &[f32]) -> String {
    let place = |i: usize| {
        let (row, column) = (i / columns.len().max(1), i % columns.len().max(1));
        let word = |words: &[String], i: usize| words.get(i).cloned().unwrap_or_default();
        [
            row.to_string(),
            word(rows, row),
            column.to_string(),
            word(columns, column),
        ]
    };
    let lines = values.iter().enumerate().map(|(i, value)| {
        let [row, of_row, column, of_column] = place(i);
        [row, of_row, column, of_column, value.to_string()]
    });
    csv(
        ["row", "word of row", "column", "word of column", "value"],
        lines,
    )
}

/// The column with the greatest value of each row, in words.
fn alt(title: &str, what: &str, rows: &[String], columns: &[String], values: &[f32]) -> String {
    let lines = rows.iter().zip(values.chunks(columns.len().max(1)));
    let told = lines.filter_map(|(word, values)| {
        let best = values.iter().zip(columns).max_by(|a, b| a.0.total_cmp(b.0));
        best.map(|(value, column)| format!("{word}: {column} ({value:.2})"))
    });
    let told: Vec<String> = told.collect();
    format!("{title}: {what}; greatest of each row: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_square_and_a_line() {
        let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let (rows, columns) = (words("le chat"), words("the black cat"));
        let values = [0.9, 0.1, 0.0, 0.0, 0.2, 0.8];
        let figure = heat_map("Heat", "weights", &rows, &columns, &values, 1.0);
        assert!(
            figure.csv().contains("1,chat,2,cat,0.8"),
            "{}",
            figure.csv()
        );
        assert!(
            figure.alt().contains("chat: cat (0.80)"),
            "{}",
            figure.alt()
        );
        let png = figure.png.unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_luma8();
        let dark = picture.pixels().filter(|p| p.0[0] < 20).count();
        // The frame covers a rim of them.
        let squares = (SQUARE - 2.0) * (SQUARE - 2.0) * 2.0;
        assert!(dark as f32 > squares, "{dark} of {squares} pixels");
        // Nothing to show is no reason to stop.
        assert!(heat_map("Heat", "weights", &[], &[], &[], 1.0).png.is_ok());
    }
}
