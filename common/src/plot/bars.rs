//! Bars beside each other, for shares of a whole.

use plotters_backend::text_anchor::{HPos, VPos};

use super::axes::short;
use super::canvas::{Canvas, TextPlace};
use super::{Figure, csv, style};

/// Pixels of a bar and the space below it.
const ROW: f32 = 76.0;
const BAR: f32 = 44.0;

/// A bar for each name, as long as its value, in this order. `what` says what the values are.
pub fn bars(title: &str, what: &str, values: &[(String, f64)]) -> Figure {
    let top = style::MARGIN + style::TITLE + style::LABEL + 34.0;
    let size = (
        style::CHART.0,
        (top + ROW * values.len() as f32 + style::MARGIN) as u32,
    );
    let mut canvas = Canvas::new(size.0, size.1);
    let mut write = |text: &str, at: (f32, f32), size: f32, bold: bool, horizontal: HPos, color| {
        let place = TextPlace {
            at,
            size,
            bold,
            horizontal,
            vertical: VPos::Center,
        };
        canvas.text(text, &place, color);
    };
    let first = style::MARGIN + style::TITLE / 2.0;
    write(
        title,
        (style::MARGIN, first),
        style::TITLE,
        true,
        HPos::Left,
        style::INK,
    );
    let second = first + style::TITLE / 2.0 + style::LABEL;
    write(
        what,
        (style::MARGIN, second),
        style::TICK,
        false,
        HPos::Left,
        style::FAINT,
    );
    let measure = Canvas::new(1, 1);
    let names = values
        .iter()
        .map(|(name, _)| measure.text_width(name, style::LABEL, false));
    let left = style::MARGIN + names.fold(0.0, f32::max) + 20.0;
    let room = (size.0 as f32 - left - 140.0).max(10.0);
    let longest = values.iter().map(|(_, v)| *v).fold(0.0, f64::max);
    for (i, (name, value)) in values.iter().enumerate() {
        let middle = top + ROW * (i as f32 + 0.5);
        write(
            name,
            (left - 20.0, middle),
            style::LABEL,
            false,
            HPos::Right,
            style::INK,
        );
        let part = if longest > 0.0 {
            (value / longest).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let length = part as f32 * room;
        let text = short((value * 1000.0).round() / 1000.0);
        write(
            &text,
            (left + length + 14.0, middle),
            style::LABEL,
            false,
            HPos::Left,
            style::INK,
        );
    }
    for (i, (_, value)) in values.iter().enumerate() {
        let middle = top + ROW * (i as f32 + 0.5);
        let part = if longest > 0.0 {
            (value / longest).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let length = (part as f32 * room).max(2.0);
        canvas.rectangle(
            (left, middle - BAR / 2.0),
            (length, BAR),
            style::series(0),
            1.0,
        );
    }
    let told = values
        .iter()
        .map(|(name, value)| format!("{name} {}", short(*value)));
    Figure {
        alt: format!("{title}: {what}; {}", told.collect::<Vec<_>>().join(", ")),
        csv: csv(
            ["name", what],
            values
                .iter()
                .map(|(name, value)| [name.clone(), value.to_string()]),
        ),
        title: title.to_string(),
        png: canvas.png(),
    }
}
