//! A third number over the plane of a chart, as bands of colour with lines between them.

use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};

use super::axes::{Area, Plane, short};
use super::canvas::{Canvas, Rgb, TextPlace};
use super::style;

/// Pixels at the right of the chart for the scale of colours.
pub(super) const SCALE: u32 = 170;
/// Steps that get a colour each.
const BANDS: f64 = 12.0;
/// Colours of marks that are seen on all bands, with a white ring around them.
pub(super) const MARKS: [Rgb; 2] = [(0, 0, 0), (213, 60, 0)];

/// Values on a lattice over the whole plane.
pub(super) struct Field {
    name: String,
    columns: usize,
    rows: usize,
    values: Vec<f64>, // [rows, columns], from the least y
    low: f64,
    high: f64,
}

impl Field {
    pub(super) fn new(name: &str, columns: usize, values: &[f64]) -> Self {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let columns = columns.max(1);
        Self {
            name: name.to_string(),
            columns,
            rows: values.len() / columns,
            values: values.to_vec(),
            low,
            high,
        }
    }

    /// The value at a place given in parts of both axes, 0 to 1, between those of the lattice.
    fn at(&self, across: f64, up: f64) -> f64 {
        let cell = |part: f64, n: usize| {
            let place = part.clamp(0.0, 1.0) * n.saturating_sub(1) as f64;
            let low = (place.floor() as usize).min(n.saturating_sub(2));
            (low, place - low as f64)
        };
        let (i, u) = cell(across, self.columns);
        let (j, v) = cell(up, self.rows);
        let value = |i: usize, j: usize| {
            let (i, j) = (i.min(self.columns - 1), j.min(self.rows.saturating_sub(1)));
            self.values
                .get(j * self.columns + i)
                .copied()
                .unwrap_or(f64::NAN)
        };
        let lower = value(i, j) * (1.0 - u) + value(i + 1, j) * u;
        let upper = value(i, j + 1) * (1.0 - u) + value(i + 1, j + 1) * u;
        lower * (1.0 - v) + upper * v
    }

    /// The band of a value, from 0; none if it is no number.
    fn band(&self, value: f64) -> Option<u32> {
        let part = (value - self.low) / (self.high - self.low);
        part.is_finite()
            .then(|| (part * BANDS).floor().clamp(0.0, BANDS - 1.0) as u32)
    }

    pub(super) fn draw(&self, plane: &mut Plane<'_, '_>) -> Result<(), String> {
        let (across, down) = plane.plotting_area().get_pixel_range();
        let area = plane.plotting_area().strip_coord_spec();
        let (width, height) = (across.end - across.start, down.end - down.start);
        let band = |x: i32, y: i32| {
            let part = f64::from(x) / f64::from(width.max(1));
            let up = 1.0 - f64::from(y) / f64::from(height.max(1));
            self.band(self.at(part, up))
        };
        for y in 0..height {
            let mut here = band(0, y);
            for x in 0..width {
                let next = band(x + 1, y);
                let edge = here != next || here != band(x, y + 1);
                let (r, g, b) = match here {
                    Some(band) => shade(band, edge),
                    None => (255, 255, 255),
                };
                area.draw_pixel((x, y), &RGBColor(r, g, b))
                    .map_err(|error| error.to_string())?;
                here = next;
            }
        }
        Ok(())
    }

    /// The scale of colours, at the right of `area`.
    pub(super) fn draw_scale(&self, canvas: &mut Canvas, area: &Area) {
        let (left, width) = (area.right + 24.0, 26.0);
        let step = (area.bottom - area.top) / BANDS as f32;
        for band in 0..BANDS as u32 {
            let y = area.bottom - (band as f32 + 1.0) * step;
            canvas.rectangle((left, y), (width, step + 0.5), shade(band, false), 1.0);
        }
        for part in [0.0, 0.5, 1.0] {
            let place = TextPlace {
                at: (
                    left + width + 8.0,
                    area.bottom - part * (area.bottom - area.top),
                ),
                size: style::TICK,
                bold: false,
                horizontal: HPos::Left,
                vertical: VPos::Center,
            };
            let value = self.low + f64::from(part) * (self.high - self.low);
            canvas.text(&rounded(value, self.high - self.low), &place, style::FAINT);
        }
        let place = TextPlace {
            at: (left + width + 110.0, area.top - 18.0),
            size: style::TICK,
            bold: false,
            horizontal: HPos::Right,
            vertical: VPos::Bottom,
        };
        canvas.text(&self.name, &place, style::FAINT);
    }

    /// The lattice as rows of a CSV file; `place` gives the x and y at parts of both axes.
    pub(super) fn rows(
        &self,
        place: impl Fn(f64, f64) -> (f64, f64),
    ) -> impl Iterator<Item = [String; 4]> {
        let part = |i: usize, n: usize| i as f64 / n.saturating_sub(1).max(1) as f64;
        self.values.iter().enumerate().map(move |(i, value)| {
            let (column, row) = (i % self.columns, i / self.columns);
            let (x, y) = place(part(column, self.columns), part(row, self.rows));
            [
                self.name.clone(),
                x.to_string(),
                y.to_string(),
                value.to_string(),
            ]
        })
    }
}

fn shade(band: u32, edge: bool) -> Rgb {
    let (r, g, b) = style::sequential((f64::from(band) + 0.5) / BANDS);
    let darker = |c: u8| if edge { (f32::from(c) * 0.75) as u8 } else { c };
    (darker(r), darker(g), darker(b))
}

/// A number with as many digits as tell the ends of a range apart.
fn rounded(value: f64, range: f64) -> String {
    let places = (2.0 - range.abs().max(1e-12).log10().floor()).clamp(0.0, 6.0) as i32;
    let unit = 10f64.powi(places);
    short((value * unit).round() / unit)
}
