//! Pixels: shapes and text with smooth edges, and the bridge by which plotters draws on them.

use std::convert::Infallible;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8,
    Rect, Stroke, Transform,
};

use super::axes::Area;

/// Red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

/// The largest side of a picture. Larger ones could not be looked at, and would fill the memory.
const LARGEST: u32 = 8192;

/// A picture being drawn.
pub(super) struct Canvas {
    pixels: Pixmap,
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

/// Where a text goes: `at` is the point, in pixels, that the anchors refer to.
pub(super) struct TextPlace {
    pub(super) at: (f32, f32),
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) horizontal: HPos,
    pub(super) vertical: VPos,
}

impl Canvas {
    /// A white picture.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let side = |length: u32| length.clamp(1, LARGEST);
        let mut pixels = Pixmap::new(side(width), side(height)).expect("both sides are positive");
        pixels.fill(tiny_skia::Color::WHITE);
        let font = |bytes| FontRef::try_from_slice(bytes).expect("the font is part of the program");
        Self {
            pixels,
            regular: font(dejavu::sans::regular()),
            bold: font(dejavu::sans::bold()),
        }
    }

    /// The picture as a PNG file.
    pub(super) fn png(&self) -> Result<Vec<u8>, String> {
        // Opaque, so without the fourth channel; well compressed, since figures are mailed and committed.
        let rgb = self.pixels.pixels().iter();
        let rgb: Vec<u8> = rgb.flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
            .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| error.to_string())?;
        Ok(png)
    }

    /// Mixes a colour into a pixel; outside the picture nothing happens.
    pub(super) fn pixel(&mut self, x: i32, y: i32, color: Rgb, alpha: f32) {
        let (width, height) = (self.pixels.width() as i32, self.pixels.height() as i32);
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let pixel = &mut self.pixels.pixels_mut()[(y * width + x) as usize];
        let mix = |below: u8, above: u8| {
            (f32::from(below) + (f32::from(above) - f32::from(below)) * alpha.clamp(0.0, 1.0))
                .round() as u8
        };
        let mixed = PremultipliedColorU8::from_rgba(
            mix(pixel.red(), color.0),
            mix(pixel.green(), color.1),
            mix(pixel.blue(), color.2),
            255,
        );
        if let Some(mixed) = mixed {
            *pixel = mixed;
        }
    }

    /// A filled rectangle.
    pub(super) fn rectangle(&mut self, at: (f32, f32), size: (f32, f32), color: Rgb, alpha: f32) {
        if let Some(rect) = Rect::from_xywh(at.0, at.1, size.0, size.1) {
            let paint = paint(color, alpha);
            self.pixels
                .fill_rect(rect, &paint, Transform::identity(), None);
        }
    }

    fn fill(&mut self, path: Option<Path>, color: Rgb, alpha: f32) {
        if let Some(path) = path {
            let (paint, rule) = (paint(color, alpha), FillRule::Winding);
            self.pixels
                .fill_path(&path, &paint, rule, Transform::identity(), None);
        }
    }

    fn stroke(
        &mut self,
        path: Option<Path>,
        color: Rgb,
        alpha: f32,
        width: f32,
        mask: Option<&Mask>,
    ) {
        if let Some(path) = path {
            let stroke = Stroke {
                width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            let paint = paint(color, alpha);
            self.pixels
                .stroke_path(&path, &paint, &stroke, Transform::identity(), mask);
        }
    }

    /// Another picture at a place, which is cut off where this one ends.
    pub(super) fn paste(&mut self, other: &Canvas, (left, top): (u32, u32)) {
        let (width, height) = (other.pixels.width(), other.pixels.height());
        for y in 0..height.min(self.pixels.height().saturating_sub(top)) {
            let columns = width.min(self.pixels.width().saturating_sub(left)) as usize;
            let from = (y * width) as usize;
            let to = ((top + y) * self.pixels.width() + left) as usize;
            let row = &other.pixels.pixels()[from..from + columns];
            self.pixels.pixels_mut()[to..to + columns].copy_from_slice(row);
        }
    }

    /// A filled circle.
    pub(super) fn circle(&mut self, at: (f32, f32), radius: f32, color: Rgb, alpha: f32) {
        self.fill(PathBuilder::from_circle(at.0, at.1, radius), color, alpha);
    }

    /// A line through points, cut off at the ends of `area`.
    pub(super) fn polyline(&mut self, points: &[(f32, f32)], width: f32, color: Rgb, area: &Area) {
        let mut line = PathBuilder::new();
        for (i, (x, y)) in points.iter().enumerate() {
            match i {
                0 => line.move_to(*x, *y),
                _ => line.line_to(*x, *y),
            }
        }
        let inside = Rect::from_ltrb(area.left, area.top, area.right, area.bottom);
        let mask = inside.and_then(|rect| {
            let mut mask = Mask::new(self.pixels.width(), self.pixels.height())?;
            let (path, rule) = (PathBuilder::from_rect(rect), FillRule::Winding);
            mask.fill_path(&path, rule, true, Transform::identity());
            Some(mask)
        });
        self.stroke(line.finish(), color, 1.0, width, mask.as_ref());
    }

    /// The width of a text in pixels.
    pub(super) fn text_width(&self, text: &str, size: f32, bold: bool) -> f32 {
        let font = if bold { &self.bold } else { &self.regular };
        let font = font.as_scaled(PxScale::from(size));
        text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum()
    }

    /// A line of text. Gives its width.
    pub(super) fn text(&mut self, text: &str, place: &TextPlace, color: Rgb) -> f32 {
        self.turned_text(text, place, color, &FontTransform::None)
    }

    fn turned_text(
        &mut self,
        text: &str,
        place: &TextPlace,
        color: Rgb,
        turn: &FontTransform,
    ) -> f32 {
        let width = self.text_width(text, place.size, place.bold);
        let font = if place.bold {
            self.bold.clone()
        } else {
            self.regular.clone()
        };
        let font = font.as_scaled(PxScale::from(place.size));
        let height = font.ascent() - font.descent();
        let mut x = match place.horizontal {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let top = match place.vertical {
            VPos::Top => 0.0,
            VPos::Center => -height / 2.0,
            VPos::Bottom => -height,
        };
        let (left, up) = (place.at.0.round() as i32, place.at.1.round() as i32);
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            let glyph = id.with_scale_and_position(place.size, point(x, top + font.ascent()));
            x += font.h_advance(id);
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, coverage| {
                let x = bounds.min.x.round() as i32 + dx as i32;
                let y = bounds.min.y.round() as i32 + dy as i32;
                let (x, y) = turn.transform(x, y);
                self.pixel(left + x, up + y, color, coverage);
            });
        }
        width
    }
}

fn paint(color: Rgb, alpha: f32) -> Paint<'static> {
    let mut paint = Paint::default();
    let alpha = (alpha.clamp(0.0, 1.0) * 255.0).round() as u8;
    paint.set_color_rgba8(color.0, color.1, color.2, alpha);
    paint.anti_alias = true;
    paint
}

/// A path through points given in pixels.
fn path(points: impl IntoIterator<Item = BackendCoord>, close: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, (x, y)) in points.into_iter().enumerate() {
        match i {
            0 => builder.move_to(x as f32, y as f32),
            _ => builder.line_to(x as f32, y as f32),
        }
    }
    if close {
        builder.close();
    }
    builder.finish()
}

/// Lends a canvas to plotters.
pub(super) struct Backend<'a>(pub(super) &'a mut Canvas);

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Backend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.0.pixels.width(), self.0.pixels.height())
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.0.pixel(x, y, color.rgb, color.alpha as f32);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Drawn {
        let (color, width) = (style.color(), style.stroke_width() as f32);
        self.0.stroke(
            path(points, false),
            color.rgb,
            color.alpha as f32,
            width,
            None,
        );
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        if fill {
            self.fill_polygon(corners, style)
        } else {
            let color = style.color();
            let width = style.stroke_width() as f32;
            self.0.stroke(
                path(corners, true),
                color.rgb,
                color.alpha as f32,
                width,
                None,
            );
            Ok(())
        }
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let circle = PathBuilder::from_circle(x as f32, y as f32, radius as f32);
        let (color, width) = (style.color(), style.stroke_width() as f32);
        if fill {
            self.0.fill(circle, color.rgb, color.alpha as f32);
        } else {
            self.0
                .stroke(circle, color.rgb, color.alpha as f32, width, None);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Drawn {
        let color = style.color();
        self.0
            .fill(path(points, true), color.rgb, color.alpha as f32);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let place = TextPlace {
            at: (at.0 as f32, at.1 as f32),
            size: style.size() as f32,
            bold: matches!(style.style(), FontStyle::Bold),
            horizontal: style.anchor().h_pos,
            vertical: style.anchor().v_pos,
        };
        self.0
            .turned_text(text, &place, style.color().rgb, &style.transform());
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let bold = matches!(style.style(), FontStyle::Bold);
        let width = self.0.text_width(text, style.size() as f32, bold);
        Ok((width.ceil() as u32, style.size().ceil() as u32))
    }
}
