//! Pictures that follow each other, as an animated GIF.

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, GrayImage, ImageFormat, RgbaImage};

use super::Picture;
use crate::{Error, Result};

/// Times as long as the others that the last picture stays.
const LAST: usize = 6;

/// A grey picture of an animation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Columns.
    pub width: u32,
    /// [rows, columns], black at 0 and white at 255.
    pub grey: Vec<u8>,
    /// What it shows.
    pub label: String,
}

impl Frame {
    /// A mosaic of grey pictures of `side` x `side` values from 0 to 1 (those outside are black or white), so many in a row, each
    /// value `scale` x `scale` pixels.
    pub fn mosaic(pictures: &[f32], side: usize, columns: usize, scale: usize) -> Self {
        let (side, columns, scale) = (side.max(1), columns.max(1), scale.max(1));
        let rows = pictures.len() / (side * side);
        let rows = rows.div_ceil(columns);
        let (width, height) = (columns * side, rows * side);
        let mut grey = vec![0; width * height * scale * scale];
        for (i, pixel) in grey.iter_mut().enumerate() {
            let (row, column) = (i / (width * scale) / scale, i % (width * scale) / scale);
            let picture = row / side * columns + column / side;
            let at = (picture * side + row % side) * side + column % side;
            let value = pictures.get(at).copied().unwrap_or(0.0);
            *pixel = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        }
        Self {
            width: (width * scale) as u32,
            grey,
            label: String::new(),
        }
    }

    fn image(&self) -> Result<GrayImage> {
        let height = self.grey.len() as u32 / self.width.max(1);
        let image = GrayImage::from_raw(self.width, height, self.grey.clone());
        let whole = image.filter(|image| image.as_raw().len() == self.grey.len());
        whole.ok_or_else(|| Error::Training("a picture whose last row is not complete".into()))
    }

    /// The picture as PNG.
    ///
    /// # Errors
    /// [`Error::Training`] when it can't be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let written = self.image()?.write_to(&mut bytes, ImageFormat::Png);
        written.map_err(|error| Error::Training(format!("PNG: {error}")))?;
        Ok(bytes.into_inner())
    }

    /// A picture from a PNG.
    ///
    /// # Errors
    /// [`Error::Data`] when it can't be decoded.
    pub fn from_png(bytes: &[u8], label: &str) -> Result<Self> {
        let image = image::load_from_memory_with_format(bytes, ImageFormat::Png)
            .map_err(|error| Error::Data(format!("PNG: {error}")))?
            .into_luma8();
        Ok(Self {
            width: image.width(),
            grey: image.into_raw(),
            label: label.to_string(),
        })
    }

    /// The picture for a figure, scaled to 0 to 1.
    pub fn picture(&self) -> Picture {
        let height = self.grey.len() / (self.width as usize).max(1);
        let values: Vec<f32> = self.grey.iter().map(|v| f32::from(*v) / 255.0).collect();
        Picture::grey(height, self.width as usize, &values)
    }
}

/// The frames one after the other, each for so many milliseconds and the last for longer, again and again.
///
/// # Errors
/// [`Error::Training`] when a frame can't be encoded.
pub fn gif(frames: &[Frame], milliseconds: u32) -> Result<Vec<u8>> {
    let broken = |error: image::ImageError| Error::Training(format!("GIF: {error}"));
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    encoder.set_repeat(Repeat::Infinite).map_err(broken)?;
    for (i, frame) in frames.iter().enumerate() {
        let grey = frame.image()?;
        let color = RgbaImage::from_fn(grey.width(), grey.height(), |x, y| {
            let [v] = grey.get_pixel(x, y).0;
            image::Rgba([v, v, v, 255])
        });
        let times = if i + 1 == frames.len() { LAST } else { 1 };
        let delay = Delay::from_numer_denom_ms(milliseconds * times as u32, 1);
        let frame = image::Frame::from_parts(color, 0, 0, delay);
        encoder.encode_frame(frame).map_err(broken)?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use image::AnimationDecoder;

    use super::*;

    #[test]
    fn a_mosaic_has_each_picture_in_its_place() {
        let pictures = [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 2.0, -1.0, 0.5, 0.0];
        let frame = Frame::mosaic(&pictures, 2, 2, 1);
        assert_eq!(frame.width, 4);
        assert_eq!(
            frame.grey,
            [0, 255, 255, 255, 0, 255, 0, 0, 255, 0, 0, 0, 128, 0, 0, 0]
        );
        let large = Frame::mosaic(&pictures, 2, 2, 3);
        assert_eq!((large.width, large.grey.len()), (12, 144));
        assert_eq!(large.grey[..6], [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn png_keeps_a_frame_and_gif_all_of_them() {
        let frame = |v: f32| Frame::mosaic(&[v; 16], 4, 1, 2);
        let frames = [frame(0.0), frame(0.5), frame(1.0)];
        let back = Frame::from_png(&frames[1].png().unwrap(), "").unwrap();
        assert_eq!(back, frames[1]);
        let bytes = gif(&frames, 100).unwrap();
        let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(bytes)).unwrap();
        let shown = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(shown.len(), 3);
        let level = |i: usize| shown[i].buffer().get_pixel(3, 3).0[0];
        assert_eq!((level(0), level(2)), (0, 255));
    }
}
