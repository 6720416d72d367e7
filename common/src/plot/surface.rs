//! The surface that a classifier of points in the plane has learned.

use plotters::element::{Circle, TriangleMarker};
use plotters::style::{Color, RGBColor};
use plotters_backend::text_anchor::{HPos, VPos};

use super::axes::{Axis, Frame};
use super::canvas::{Canvas, Rgb, TextPlace};
use super::series::{Entry, Mark, header};
use super::{Figure, csv, style};
use crate::data::Points;

/// Steps of probability that get a colour each: ten bands, as in a contour plot.
const BANDS: f32 = 10.0;
/// Pixels at the right for the scale of colours.
const SCALE: u32 = 150;

/// Draws the probability of class 0 over the plane, `p0` [ys, xs] row by row from the lowest y, and `points` of classes 0 and 1 on top.
/// The black line is p = 0.5, where the decision changes.
pub fn decision_surface(
    title: &str,
    xs: &[f32],
    ys: &[f32],
    p0: &[f32],
    points: &Points,
) -> Figure {
    let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
    let exact = |values: &[f32]| {
        let ends = (values.first().copied(), values.last().copied());
        let (low, high) = (ends.0.unwrap_or(0.0), ends.1.unwrap_or(1.0));
        Axis::over(&wide(values), false, Some((low.into(), high.into())))
    };
    let axes = ["x1".to_string(), "x2".to_string()];
    let mut canvas = Canvas::new(style::CHART.0, style::CHART.1);
    let entry = |class: usize, name| Entry {
        name,
        mark: Mark::Points,
        color: color_of(class),
    };
    let entries = [entry(0, "class 0"), entry(1, "class 1")];
    let top = header(&mut canvas, title, &entries, style::CHART.0);
    let frame = Frame {
        top,
        right: SCALE,
        axes: &axes,
        x: exact(xs),
        y: exact(ys),
    };
    let surface = Surface { xs, ys, p0 };
    let drawn = frame.draw(&mut canvas, |plane| {
        let (columns, rows) = plane.plotting_area().get_pixel_range();
        let area = plane.plotting_area().strip_coord_spec();
        let (width, height) = (columns.end - columns.start, rows.end - rows.start);
        let at = |column: i32, row: i32| {
            let x = f64::from(column) / f64::from(width.max(1));
            let y = 1.0 - f64::from(row) / f64::from(height.max(1));
            surface.at(x as f32, y as f32)
        };
        for row in 0..height {
            for column in 0..width {
                let p = at(column, row);
                // The boundary, 3 pixels wide: the decision changes between neighbours.
                let changes = (p > 0.5) != (at(column + 2, row) > 0.5)
                    || (p > 0.5) != (at(column, row + 2) > 0.5);
                let (r, g, b) = if changes { (0, 0, 0) } else { shade(p) };
                area.draw_pixel((column, row), &RGBColor(r, g, b))
                    .map_err(|error| error.to_string())?;
            }
        }
        let of_class = |class: u8| {
            (0..points.len())
                .filter(move |i| points.labels[*i] == class)
                .filter_map(|i| match points.point(i) {
                    [x, y, ..] => Some((f64::from(*x), f64::from(*y))),
                    _ => None,
                })
        };
        let rgb = |(r, g, b): Rgb| RGBColor(r, g, b);
        let white = RGBColor(255, 255, 255).filled();
        let color = rgb(color_of(0)).filled();
        let rings = of_class(0).map(|at| Circle::new(at, 8, white));
        plane.draw_series(rings).map_err(|e| e.to_string())?;
        let discs = of_class(0).map(|at| Circle::new(at, 6, color));
        plane.draw_series(discs).map_err(|e| e.to_string())?;
        // Another shape as well as another colour.
        let color = rgb(color_of(1)).filled();
        let rings = of_class(1).map(|at| TriangleMarker::new(at, 11, white));
        plane.draw_series(rings).map_err(|e| e.to_string())?;
        let marks = of_class(1).map(|at| TriangleMarker::new(at, 8, color));
        plane.draw_series(marks).map_err(|e| e.to_string())?;
        Ok(())
    });
    scale(&mut canvas, top);
    let rows = ys.iter().enumerate().flat_map(|(j, y)| {
        xs.iter().enumerate().map(move |(i, x)| {
            let p = p0.get(j * xs.len() + i).copied().unwrap_or(f32::NAN);
            [x.to_string(), y.to_string(), p.to_string()]
        })
    });
    let csv = csv(["x1", "x2", "probability of class 0"], rows);
    let inside = p0.iter().filter(|p| **p > 0.5).count();
    Figure {
        alt: format!(
            "{title}: probability of class 0 over the plane, above one half on {} % of it, with {} points",
            100 * inside / p0.len().max(1),
            points.len()
        ),
        title: title.to_string(),
        png: drawn.and_then(|_| canvas.png()),
        csv,
    }
}

/// Values on a lattice, read anywhere between its points.
struct Surface<'a> {
    xs: &'a [f32],
    ys: &'a [f32],
    p0: &'a [f32],
}

impl Surface<'_> {
    /// The bilinear interpolation at a place given in parts of both axes, 0 to 1.
    fn at(&self, x: f32, y: f32) -> f32 {
        let cell = |part: f32, n: usize| {
            let place = part.clamp(0.0, 1.0) * n.saturating_sub(1) as f32;
            let low = (place.floor() as usize).min(n.saturating_sub(2));
            (low, place - low as f32)
        };
        let (i, u) = cell(x, self.xs.len());
        let (j, v) = cell(y, self.ys.len());
        let value = |i: usize, j: usize| self.p0.get(j * self.xs.len() + i).copied().unwrap_or(0.5);
        let low = value(i, j) * (1.0 - u) + value(i + 1, j) * u;
        let high = value(i, j + 1) * (1.0 - u) + value(i + 1, j + 1) * u;
        low * (1.0 - v) + high * v
    }
}

/// Dark for points, on the light shades below.
fn color_of(class: usize) -> Rgb {
    style::SERIES[class.min(1)]
}

/// White where the classifier is undecided, the colour of a class where it is sure.
fn shade(p: f32) -> Rgb {
    let band = ((p.clamp(0.0, 1.0) * BANDS).floor().min(BANDS - 1.0) + 0.5) / BANDS;
    let (r, g, b) = color_of(usize::from(band < 0.5));
    let strength = (band - 0.5).abs() * 2.0 * 0.75;
    let mix = |c: u8| (255.0 + (f32::from(c) - 255.0) * strength).round() as u8;
    (mix(r), mix(g), mix(b))
}

/// The scale of colours at the right.
fn scale(canvas: &mut Canvas, top: u32) {
    let (left, width) = (style::CHART.0 as f32 - SCALE as f32 + 36.0, 26.0);
    let (top, bottom) = (top as f32, style::CHART.1 as f32 - 90.0);
    let step = (bottom - top) / BANDS;
    for band in 0..BANDS as usize {
        let p = (band as f32 + 0.5) / BANDS;
        let y = bottom - (band as f32 + 1.0) * step;
        canvas.rectangle((left, y), (width, step + 0.5), shade(p), 1.0);
    }
    for p in [0.0, 0.5, 1.0] {
        let place = TextPlace {
            at: (left + width + 10.0, bottom - p * (bottom - top)),
            size: style::TICK,
            bold: false,
            horizontal: HPos::Left,
            vertical: VPos::Center,
        };
        canvas.text(&format!("{p}"), &place, style::FAINT);
    }
    let place = TextPlace {
        at: (style::CHART.0 as f32 - style::MARGIN, top - 18.0),
        size: style::TICK,
        bold: false,
        horizontal: HPos::Right,
        vertical: VPos::Bottom,
    };
    canvas.text("p(class 0)", &place, style::FAINT);
}
