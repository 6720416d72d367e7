//! Lines and points between the axes, and the title and legend above them.

use plotters_backend::text_anchor::{HPos, VPos};

use super::axes::{Area, Axis, Frame};
use super::canvas::{Canvas, Rgb, TextPlace};
use super::style;

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Line,
    /// A line that stays at each value until the next one.
    Stairs,
    Points,
    /// Points whose colours tell a third number.
    Shaded,
    /// The points of a class among others, many and small.
    Class,
    /// A black line across the figure.
    Level,
}

/// Points (x, y) with a name.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) mark: Mark,
    pub(super) points: Vec<(f64, f64)>,
    /// The third number of each point where the mark shows one.
    pub(super) values: Vec<f64>,
    /// The number of the series whose colour this one has too.
    pub(super) like: Option<usize>,
}

/// Draws a series between the axes. Not by plotters, which rounds every point to a whole pixel: that shows in a smooth curve.
pub(super) fn draw_series(
    canvas: &mut Canvas,
    frame: &Frame<'_>,
    area: &Area,
    series: &Series,
    color: Rgb,
    ring: bool,
) {
    let part = |axis: &Axis, value: f64| (axis.place(value) - axis.low) / (axis.high - axis.low);
    let place = |(x, y): &(f64, f64)| {
        let across = area.left + part(&frame.x, *x) as f32 * (area.right - area.left);
        let up = area.bottom - part(&frame.y, *y) as f32 * (area.bottom - area.top);
        (across, up)
    };
    let finite = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let dots = |canvas: &mut Canvas, radius: f32, alpha: f32| {
        for point in series
            .points
            .iter()
            .filter(|point| finite(point))
            .map(place)
        {
            if area.contains(point) {
                if ring {
                    canvas.circle(point, radius + 2.0, (255, 255, 255), alpha);
                }
                canvas.circle(point, radius, color, alpha);
            }
        }
    };
    match series.mark {
        Mark::Level => {
            let height = place(&(0.0, series.points[0].1)).1;
            canvas.polyline(
                &[(area.left, height), (area.right, height)],
                2.0,
                color,
                area,
            );
        }
        Mark::Stairs => {
            let points: Vec<_> = series
                .points
                .iter()
                .filter(|p| finite(p))
                .map(place)
                .collect();
            let corners = points.windows(2).map(|pair| (pair[1].0, pair[0].1));
            let mut line = Vec::new();
            for (point, corner) in points.iter().zip(corners.map(Some).chain([None])) {
                line.push(*point);
                line.extend(corner);
            }
            canvas.polyline(&line, 4.0, color, area);
        }
        Mark::Points if ring => dots(canvas, 6.0, 1.0),
        Mark::Points => dots(canvas, 6.0, 0.75),
        Mark::Class => dots(canvas, 3.0, 0.6),
        Mark::Shaded => {
            let shades = style::parts(&series.values);
            for (point, shade) in series.points.iter().zip(shades) {
                let at = place(point);
                if finite(point) && area.contains(at) {
                    canvas.circle(at, 9.0, style::INK, 1.0);
                    canvas.circle(at, 7.5, style::sequential(shade), 1.0);
                }
            }
        }
        Mark::Line => {
            let pieces = series.points.split(|point| !finite(point));
            for piece in pieces {
                let piece: Vec<_> = piece.iter().map(place).collect();
                match piece[..] {
                    [] => {}
                    // A line of one point would not be seen.
                    [point] if area.contains(point) => canvas.circle(point, 6.0, color, 1.0),
                    _ => canvas.polyline(&piece, 4.0, color, area),
                }
            }
            // Few points are epochs or steps: show where they are.
            if series.points.len() <= 25 {
                dots(canvas, 6.0, 1.0);
            }
        }
    }
}

/// Writes the name of a class where the middle of its points is, so that it is known without its colour.
pub(super) fn draw_class_name(
    canvas: &mut Canvas,
    frame: &Frame<'_>,
    area: &Area,
    series: &Series,
) {
    let median = |axis: &Axis, of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = series.points.iter().map(of).collect();
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let middle = values.get(values.len() / 2)?;
        Some(((axis.place(*middle) - axis.low) / (axis.high - axis.low)) as f32)
    };
    let middle = (median(&frame.x, |p| p.0), median(&frame.y, |p| p.1));
    let (Some(across), Some(up)) = middle else {
        return;
    };
    let at = (
        area.left + across * (area.right - area.left),
        area.bottom - up * (area.bottom - area.top),
    );
    let mut write = |(dx, dy): (f32, f32), color: Rgb| {
        let place = TextPlace {
            at: (at.0 + dx, at.1 + dy),
            size: style::TITLE,
            bold: true,
            horizontal: HPos::Center,
            vertical: VPos::Center,
        };
        canvas.text(&series.name, &place, color);
    };
    for i in 0..12 {
        let angle = i as f32 * std::f32::consts::PI / 6.0;
        write((4.0 * angle.cos(), 4.0 * angle.sin()), (255, 255, 255));
    }
    write((0.0, 0.0), style::INK);
}

/// A line of a legend.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) mark: Mark,
    pub(super) color: Rgb,
}

/// Draws title and legend, in as many rows as `width` asks for. Gives the height they take.
pub(super) fn header(canvas: &mut Canvas, title: &str, entries: &[Entry<'_>], width: u32) -> u32 {
    let right = width as f32 - style::MARGIN;
    let place = |at, size, bold| TextPlace {
        at,
        size,
        bold,
        horizontal: HPos::Left,
        vertical: VPos::Center,
    };
    let mut y = style::MARGIN + style::TITLE / 2.0;
    let mut size = style::TITLE;
    while canvas.text_width(title, size, true) > right - style::MARGIN && size > 14.0 {
        size -= 1.0;
    }
    canvas.text(title, &place((style::MARGIN, y), size, true), style::INK);
    y += style::TITLE / 2.0;
    let (mut x, swatch, gap) = (style::MARGIN, 40.0, 34.0);
    if !entries.is_empty() {
        y += style::LABEL;
    }
    for entry in entries {
        let needed = swatch + 10.0 + canvas.text_width(entry.name, style::TICK, false);
        if x + needed > right && x > style::MARGIN {
            x = style::MARGIN;
            y += style::LABEL * 1.35;
        }
        match entry.mark {
            Mark::Points | Mark::Class => {
                canvas.circle((x + swatch / 2.0, y), 8.0, entry.color, 1.0)
            }
            Mark::Shaded => {
                for part in 0..=swatch as usize {
                    let shade = style::sequential(part as f64 / f64::from(swatch));
                    canvas.rectangle((x + part as f32, y - 8.0), (1.0, 16.0), shade, 1.0);
                }
            }
            Mark::Line | Mark::Stairs => {
                canvas.rectangle((x, y - 2.5), (swatch, 5.0), entry.color, 1.0)
            }
            Mark::Level => canvas.rectangle((x, y - 1.0), (swatch, 2.0), entry.color, 1.0),
        }
        let at = (x + swatch + 10.0, y);
        canvas.text(entry.name, &place(at, style::TICK, false), style::INK);
        x += needed + gap;
    }
    (y + style::LABEL) as u32
}
