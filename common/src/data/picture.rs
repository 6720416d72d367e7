//! A user's pictures: any of them as colours, and one of a digit made into what a model trained on MNIST expects.

use std::io::{BufRead, Cursor, Seek};
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageReader, Limits, Luma, RgbImage};

use crate::{Error, Result};

/// Side of MNIST's images.
const SIDE: usize = 28;
/// MNIST's digits were scaled to fit a box of this side, keeping their proportions.
const BOX: u32 = 20;
/// Larger pictures are refused.
const MAX_SIDE: u32 = 12_000;
/// Larger pictures are made smaller first: a digit does not gain from more.
const WORKING_SIDE: u32 = 600;
/// Ink must differ from paper by this much (of 255) somewhere.
const MIN_CONTRAST: f32 = 30.0;

/// What was made of a picture, to be shown to the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Preparation {
    /// Width and height of the picture.
    pub size: (u32, u32),
    /// Whether the digit was darker than its ground, so that it had to be inverted.
    pub inverted: bool,
    /// The part that has ink, in pixels of the picture: x, y, width, height.
    pub crop: (u32, u32, u32, u32),
}

impl std::fmt::Display for Preparation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ((width, height), (x, y, crop_width, crop_height)) = (self.size, self.crop);
        let ink = match self.inverted {
            true => "dark ink on a light ground, inverted",
            false => "light ink on a dark ground",
        };
        write!(
            f,
            "{width}x{height} pixels, {ink}; ink in {crop_width}x{crop_height} pixels from ({x}, {y}), scaled to 20 pixels and centred in 28x28"
        )
    }
}

/// Reads a picture of one digit (PNG, JPEG, BMP, GIF, WebP; any size, colours and polarity) as MNIST would have it: 784 values in
/// \[0, 1\], ink light on black, the longer side of the ink 20 pixels, its centre of mass in the centre of 28x28.
///
/// # Errors
/// [`Error::Io`] for a file that can't be opened, [`Error::Data`] for one that is no picture, is too large or is blank.
pub fn digit_from_file(path: &Path) -> Result<(Vec<f32>, Preparation)> {
    let picture = open(path)?;
    let blank = || {
        let path = path.display();
        Error::Data(format!(
            "{path}: the picture is blank; it needs one digit in a colour that differs from the ground"
        ))
    };
    digit(&picture).ok_or_else(blank)
}

/// Reads a picture (PNG, JPEG, BMP, GIF, WebP) in red, green and blue; what is transparent shows its colour.
///
/// # Errors
/// [`Error::Io`] for a file that can't be opened, [`Error::Data`] for one that is no picture or is too large.
pub fn picture_from_file(path: &Path) -> Result<RgbImage> {
    Ok(open(path)?.into_rgb8())
}

/// Opens a picture, with limits on its size.
pub(super) fn open(path: &Path) -> Result<DynamicImage> {
    let reader = ImageReader::open(path).map_err(Error::io(path))?;
    read(reader).map_err(|why| Error::Data(format!("{}: {why}", path.display())))
}

/// The picture in these bytes, with limits on its size; or why there is none.
pub(super) fn decode(bytes: &[u8]) -> std::result::Result<DynamicImage, String> {
    read(ImageReader::new(Cursor::new(bytes)))
}

fn read(reader: ImageReader<impl BufRead + Seek>) -> std::result::Result<DynamicImage, String> {
    let why = |error: &dyn std::fmt::Display| {
        format!(
            "not a picture that can be read (PNG, JPEG, BMP, GIF or WebP, at most {MAX_SIDE} pixels a side): {error}"
        )
    };
    let mut reader = reader.with_guessed_format().map_err(|error| why(&error))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(1 << 29);
    reader.limits(limits);
    reader.decode().map_err(|error| why(&error))
}

fn digit(picture: &DynamicImage) -> Option<(Vec<f32>, Preparation)> {
    let size = (picture.width(), picture.height());
    let grey = flatten(picture);
    let grey = match size.0.max(size.1) > WORKING_SIDE {
        true => DynamicImage::ImageLuma8(grey)
            .resize(WORKING_SIDE, WORKING_SIDE, FilterType::Triangle)
            .into_luma8(),
        false => grey,
    };
    let (ink, inverted) = ink(&grey)?;
    let (x, y, width, height) = bounding_box(&ink)?;
    let cut = image::imageops::crop_imm(&ink, x, y, width, height).to_image();
    let scale = BOX as f32 / width.max(height) as f32;
    let scaled = |side: u32| ((side as f32 * scale).round() as u32).clamp(1, BOX);
    let (new_width, new_height) = (scaled(width), scaled(height));
    let small = match (new_width, new_height) == (width, height) {
        true => cut,
        false => image::imageops::resize(&cut, new_width, new_height, FilterType::Triangle),
    };
    // Thin strokes fade when they are made smaller; full ink is 1 again.
    let most = small.pixels().map(|pixel| pixel[0]).fold(0.0, f32::max);
    let values: Vec<f32> = small
        .pixels()
        .map(|pixel| pixel[0] / most.max(0.01))
        .collect();
    let values = centre_by_mass(&values, new_width as usize, new_height as usize);

    let back = f64::from(size.0) / f64::from(grey.width());
    let original = |at: u32| (f64::from(at) * back).round() as u32;
    let crop = (original(x), original(y), original(width), original(height));
    Some((
        values,
        Preparation {
            size,
            inverted,
            crop,
        },
    ))
}

/// Grey values of a picture; where it is transparent, a ground that its ink differs from.
fn flatten(picture: &DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.to_luma8();
    }
    let picture = picture.to_luma_alpha8();
    let opaque = picture.pixels().filter(|pixel| pixel[1] > 127);
    let (count, sum) = opaque.fold((0_u64, 0_u64), |(count, sum), pixel| {
        (count + 1, sum + u64::from(pixel[0]))
    });
    let ground = if sum > 127 * count { 0.0 } else { 255.0 };
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [grey, alpha] = picture.get_pixel(x, y).0;
        let alpha = f32::from(alpha) / 255.0;
        Luma([(alpha * f32::from(grey) + (1.0 - alpha) * ground).round() as u8])
    })
}

type Ink = image::ImageBuffer<Luma<f32>, Vec<f32>>;

/// How much each pixel differs from the ground, \[0, 1\], and whether the ground is lighter. The ground is the median of the
/// border; what varies no more than the border does is ground too.
fn ink(grey: &GrayImage) -> Option<(Ink, bool)> {
    let (width, height) = grey.dimensions();
    let on_border = |x, y| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let mut border: Vec<u8> = grey
        .enumerate_pixels()
        .filter(|&(x, y, _)| on_border(x, y))
        .map(|(_, _, pixel)| pixel[0])
        .collect();
    border.sort_unstable();
    let ground = f32::from(*border.get(border.len() / 2)?);
    let (mut darkest, mut lightest) = (255.0_f32, 0.0_f32);
    for pixel in grey.pixels() {
        darkest = darkest.min(f32::from(pixel[0]));
        lightest = lightest.max(f32::from(pixel[0]));
    }
    let inverted = ground - darkest > lightest - ground;
    let sign = if inverted { -1.0 } else { 1.0 };
    let contrast = (ground - darkest).max(lightest - ground);
    if contrast < MIN_CONTRAST {
        return None;
    }
    // Nine tenths of the border are paper, whatever a shadow or a stroke does to the rest.
    let mut spread: Vec<f32> = border
        .iter()
        .map(|&value| sign * (f32::from(value) - ground))
        .collect();
    spread.sort_by(f32::total_cmp);
    let noise = spread.get(spread.len() * 9 / 10).copied().unwrap_or(0.0);
    let floor = (1.5 * noise.max(0.0)).min(0.6 * contrast);
    let ink = Ink::from_fn(width, height, |x, y| {
        let difference = sign * (f32::from(grey.get_pixel(x, y)[0]) - ground);
        Luma([((difference - floor) / (contrast - floor)).clamp(0.0, 1.0)])
    });
    Some((ink, inverted))
}

/// The smallest box around all ink that is more than a trace: x, y, width, height.
fn bounding_box(ink: &Ink) -> Option<(u32, u32, u32, u32)> {
    let inked = ink
        .enumerate_pixels()
        .filter(|(_, _, pixel)| pixel[0] > 0.1);
    let start = (u32::MAX, u32::MAX, 0, 0);
    let (left, top, right, bottom) = inked.fold(start, |(left, top, right, bottom), (x, y, _)| {
        (left.min(x), top.min(y), right.max(x), bottom.max(y))
    });
    (left <= right && top <= bottom).then(|| (left, top, right - left + 1, bottom - top + 1))
}

/// Puts a picture of at most 28x28 values into 28x28, its centre of mass at pixel (14, 14) as MNIST's are, or as near as no ink is
/// lost.
pub(super) fn centre_by_mass(ink: &[f32], width: usize, height: usize) -> Vec<f32> {
    let values = ink.iter().enumerate().take(width * height);
    let inked = values.filter(|&(_, &value)| value > 0.0);
    let inked = inked.map(|(i, &value)| ([i % width, i / width], value));
    let (mut mass, mut moment) = (f32::MIN_POSITIVE, [0.0; 2]);
    let (mut first, mut last) = ([usize::MAX; 2], [0; 2]);
    for (at, value) in inked.clone() {
        mass += value;
        for axis in 0..2 {
            moment[axis] += value * at[axis] as f32;
            first[axis] = first[axis].min(at[axis]);
            last[axis] = last[axis].max(at[axis]);
        }
    }
    let shift = [0, 1].map(|axis| {
        let shift = (SIDE as f32 / 2.0 - moment[axis] / mass).round() as isize;
        let most = SIDE as isize - 1 - last[axis] as isize;
        shift
            .min(most)
            .max(0_isize.saturating_sub_unsigned(first[axis]))
    });
    let mut centred = vec![0.0; SIDE * SIDE];
    for ([x, y], value) in inked {
        let (x, y) = (x as isize + shift[0], y as isize + shift[1]);
        if let Some(pixel) = centred.get_mut((y * SIDE as isize + x) as usize) {
            *pixel = value;
        }
    }
    centred
}

#[cfg(test)]
mod tests;
