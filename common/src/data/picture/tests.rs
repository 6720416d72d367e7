//! Pictures of digits as people make them, and files that are no pictures.

use std::path::PathBuf;

use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A 7 of ink (0 to 255) on 0, as large as the picture allows up to a margin.
fn seven(width: u32, height: u32, margin: u32) -> GrayImage {
    let pen = (width.min(height) / 12).max(1);
    let (left, right) = (margin, width - margin - 1);
    let (top, bottom) = (margin, height - margin - 1);
    GrayImage::from_fn(width, height, |x, y| {
        let inside = (left..=right).contains(&x) && (top..=bottom).contains(&y);
        let slope = f64::from(right - left) * 0.6 / f64::from(bottom - top);
        let stroke = f64::from(right) - slope * f64::from(y.saturating_sub(top));
        let on_stroke = f64::from(x) <= stroke && f64::from(x) > stroke - f64::from(pen);
        let ink = inside && (y < top + pen || on_stroke);
        Luma([if ink { 255 } else { 0 }])
    })
}

fn prepared(picture: impl Into<DynamicImage>) -> (Vec<f32>, Preparation) {
    digit(&picture.into()).expect("the picture has a digit")
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
    sum / 784.0
}

/// Rows and columns that have ink: (left, top, width, height).
fn extent(values: &[f32]) -> (usize, usize, usize, usize) {
    let inked = |i: &usize| values[*i] > 0.1;
    let columns = || (0..784).filter(inked).map(|i| i % 28);
    let rows = || (0..784).filter(inked).map(|i| i / 28);
    let (left, right) = (columns().min().unwrap(), columns().max().unwrap());
    let (top, bottom) = (rows().min().unwrap(), rows().max().unwrap());
    (left, top, right - left + 1, bottom - top + 1)
}

#[test]
fn size_and_polarity_do_not_matter() {
    let (small, first) = prepared(seven(60, 90, 10));
    assert!(!first.inverted);
    assert_eq!((first.size, first.crop), ((60, 90), (10, 10, 40, 70)));
    let mut dark = seven(60, 90, 10);
    image::imageops::invert(&mut dark);
    let (inverted, preparation) = prepared(dark);
    assert!(preparation.inverted);
    assert_eq!(small, inverted);
    let (large, preparation) = prepared(seven(600, 900, 100));
    assert!(
        difference(&small, &large) < 0.02,
        "{}",
        difference(&small, &large)
    );
    assert_eq!(preparation.size, (600, 900));
    let (x, _, width, _) = preparation.crop;
    assert!(
        x.abs_diff(100) <= 3 && width.abs_diff(400) <= 6,
        "{preparation}"
    );
    for values in [&small, &large] {
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        let (_, _, width, height) = extent(values);
        assert!(
            height == 20 && (10..=13).contains(&width),
            "{width}x{height}"
        );
    }
}

#[test]
fn the_centre_of_mass_comes_to_the_centre() {
    let (values, _) = prepared(seven(80, 80, 20));
    let mass: f32 = values.iter().sum();
    let x: f32 = (0..784).map(|i| (i % 28) as f32 * values[i]).sum();
    let y: f32 = (0..784).map(|i| (i / 28) as f32 * values[i]).sum();
    assert!((x / mass - 14.0).abs() <= 0.5 && (y / mass - 14.0).abs() <= 0.5);
}

#[test]
fn a_wide_digit_is_20_pixels_wide() {
    let (values, _) = prepared(seven(120, 60, 5));
    let (_, _, width, height) = extent(&values);
    assert!(
        width == 20 && (8..=10).contains(&height),
        "{width}x{height}"
    );
}

#[test]
fn weak_ink_on_uneven_paper_becomes_full_ink_on_black() {
    let clean = seven(100, 100, 20);
    // Grey pencil (contrast 90 of 255) on paper whose grey wanders by 10.
    let photo = GrayImage::from_fn(100, 100, |x, y| {
        let paper = 200 - ((x * 7 + y * 13) % 11) as u8;
        Luma([paper - (f32::from(clean.get_pixel(x, y)[0]) * 90.0 / 255.0) as u8])
    });
    let (values, preparation) = prepared(photo);
    assert!(preparation.inverted);
    let (wanted, _) = prepared(clean);
    assert!(
        difference(&values, &wanted) < 0.02,
        "{}",
        difference(&values, &wanted)
    );
    assert_eq!(values[0], 0.0);
    assert!(values.iter().copied().fold(0.0, f32::max) > 0.95);
}

#[test]
fn colour_and_transparency_are_understood() {
    let clean = seven(60, 90, 10);
    let (wanted, _) = prepared(clean.clone());
    let ink = |x, y| clean.get_pixel(x, y)[0] > 0;
    let red = Rgb([200, 0, 0]);
    let colour = RgbImage::from_fn(
        60,
        90,
        |x, y| if ink(x, y) { red } else { Rgb([255, 255, 220]) },
    );
    assert!(difference(&prepared(colour).0, &wanted) < 0.02);
    // Black ink, or white, on nothing: what a drawing program exports.
    for grey in [0, 255] {
        let drawing = RgbaImage::from_fn(60, 90, |x, y| {
            Rgba([grey, grey, grey, if ink(x, y) { 255 } else { 0 }])
        });
        assert!(
            difference(&prepared(drawing).0, &wanted) < 0.02,
            "ink {grey}"
        );
    }
}

#[test]
fn a_digit_like_mnists_own_stays_nearly_itself() {
    let split = crate::data::digits::stand_in().unwrap();
    for i in 0..200 {
        let image = split.train.image(i);
        let picture = GrayImage::from_raw(28, 28, image.to_vec()).unwrap();
        let (values, preparation) = prepared(picture);
        assert!(!preparation.inverted);
        let (_, _, width, height) = extent(&values);
        assert!(
            (18..=20).contains(&width.max(height)),
            "digit {i}: {width}x{height}"
        );
    }
}

#[test]
fn a_blank_picture_has_no_digit() {
    for grey in [0, 128, 255] {
        assert!(digit(&GrayImage::from_pixel(40, 40, Luma([grey])).into()).is_none());
    }
    assert!(digit(&GrayImage::new(0, 0).into()).is_none());
    assert!(digit(&RgbaImage::new(9, 9).into()).is_none());
    // Less contrast than dust.
    let faint = GrayImage::from_fn(40, 40, |x, _| Luma([if x == 20 { 225 } else { 250 }]));
    assert!(digit(&faint.into()).is_none());
    // One dot is a digit of one dot, not a fault.
    let mut dot = GrayImage::new(40, 40);
    dot.put_pixel(3, 4, Luma([255]));
    let (values, preparation) = prepared(dot);
    assert_eq!(preparation.crop, (3, 4, 1, 1));
    assert!(values.iter().sum::<f32>() > 300.0);
}

/// A file with these bytes in a folder that lives as long as the first.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn encoded(picture: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn files_of_several_formats_are_read_whatever_their_name_says() {
    let (wanted, _) = prepared(seven(60, 90, 10));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp] {
        let (_folder, path) = file("digit.png", &encoded(seven(60, 90, 10), format));
        let (values, preparation) = digit_from_file(&path).unwrap();
        assert!(difference(&values, &wanted) < 0.02, "{format:?}");
        let said = preparation.to_string();
        assert!(
            said.starts_with("60x90 pixels, light ink on a dark ground; "),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_picture_is_refused_with_its_name() {
    let png = encoded(seven(60, 90, 10), ImageFormat::Png);
    let mut wrong_checksum = png.clone();
    let last = wrong_checksum.len() - 20;
    wrong_checksum[last] ^= 0xff;
    // 100,000 x 100,000 pixels, if one believes the header.
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    for (name, bytes) in [
        ("empty.png", &[][..]),
        ("text.png", b"this is not a picture at all\n"),
        ("page.png", b"<html><body>404</body></html>"),
        ("signature.png", &png[..8]),
        ("half.png", &png[..png.len() / 2]),
        ("checksum.png", &wrong_checksum),
        ("huge.png", &huge),
    ] {
        let (_folder, path) = file(name, bytes);
        let error = digit_from_file(&path).unwrap_err();
        assert!(matches!(error, Error::Data(_)), "{name}: {error:?}");
        let said = error.to_string();
        assert!(
            said.contains(name) && said.contains("not a picture"),
            "{said}"
        );
    }
    let (_folder, path) = file(
        "blank.png",
        &encoded(GrayImage::new(30, 30), ImageFormat::Png),
    );
    let said = digit_from_file(&path).unwrap_err().to_string();
    assert!(said.contains("blank.png: the picture is blank"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().join("nowhere.png"),
        folder.path().to_path_buf(),
    ] {
        let error = digit_from_file(&path).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert_eq!(error.exit_code(), 2);
    }
}

proptest! {
    #[test]
    fn damaged_pngs_never_panic(
        cut in 0_usize..700, flips in proptest::collection::vec((0_usize..700, any::<u8>()), 0..8),
    ) {
        let mut bytes = encoded(seven(40, 40, 4), ImageFormat::Png);
        let keep = bytes.len().saturating_sub(cut / 2);
        bytes.truncate(keep);
        for (at, value) in flips {
            let length = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at % length) {
                *byte = value;
            }
        }
        let (_folder, path) = file("damaged.png", &bytes);
        match digit_from_file(&path) {
            Ok((values, _)) => prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value))),
            Err(error) => prop_assert!(error.to_string().contains("damaged.png")),
        }
    }

    #[test]
    fn any_pixels_give_784_values_or_none(
        width in 1_u32..30, height in 1_u32..30, pixels in proptest::collection::vec(any::<u8>(), 900),
    ) {
        let picture = GrayImage::from_fn(width, height, |x, y| Luma([pixels[(y * 30 + x) as usize]]));
        if let Some((values, preparation)) = digit(&picture.into()) {
            prop_assert_eq!(values.len(), 784);
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            let (x, y, crop_width, crop_height) = preparation.crop;
            prop_assert!(x + crop_width <= width && y + crop_height <= height);
        }
    }
}
