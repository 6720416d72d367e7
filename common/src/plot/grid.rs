//! Pictures side by side, each with a caption.

use plotters_backend::text_anchor::{HPos, VPos};

use super::boxes::{self, BoxMark};
use super::canvas::{Canvas, Rgb, TextPlace};
use super::{Figure, csv, style};

/// Pixels of a picture's longer side in the grid.
const SIDE: f32 = 250.0;
const GAP: f32 = 24.0;
/// Of pictures with a side of more than twice this many pixels, only about as many rows and columns are written as numbers.
const ROWS: usize = 64;

/// Lengths in a grid of pictures of any size.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Of a picture's longer side.
    side: f32,
    /// Between pictures.
    gap: f32,
    /// Of captions.
    caption: f32,
    /// Of texts in pictures.
    text: f32,
}

impl Sizes {
    fn of(side: f32) -> Self {
        let scale = side / SIDE;
        let letters = scale.clamp(0.55, 1.0);
        Self {
            side,
            gap: (GAP * scale).max(4.0),
            caption: style::TICK * letters,
            text: style::LABEL * letters,
        }
    }
}

/// A picture to be shown: its values, and how they become grey or colour.
#[derive(Clone, Debug)]
pub struct Picture {
    height: usize,
    width: usize,
    /// 1 or 3
    channels: usize,
    /// [channels, height, width]
    values: Vec<f32>,
    range: (f32, f32),
    text: Option<String>,
    boxes: Vec<BoxMark>,
}

impl Picture {
    /// A grey picture of values [height, width], black at 0 and white at 1. Values outside are black or white.
    pub fn grey(height: usize, width: usize, values: &[f32]) -> Self {
        Self::new(height, width, 1, values)
    }

    /// A colour picture of values [3, height, width] from 0 to 1.
    pub fn rgb(height: usize, width: usize, values: &[f32]) -> Self {
        Self::new(height, width, 3, values)
    }

    fn new(height: usize, width: usize, channels: usize, values: &[f32]) -> Self {
        let mut values = values.to_vec();
        // A missing value is shown as black, not a reason to stop a run that has trained for an hour.
        values.resize(channels * height * width, 0.0);
        Self {
            height,
            width,
            channels,
            values,
            range: (0.0, 1.0),
            text: None,
            boxes: Vec::new(),
        }
    }

    /// Boxes drawn on the picture.
    pub fn boxes(mut self, boxes: Vec<BoxMark>) -> Self {
        self.boxes = boxes;
        self
    }

    /// Black at `low`, white at `high`.
    pub fn range(mut self, low: f32, high: f32) -> Self {
        self.range = (low, high);
        self
    }

    /// Black at the least value, white at the greatest.
    pub fn full_range(self) -> Self {
        let finite = || self.values.iter().copied().filter(|v| v.is_finite());
        let low = finite().fold(f32::INFINITY, f32::min);
        let high = finite().fold(f32::NEG_INFINITY, f32::max);
        self.range(low, high)
    }

    /// A short text in the upper left corner of the picture.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_string());
        self
    }

    fn color(&self, row: usize, column: usize) -> Rgb {
        let (low, high) = self.range;
        let level = |channel: usize| {
            let value = self.values[(channel * self.height + row) * self.width + column];
            let part = (value - low) / (high - low).max(f32::MIN_POSITIVE);
            (part.clamp(0.0, 1.0) * 255.0).round() as u8
        };
        match self.channels {
            1 => (level(0), level(0), level(0)),
            _ => (level(0), level(1), level(2)),
        }
    }

    /// Width and height in a grid of pictures of this side.
    fn size(&self, side: f32) -> (f32, f32) {
        let longer = self.height.max(self.width).max(1) as f32;
        (
            self.width as f32 * side / longer,
            self.height as f32 * side / longer,
        )
    }
}

/// A grid of pictures, being put together.
pub struct ImageGrid {
    title: String,
    pictures: Vec<(Picture, String)>,
    columns: Option<usize>,
    side: f32,
}

/// Pictures side by side under a title.
pub fn image_grid(title: &str) -> ImageGrid {
    ImageGrid {
        title: title.to_string(),
        pictures: Vec::new(),
        columns: None,
        side: SIDE,
    }
}

impl ImageGrid {
    /// One more picture.
    pub fn image(mut self, picture: Picture, caption: &str) -> Self {
        self.pictures.push((picture, caption.to_string()));
        self
    }

    /// Pictures per row. Without it: all in a row up to five, then as near to a square as can be.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns.max(1));
        self
    }

    /// Pixels of a picture's longer side, for many pictures; 250 without it. Gaps, captions and texts shrink with it.
    pub fn side(mut self, pixels: u32) -> Self {
        self.side = (pixels as f32).max(1.0);
        self
    }

    /// Draws the grid.
    pub fn build(self) -> Figure {
        let n = self.pictures.len().max(1);
        let columns = self.columns.unwrap_or(match n {
            0..=5 => n,
            _ => (n as f32).sqrt().ceil() as usize,
        });
        let columns = columns.min(n);
        let sizes = Sizes::of(self.side);
        let Sizes {
            side,
            gap,
            caption: letters,
            ..
        } = sizes;
        let captions: Vec<Vec<String>> = {
            let measure = Canvas::new(1, 1);
            let wrap = |(_, caption): &(Picture, String)| wrap(&measure, caption, sizes);
            self.pictures.iter().map(wrap).collect()
        };
        let lines = captions.iter().map(Vec::len).max().unwrap_or(0) as f32;
        let row_height = side + lines * letters * 1.2 + gap;
        let rows = n.div_ceil(columns);
        let title_width = Canvas::new(1, 1).text_width(&self.title, style::TITLE, true);
        let grid_width = columns as f32 * (side + gap) - gap;
        let width = grid_width.max(title_width) + 2.0 * style::MARGIN;
        let top = style::MARGIN + style::TITLE + GAP;
        let height = top + rows as f32 * row_height + style::MARGIN - gap;
        let mut canvas = Canvas::new(width.ceil() as u32, height.ceil() as u32);
        let place = |at, size, bold, horizontal| TextPlace {
            at,
            size,
            bold,
            horizontal,
            vertical: VPos::Top,
        };
        let at = (style::MARGIN, style::MARGIN);
        canvas.text(
            &self.title,
            &place(at, style::TITLE, true, HPos::Left),
            style::INK,
        );
        for (i, (picture, _)) in self.pictures.iter().enumerate() {
            let left = style::MARGIN + (i % columns) as f32 * (side + gap);
            let row_top = top + (i / columns) as f32 * row_height;
            let (wide, high) = picture.size(side);
            let corner = (left + (side - wide) / 2.0, row_top + (side - high) / 2.0);
            draw(&mut canvas, picture, corner, sizes);
            for (line, text) in captions[i].iter().enumerate() {
                let y = row_top + side + 4.0 + line as f32 * letters * 1.2;
                let at = (left + side / 2.0, y);
                canvas.text(text, &place(at, letters, false, HPos::Center), style::INK);
            }
        }
        Figure {
            png: canvas.png(),
            csv: self.csv(),
            alt: self.alt(),
            title: self.title,
        }
    }

    fn csv(&self) -> String {
        let rows = self.pictures.iter().flat_map(|(picture, caption)| {
            let size = picture.height * picture.width;
            let longer = picture.height.max(picture.width);
            let step = if longer > 2 * ROWS { longer / ROWS } else { 1 };
            picture
                .values
                .iter()
                .enumerate()
                .filter_map(move |(i, value)| {
                    let (row, column) = (i % size / picture.width, i % picture.width);
                    if row % step != 0 || column % step != 0 {
                        return None;
                    }
                    let [channel, row, column] = [i / size, row, column].map(|n| n.to_string());
                    Some([caption.clone(), channel, row, column, value.to_string()])
                })
        });
        csv(["picture", "channel", "row", "column", "value"], rows)
    }

    fn alt(&self) -> String {
        let captions = self
            .pictures
            .iter()
            .map(|(picture, caption)| match &picture.text {
                Some(text) => format!("{caption} ({text})"),
                None => caption.clone(),
            });
        let captions = captions.filter(|c| !c.is_empty()).collect::<Vec<_>>();
        format!(
            "{}: {} pictures; {}",
            self.title,
            self.pictures.len(),
            captions.join(", ")
        )
    }
}

/// Each value becomes a square of equal colour, so that single pixels can be seen; large pictures are sampled.
fn draw(canvas: &mut Canvas, picture: &Picture, corner: (f32, f32), sizes: Sizes) {
    if picture.height == 0 || picture.width == 0 {
        return;
    }
    let (wide, high) = picture.size(sizes.side);
    let (left, top) = (corner.0.round() as i32, corner.1.round() as i32);
    let (wide, high) = (wide.round() as i32, high.round() as i32);
    // A frame, so that white pictures have an end.
    let frame = ((wide + 2) as f32, (high + 2) as f32);
    canvas.rectangle(
        ((left - 1) as f32, (top - 1) as f32),
        frame,
        (190, 190, 190),
        1.0,
    );
    for y in 0..high {
        for x in 0..wide {
            let row = y as usize * picture.height / high as usize;
            let column = x as usize * picture.width / wide as usize;
            canvas.pixel(left + x, top + y, picture.color(row, column), 1.0);
        }
    }
    let scale = wide as f32 / picture.width as f32;
    let text = 0.75 * style::TICK * (sizes.side / SIDE).sqrt();
    boxes::draw(
        canvas,
        &picture.boxes,
        (left as f32, top as f32),
        scale,
        text,
    );
    if let Some(text) = &picture.text {
        let size = sizes.text;
        let width = canvas.text_width(text, size, true);
        let back = (width + 16.0, size * 1.3);
        canvas.rectangle((left as f32, top as f32), back, (255, 255, 255), 0.85);
        let place = TextPlace {
            at: (left as f32 + 8.0, top as f32 + back.1 / 2.0),
            size,
            bold: true,
            horizontal: HPos::Left,
            vertical: VPos::Center,
        };
        canvas.text(text, &place, (190, 40, 0));
    }
}

/// Breaks a caption into lines as wide as a picture.
fn wrap(measure: &Canvas, caption: &str, sizes: Sizes) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in caption.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if measure.text_width(&format!("{line} {word}"), sizes.caption, false)
                    <= sizes.side + sizes.gap / 2.0 =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}
