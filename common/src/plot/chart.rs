//! Line charts and scatter plots.

use super::axes::{Axis, Frame, number, short};
use super::canvas::{Canvas, Rgb};
use super::field::{self, Field};
use super::series::{Entry, Mark, Series, draw_class_name, draw_series, header};
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

    /// A mark at each (x, y), in the colour of the series called `like`, whose parts they are.
    pub fn points_of(self, like: &str, name: &str, xs: &[impl Number], ys: &[impl Number]) -> Self {
        let like = self.series.iter().position(|series| series.name == like);
        let mut chart = self.points(name, xs, ys);
        if let Some(series) = chart.series.last_mut() {
            series.like = like;
        }
        chart
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

    /// A small dot at each (x, y) in the colour of the point's class, a number of `names`; each name also stands in the middle of its points.
    pub fn classes(
        mut self,
        names: &[impl AsRef<str>],
        xs: &[impl Number],
        ys: &[impl Number],
        labels: &[u8],
    ) -> Self {
        for (class, name) in names.iter().enumerate() {
            let of_class = |values: &[f64]| -> Vec<f64> {
                let pairs = values.iter().zip(labels);
                let own = pairs.filter(|(_, label)| usize::from(**label) == class);
                own.map(|(value, _)| *value).collect()
            };
            let xs: Vec<f64> = xs.iter().map(|x| x.as_f64()).collect();
            let ys: Vec<f64> = ys.iter().map(|y| y.as_f64()).collect();
            self = self.add(name.as_ref(), Mark::Class, &of_class(&xs), &of_class(&ys));
        }
        self
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
            like: None,
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
            like: None,
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
        for series in self.series.iter().filter(|s| s.mark == Mark::Class) {
            draw_class_name(&mut canvas, &frame, &area, series);
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

    /// Each series with its colour; levels are black and take none, classes have their own.
    fn colored(&self) -> impl Iterator<Item = (&Series, Rgb)> {
        let (mut next, mut class) = (0, 0);
        let mut colors: Vec<Rgb> = Vec::with_capacity(self.series.len());
        for series in &self.series {
            let color = match (series.mark, series.like) {
                (_, Some(other)) => colors[other],
                (Mark::Level, _) => (0, 0, 0),
                (Mark::Class, _) => {
                    class += 1;
                    style::class(class - 1)
                }
                _ => {
                    next += 1;
                    match self.field {
                        Some(_) => field::MARKS[(next - 1) % field::MARKS.len()],
                        None => style::series(next - 1),
                    }
                }
            };
            colors.push(color);
        }
        self.series.iter().zip(colors)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_points() {
        let (xs, ys) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, f64::NAN, 8.0]);
        // The label 7 has no name, the class "c" no point.
        let chart = scatter("t", "x", "y").classes(&["a", "b", "c"], &xs, &ys, &[1, 0, 1, 7]);
        let csv = chart.csv();
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows[0].starts_with("a,2") && rows[1].starts_with("b,1"));
        assert!(rows[2].starts_with("b,3"));
        let colors: Vec<Rgb> = chart.colored().map(|(_, color)| color).collect();
        assert_eq!(colors, [0, 1, 2].map(style::class));
        assert!(chart.draw((600, 400)).is_ok());
    }

    #[test]
    fn points_have_the_colour_of_their_line() {
        let (xs, ys) = ([1.0, 2.0], [5.0, 6.0]);
        let chart = lines("t", "x", "y").line("a", &xs, &ys).line("b", &xs, &ys);
        let chart = chart.points_of("b", "b, each", &xs, &ys);
        let chart = chart.points_of("none", "others", &xs, &ys);
        let colors: Vec<Rgb> = chart.colored().map(|(_, color)| color).collect();
        assert_eq!(colors, [0, 1, 1, 2].map(style::series));
    }
}
