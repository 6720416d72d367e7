//! Boxes with names on pictures.

use image::RgbImage;
use image::imageops::thumbnail;
use plotters_backend::text_anchor::{HPos, VPos};

use super::canvas::{Canvas, Rgb, TextPlace};
use super::style;
use crate::{Error, Result};

/// Longer sides of a picture are made smaller.
const LARGEST: u32 = 4096;

/// A box on a picture, with a text.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxMark {
    /// x and y of the upper left corner, x and y of the lower right one, in pixels of the picture.
    pub corners: [f32; 4],
    /// What stands above it.
    pub text: String,
    /// Boxes of the same number have the same colour.
    pub color: usize,
}

/// Draws boxes on the part of a canvas from `at` on that shows their picture at this scale.
pub(super) fn draw(canvas: &mut Canvas, boxes: &[BoxMark], at: (f32, f32), scale: f32, text: f32) {
    let line = (text / 9.0).max(1.5);
    for mark in boxes {
        let color = style::series(mark.color);
        let [x1, y1, x2, y2] = mark.corners.map(|c| (c * scale).clamp(-1e5, 1e5));
        let (left, top) = (at.0 + x1, at.1 + y1);
        let (wide, high) = ((x2 - x1).max(1.0), (y2 - y1).max(1.0));
        outline(canvas, (left, top), (wide, high), line, color);
        if mark.text.is_empty() {
            continue;
        }
        let back = (canvas.text_width(&mark.text, text, true) + 6.0, text * 1.2);
        // Above the box, or inside where there is no room above.
        let corner = match y1 >= back.1 {
            true => (left, top - back.1),
            false => (left, top),
        };
        canvas.rectangle(corner, back, color, 1.0);
        let place = TextPlace {
            at: (corner.0 + 3.0, corner.1 + back.1 / 2.0),
            size: text,
            bold: true,
            horizontal: HPos::Left,
            vertical: VPos::Center,
        };
        canvas.text(&mark.text, &place, (255, 255, 255));
    }
}

fn outline(
    canvas: &mut Canvas,
    (left, top): (f32, f32),
    (wide, high): (f32, f32),
    line: f32,
    color: Rgb,
) {
    let sides = [
        ((left, top), (wide, line)),
        ((left, top + high - line), (wide, line)),
        ((left, top), (line, high)),
        ((left + wide - line, top), (line, high)),
    ];
    for (at, size) in sides {
        canvas.rectangle(at, size, color, 1.0);
    }
}

/// A picture with boxes drawn on it, as a PNG file.
///
/// # Errors
/// [`Error::Training`] when it can't be made into a file.
pub fn annotated(picture: &RgbImage, boxes: &[BoxMark]) -> Result<Vec<u8>> {
    let longer = picture.width().max(picture.height());
    let scale = (LARGEST as f32 / longer.max(1) as f32).min(1.0);
    let size = |length: u32| ((length as f32 * scale) as u32).max(1);
    let picture = match scale < 1.0 {
        true => &thumbnail(picture, size(picture.width()), size(picture.height())),
        false => picture,
    };
    let mut canvas = Canvas::new(picture.width(), picture.height());
    for (x, y, pixel) in picture.enumerate_pixels() {
        let [r, g, b] = pixel.0;
        canvas.pixel(x as i32, y as i32, (r, g, b), 1.0);
    }
    let text = (longer.min(LARGEST) as f32 / 45.0).clamp(10.0, 60.0);
    draw(&mut canvas, boxes, (0.0, 0.0), scale, text);
    canvas.png().map_err(Error::Training)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn the_box_is_where_it_belongs_and_the_rest_is_the_picture() {
        let picture = RgbImage::from_pixel(60, 40, Rgb([1, 2, 3]));
        let mark = BoxMark {
            corners: [20.0, 15.0, 50.0, 35.0],
            text: String::new(),
            color: 0,
        };
        let png = annotated(&picture, &[mark]).unwrap();
        let drawn = image::load_from_memory(&png).unwrap().into_rgb8();
        assert_eq!(drawn.dimensions(), (60, 40));
        let at = |x, y| drawn.get_pixel(x, y).0;
        assert_eq!(at(20, 25), [0, 114, 178]);
        assert_eq!(at(35, 15), [0, 114, 178]);
        assert_eq!(at(35, 25), [1, 2, 3]);
        assert_eq!(at(10, 25), [1, 2, 3]);
    }

    #[test]
    fn boxes_beyond_the_picture_and_wild_numbers_are_harmless() {
        let picture = RgbImage::new(30, 30);
        let wild = [-1e9, f32::NAN, f32::INFINITY, 1e9];
        let marks = [wild, [25.0, 25.0, 90.0, 90.0], [9.0, 9.0, 2.0, 2.0]].map(|corners| BoxMark {
            corners,
            text: "person 0.99".to_string(),
            color: 99,
        });
        assert!(annotated(&picture, &marks).is_ok());
    }
}
