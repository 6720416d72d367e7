//! Line charts and scatter plots.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, IntoDrawingArea};
use plotters::style::{FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle};
use plotters_backend::text_anchor::{HPos, VPos};

use super::canvas::{Backend, Canvas, Rgb, TextPlace};
use super::field::{self, Field};
use super::{Figure, csv, style};

/// A number that can be drawn.
pub trait Number: Copy {
    /// As the figure's own kind of number.
    fn as_f64(self) -> f64;
}

impl Number for f32 {
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    fn as_f64(self) -> f64 {
        self
    }
}

impl Number for usize {
    fn as_f64(self) -> f64 {
        self as f64
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Line,
    /// A line that stays at each value until the next one.
    Stairs,
    Points,
    /// Points whose colours tell a third number.
    Shaded,
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
}

/// Lines and points over two axes, being put together.
pub struct Chart {
    pub(super) title: String,
    axes: [String; 2],
    series: Vec<Series>,
    field: Option<Field>,
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
    x_logarithmic: bool,
    y_logarithmic: bool,
}

/// A chart meant for lines: function curves, or a score against epochs.
pub fn lines(title: &str, x_label: &str, y_label: &str) -> Chart {
    Chart {
        title: title.to_string(),
        axes: [x_label.to_string(), y_label.to_string()],
        series: Vec::new(),
        field: None,
        x_range: None,
        y_range: None,
        x_logarithmic: false,
        y_logarithmic: false,
    }
}

/// A chart meant for points. [`Chart::line`] draws a curve through them.
pub fn scatter(title: &str, x_label: &str, y_label: &str) -> Chart {
    lines(title, x_label, y_label)
}

impl Chart {
    /// A line through (x, y). A value that is not finite leaves a gap.
    pub fn line(self, name: &str, xs: &[impl Number], ys: &[impl Number]) -> Self {
        self.add(name, Mark::Line, xs, ys)
    }

    /// A line that stays at each y until the next x.
    pub fn stairs(self, name: &str, xs: &[impl Number], ys: &[impl Number]) -> Self {
        self.add(name, Mark::Stairs, xs, ys)
    }

    /// A mark at each (x, y).
    pub fn points(self, name: &str, xs: &[impl Number], ys: &[impl Number]) -> Self {
        self.add(name, Mark::Points, xs, ys)
    }

    /// A mark at each (x, y), the darker the greater the point's third number. `name` says what that is.
    pub fn shaded_points(
        self,
        name: &str,
        xs: &[impl Number],
        ys: &[impl Number],
        values: &[impl Number],
    ) -> Self {
        let mut chart = self.add(name, Mark::Shaded, xs, ys);
        if let Some(series) = chart.series.last_mut() {
            series.values = values.iter().map(|v| v.as_f64()).collect();
            series.values.resize(series.points.len(), f64::NAN);
        }
        chart
    }

    /// Colours the plane by a third number: `values` [rows, columns] at places that divide both axes equally, row by row from the least y,
    /// the first and last places at the ends of the axes. Fix both axes for it.
    pub fn field(mut self, name: &str, columns: usize, values: &[f64]) -> Self {
        self.field = Some(Field::new(name, columns, values));
        self
    }

    /// A black line across the figure at `y`.
    pub fn hline(mut self, name: &str, y: f64) -> Self {
        self.series.push(Series {
            name: name.to_string(),
            mark: Mark::Level,
            points: vec![(f64::NAN, y)],
            values: Vec::new(),
        });
        self
    }

    /// The chart under another title.
    pub(crate) fn titled(mut self, title: &str) -> Self {
        self.title = title.to_string();
        self
    }

    /// Fixes the x axis.
    pub fn x_range(mut self, low: f64, high: f64) -> Self {
        self.x_range = Some((low, high));
        self
    }

    /// Fixes the y axis.
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.y_range = Some((low, high));
        self
    }

    /// Powers of ten at equal distances on the x axis. Values must be positive.
    pub fn x_logarithmic(mut self) -> Self {
        self.x_logarithmic = true;
        self
    }

    /// Powers of ten at equal distances on the y axis. Values must be positive.
    pub fn y_logarithmic(mut self) -> Self {
        self.y_logarithmic = true;
        self
    }

    fn add(mut self, name: &str, mark: Mark, xs: &[impl Number], ys: &[impl Number]) -> Self {
        let points = xs.iter().zip(ys).map(|(x, y)| (x.as_f64(), y.as_f64()));
        self.series.push(Series {
            name: name.to_string(),
            mark,
            points: points.collect(),
            values: Vec::new(),
        });
        self
    }

    /// The chart as a picture of this size.
    pub(super) fn draw(&self, (width, height): (u32, u32)) -> Result<Canvas, String> {
        let mut canvas = Canvas::new(width, height);
        let top = self.header(&mut canvas, width);
        let frame = Frame {
            top,
            right: match self.field {
                Some(_) => field::SCALE,
                None => style::MARGIN as u32,
            },
            axes: &self.axes,
            x: self.axis(|point| point.0, self.x_logarithmic, self.x_range),
            y: self.axis(|point| point.1, self.y_logarithmic, self.y_range),
        };
        let area = frame.draw(&mut canvas, |plane| match &self.field {
            Some(field) => field.draw(plane),
            None => Ok(()),
        })?;
        if let Some(field) = &self.field {
            field.draw_scale(&mut canvas, &area);
        }
        for (series, color) in self.colored() {
            let ring = self.field.is_some();
            draw_series(&mut canvas, &frame, &area, series, color, ring);
        }
        Ok(canvas)
    }

    /// Draws the chart.
    pub fn build(self) -> Figure {
        Figure {
            png: self.draw(style::CHART).and_then(|canvas| canvas.png()),
            csv: self.csv(),
            alt: self.alt(),
            title: self.title,
        }
    }

    /// Each series with its colour; levels are black and take none.
    fn colored(&self) -> impl Iterator<Item = (&Series, Rgb)> {
        let mut next = 0;
        self.series.iter().map(move |series| {
            if series.mark == Mark::Level {
                return (series, (0, 0, 0));
            }
            next += 1;
            let color = match self.field {
                Some(_) => field::MARKS[(next - 1) % field::MARKS.len()],
                None => style::series(next - 1),
            };
            (series, color)
        })
    }

    /// Title and legend. Gives the height they take.
    fn header(&self, canvas: &mut Canvas, width: u32) -> u32 {
        let entries: Vec<_> = self.colored().collect();
        let entries = entries.iter().map(|(series, color)| Entry {
            name: &series.name,
            mark: series.mark,
            color: *color,
        });
        header(canvas, &self.title, &entries.collect::<Vec<_>>(), width)
    }

    fn axis(
        &self,
        of: impl Fn(&(f64, f64)) -> f64,
        logarithmic: bool,
        fixed: Option<(f64, f64)>,
    ) -> Axis {
        let values = self.series.iter().flat_map(|series| &series.points).map(of);
        let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        Axis::over(&values, logarithmic, fixed)
    }

    pub(super) fn csv(&self) -> String {
        let [x, y] = &self.axes;
        let rows = self.series.iter().flat_map(|series| {
            series.points.iter().enumerate().map(|(i, (x, y))| {
                let value = series.values.get(i).map_or(String::new(), |v| number(*v));
                [series.name.clone(), number(*x), number(*y), value]
            })
        });
        if self.field.is_none() && self.series.iter().all(|series| series.values.is_empty()) {
            return csv(["series", x, y], rows.map(|[name, x, y, _]| [name, x, y]));
        }
        let ends = |range: Option<(f64, f64)>| range.unwrap_or((0.0, 1.0));
        let field = self.field.iter().flat_map(|field| {
            let x = Axis::over(&[], self.x_logarithmic, Some(ends(self.x_range)));
            let y = Axis::over(&[], self.y_logarithmic, Some(ends(self.y_range)));
            field.rows(move |across, up| (x.at(across), y.at(up)))
        });
        csv(["series", x, y, "value"], rows.chain(field))
    }

    pub(super) fn alt(&self) -> String {
        let named = self.series.iter().map(|series| {
            let finite = || series.points.iter().filter(|point| point.1.is_finite());
            match (series.mark, finite().next(), finite().next_back()) {
                (Mark::Line | Mark::Stairs, Some(first), Some(last)) => format!(
                    "{} from {} to {}",
                    series.name,
                    short(first.1),
                    short(last.1)
                ),
                (Mark::Level, Some(first), _) => {
                    format!("a line at {}: {}", short(first.1), series.name)
                }
                _ => format!("{} ({} points)", series.name, series.points.len()),
            }
        });
        let [x, y] = &self.axes;
        format!(
            "{}: {y} against {x}; {}",
            self.title,
            named.collect::<Vec<_>>().join(", ")
        )
    }
}

/// Draws a series between the axes. Not by plotters, which rounds every point to a whole pixel: that shows in a smooth curve.
fn draw_series(
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
    let dots = |canvas: &mut Canvas, alpha: f32| {
        for point in series
            .points
            .iter()
            .filter(|point| finite(point))
            .map(place)
        {
            if area.contains(point) {
                if ring {
                    canvas.circle(point, 8.0, (255, 255, 255), alpha);
                }
                canvas.circle(point, 6.0, color, alpha);
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
        Mark::Points if ring => dots(canvas, 1.0),
        Mark::Points => dots(canvas, 0.75),
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
                dots(canvas, 1.0);
            }
        }
    }
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
            Mark::Points => canvas.circle((x + swatch / 2.0, y), 8.0, entry.color, 1.0),
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
    fn at(&self, part: f64) -> f64 {
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

fn number(value: f64) -> String {
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
    fn contains(&self, (x, y): (f32, f32)) -> bool {
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
