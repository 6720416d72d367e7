//! Two axes: what they show, their ticks and names, and the plane between them.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, IntoDrawingArea};
use plotters::style::{FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::canvas::{Backend, Canvas, Rgb};
use super::style;

/// What one axis shows. `low` and `high` are in its own measure: the logarithm on a logarithmic axis.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    logarithmic: bool,
    /// Only whole numbers occur, as epochs: no fractions between them.
    whole: bool,
}

impl Axis {
    pub(super) fn over(values: &[f64], logarithmic: bool, fixed: Option<(f64, f64)>) -> Self {
        let measure = |v: f64| {
            if logarithmic {
                v.max(1e-300).log10()
            } else {
                v
            }
        };
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = fixed.unwrap_or(if low <= high { (low, high) } else { (0.0, 1.0) });
        let (mut low, mut high) = (measure(low), measure(high));
        if fixed.is_none() {
            // A constant still needs an axis with two ends.
            let room = match high - low {
                range if range > 0.0 => 0.04 * range,
                _ => 0.05 * low.abs().max(0.1),
            };
            (low, high) = (low - room, high + room);
        }
        if high <= low {
            high = low + 1.0;
        }
        Self {
            low,
            high,
            logarithmic,
            whole: !logarithmic && values.iter().all(|v| v.fract() == 0.0),
        }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        if self.logarithmic {
            value.max(1e-300).log10()
        } else {
            value
        }
    }

    /// The value at a part of the axis, 0 to 1.
    pub(super) fn at(&self, part: f64) -> f64 {
        let place = self.low + part * (self.high - self.low);
        if self.logarithmic {
            10f64.powf(place)
        } else {
            place
        }
    }

    fn tick(&self, at: f64) -> String {
        if self.logarithmic {
            return if (at - at.round()).abs() < 1e-6 {
                short(10f64.powf(at.round()))
            } else {
                String::new()
            };
        }
        // Ticks are multiples of a step; what lies beyond the ninth digit of the range is rounding.
        let places = (9.0 - (self.high - self.low).log10())
            .clamp(0.0, 15.0)
            .floor();
        let near = (at * 10f64.powf(places)).round() / 10f64.powf(places);
        if self.whole && (near - near.round()).abs() > 1e-6 * (self.high - self.low) {
            return String::new();
        }
        short(near)
    }
}

/// A number for an axis or a sentence: up to four digits after the point, none that say nothing.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 || value.abs() < 1e-12 {
        return "0".into();
    }
    if !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let places = if value.abs() >= 100.0 { 1 } else { 4 };
    let text = format!("{value:.places$}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

pub(super) fn number(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        String::new()
    }
}

/// The pixels between the axes.
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) top: f32,
    pub(super) bottom: f32,
}

impl Area {
    pub(super) fn contains(&self, (x, y): (f32, f32)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// The plane that series are drawn on.
pub(super) type Plane<'a, 'b> =
    ChartContext<'a, Backend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Axes, their names, and the space around them.
pub(super) struct Frame<'a> {
    /// Pixels above the plane.
    pub(super) top: u32,
    /// Pixels at its right.
    pub(super) right: u32,
    pub(super) axes: &'a [String; 2],
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Frame<'_> {
    /// Draws the axes and what `fill` draws between them. Gives the place between the axes.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        fill: impl FnOnce(&mut Plane<'_, '_>) -> Result<(), String>,
    ) -> Result<Area, String> {
        let text = |size: f32, (r, g, b): Rgb| -> TextStyle<'static> {
            ("sans-serif", f64::from(size), FontStyle::Normal)
                .into_font()
                .color(&RGBColor(r, g, b))
        };
        let (low, high) = (self.y.low, self.y.high);
        let mut ticks = vec![low - (high - low), low, low + 0.5 * (high - low), high];
        if self.y.logarithmic {
            // Only the powers of ten have a label.
            ticks = (low.ceil() as i32..=high.floor() as i32)
                .map(f64::from)
                .collect();
        }
        let widest = ticks
            .iter()
            .map(|at| canvas.text_width(&self.y.tick(*at), style::TICK, false));
        let widest = widest.fold(40.0, f32::max);
        let root = Backend(canvas).into_drawing_area();
        let mut plane = ChartBuilder::on(&root)
            .margin_top(self.top)
            .margin_right(self.right)
            .margin_left(style::MARGIN as u32 / 2)
            .margin_bottom(style::MARGIN as u32 / 2)
            .x_label_area_size(style::TICK + style::LABEL + 24.0)
            .y_label_area_size(widest + style::LABEL + 24.0)
            .build_cartesian_2d(self.x.low..self.x.high, self.y.low..self.y.high)
            .map_err(|error| error.to_string())?;
        let (r, g, b) = style::GRID;
        let (ink_r, ink_g, ink_b) = style::INK;
        plane
            .configure_mesh()
            .bold_line_style(ShapeStyle::from(&RGBColor(r, g, b)).stroke_width(2))
            .max_light_lines(0)
            .axis_style(ShapeStyle::from(&RGBColor(ink_r, ink_g, ink_b)).stroke_width(2))
            .set_all_tick_mark_size(8)
            .x_labels(9)
            .y_labels(8)
            .label_style(text(style::TICK, style::FAINT))
            .axis_desc_style(text(style::LABEL, style::INK))
            .x_label_formatter(&|x| self.x.tick(*x))
            .y_label_formatter(&|y| self.y.tick(*y))
            .x_desc(self.axes[0].clone())
            .y_desc(self.axes[1].clone())
            .draw()
            .map_err(|error| error.to_string())?;
        fill(&mut plane)?;
        let (across, down) = plane.plotting_area().get_pixel_range();
        Ok(Area {
            left: across.start as f32,
            right: across.end as f32,
            top: down.start as f32,
            bottom: down.end as f32,
        })
    }
}
