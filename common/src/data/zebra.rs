//! The zebra of chapter 14, a photo of fine stripes; where it is not there, stripes are drawn.

use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgb, RgbImage};

use super::fetch::{Places, announce};
use super::{DataOptions, Source, picture};
use crate::{Error, Result};

const NAME: &str = "the photo Zebra_in_Mikumi.JPG";
const ADDRESS: &str = "https://commons.wikimedia.org/wiki/File:Zebra_in_Mikumi.JPG";
const PLACES: [&str; 4] = [
    "photos/Zebra_in_Mikumi.JPG",
    "photos/Zebra_in_Mikumi.jpg",
    "Zebra_in_Mikumi.JPG",
    "Zebra_in_Mikumi.jpg",
];

/// The middle of the photo, its smaller side scaled to `side` pixels; drawn stripes of the same size where it is not in a data folder.
///
/// # Errors
/// [`Error::Data`] for a damaged file, and when only real data will do and there is none; [`Error::Usage`] for a data folder that
/// does not exist.
pub fn zebra(side: u32, options: &DataOptions) -> Result<(RgbImage, Source)> {
    load(side, &Places::new(options))
}

fn load(side: u32, places: &Places) -> Result<(RgbImage, Source)> {
    let (picture, origin, real) = match places.look(&PLACES)? {
        Some((path, origin)) => {
            let photo = picture::open(&path).map_err(|error| places.explain(error, &path))?;
            (middle(&photo.into_rgb8(), side), origin, true)
        }
        None => {
            let reason = format!(
                "{NAME} is not on this machine. It is not downloaded by itself: put the original of {ADDRESS} into FOLDER and give --data-dir FOLDER"
            );
            if places.require_real {
                return Err(Error::Data(reason + "."));
            }
            let origin = "drawn stripes";
            announce(&format!("{reason}.\nIn its place: {origin}."), places.quiet);
            (stripes(side), origin.to_string(), false)
        }
    };
    let source = Source {
        name: NAME.to_string(),
        origin,
        real,
        train: 1,
        test: 0,
    };
    Ok((picture, source))
}

/// Scaled so that the smaller side has `side` pixels, then cut to a square around the centre.
fn middle(photo: &RgbImage, side: u32) -> RgbImage {
    let scale = f64::from(side) / f64::from(photo.width().min(photo.height()).max(1));
    let scaled = |length: u32| ((f64::from(length) * scale).round() as u32).max(side);
    let (width, height) = (scaled(photo.width()), scaled(photo.height()));
    let scaled = resize(photo, width, height, FilterType::Triangle);
    crop_imm(&scaled, (width - side) / 2, (height - side) / 2, side, side).to_image()
}

/// Bent dark stripes on a light ground, from 4 to about 40 pixels wide at a side of 1,000, with soft edges of a pixel.
fn stripes(side: u32) -> RgbImage {
    let scale = 1000.0 / f64::from(side.max(1));
    RgbImage::from_fn(side, side, |x, y| {
        let (u, v) = (f64::from(x) * scale / 1000.0, f64::from(y) * scale / 1000.0);
        // The phase is a distance along bent lines; its slope, the number of stripes, falls from left to right.
        let bend = 0.12 * (5.0 * v + 2.0 * u).sin() + 0.35 * v * v;
        let along = u + bend;
        let phase = 110.0 * along / (1.0 + 1.6 * along.max(0.0)) + 6.0 * (3.0 * v).cos();
        let wave = (std::f64::consts::TAU * phase).sin();
        let soft = 0.5 + 0.5 * (3.0 * wave).tanh();
        let light = 0.85 + 0.1 * (2.0 * u - v).sin();
        let value = 0.08 + (light - 0.08) * soft;
        let byte = |tint: f64| (255.0 * (value * tint).clamp(0.0, 1.0)).round() as u8;
        Rgb([byte(1.0), byte(0.96), byte(0.88)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_photo_is_scaled_and_cut_and_drawn_stripes_are_announced() {
        let folder = tempfile::tempdir().unwrap();
        let places = |require_real| Places::offline(Some(folder.path()), require_real);
        let error = load(40, &places(true)).unwrap_err().to_string();
        assert!(error.contains(ADDRESS));
        let (picture, source) = load(40, &places(false)).unwrap();
        assert!(!source.real && picture.dimensions() == (40, 40));
        let photo = RgbImage::from_fn(60, 20, |x, _| Rgb([if x < 30 { 0 } else { 255 }; 3]));
        let path = folder.path().join("Zebra_in_Mikumi.JPG");
        photo
            .save_with_format(&path, image::ImageFormat::Png)
            .unwrap();
        let (picture, source) = load(40, &places(true)).unwrap();
        assert!(source.real && picture.dimensions() == (40, 40));
        let row: Vec<u8> = (0..40).map(|x| picture.get_pixel(x, 5)[0]).collect();
        assert_eq!((row[0], row[39]), (0, 255));
        std::fs::write(&path, b"no picture").unwrap();
        assert_eq!(load(40, &places(true)).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn drawn_stripes_are_fine_on_one_side_and_wide_on_the_other() {
        let picture = stripes(1000);
        let crossings = |from: u32| {
            let dark = |x: u32| picture.get_pixel(x, 500)[0] < 120;
            (from..from + 249)
                .filter(|&x| dark(x) != dark(x + 1))
                .count()
        };
        assert!(
            crossings(0) > 2 * crossings(750),
            "{} {}",
            crossings(0),
            crossings(750)
        );
    }
}
