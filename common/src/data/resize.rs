//! Photos made smaller as Pillow, and so torchvision, does it: bilinear with antialiasing.

use image::RgbImage;

/// Bits after the point of Pillow's weights.
const PRECISION: u32 = 32 - 8 - 2;

/// The pixels that one pixel of the result is made of: the first of them, and their weights.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

/// The windows of an axis: a triangle as wide as two pixels of the result or of the input, whichever are larger.
fn windows(input: usize, output: usize) -> Vec<Window> {
    let scale = input as f64 / output as f64;
    let support = scale.max(1.0);
    let window = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(input);
        let weight = |x: usize| (1.0 - ((x as f64 - centre + 0.5) / support).abs()).max(0.0);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: f64| (0.5 + w / sum * f64::from(1 << PRECISION)) as i32;
        Window {
            first,
            weights: weights.into_iter().map(fixed).collect(),
        }
    };
    (0..output).map(window).collect()
}

/// A weighted sum of bytes, rounded.
fn byte(window: &Window, at: impl Fn(usize) -> u8) -> u8 {
    let half = 1 << (PRECISION - 1);
    let weights = window.weights.iter().enumerate();
    let sum = weights.fold(half, |sum: i32, (i, w)| {
        sum + i32::from(at(window.first + i)) * w
    });
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The picture at this width and height, first across and then down, with bytes between, as Pillow has it.
fn resized(picture: &RgbImage, width: usize, height: usize) -> RgbImage {
    let (old_width, old_height) = (picture.width() as usize, picture.height() as usize);
    let mut across = vec![0; 3 * width * old_height];
    let columns = windows(old_width, width);
    let lines = across.chunks_exact_mut(3 * width);
    for (line, old) in lines.zip(picture.as_raw().chunks_exact(3 * old_width)) {
        for (pixel, window) in line.chunks_exact_mut(3).zip(&columns) {
            for (c, value) in pixel.iter_mut().enumerate() {
                *value = byte(window, |x| old[3 * x + c]);
            }
        }
    }
    let mut values = vec![0; 3 * width * height];
    let rows = windows(old_height, height);
    for (line, window) in values.chunks_exact_mut(3 * width).zip(&rows) {
        for (i, value) in line.iter_mut().enumerate() {
            *value = byte(window, |y| across[3 * width * y + i]);
        }
    }
    RgbImage::from_raw(width as u32, height as u32, values).unwrap_or_default()
}

/// torchvision's `Resize(shorter)` and `CenterCrop(side)`: the shorter side becomes `shorter` pixels, and of the result the middle is cut out.
/// [3, side, side], 0 to 255.
///
/// The picture must have pixels, and `side` be at most `shorter`; else nothing.
pub fn resize_and_crop(picture: &RgbImage, shorter: usize, side: usize) -> Option<Vec<u8>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width.min(height) == 0 || side > shorter {
        return None;
    }
    let scaled = |length: usize| match length == width.min(height) {
        true => shorter,
        false => (shorter as f64 * length as f64 / width.min(height) as f64) as usize,
    };
    let small = resized(picture, scaled(width), scaled(height));
    let middle = |length: u32| (f64::from(length - side as u32) / 2.0).round_ties_even() as usize;
    let (left, top) = (middle(small.width()), middle(small.height()));
    let mut pixels = Vec::with_capacity(3 * side * side);
    for c in 0..3 {
        for y in top..top + side {
            let row = &small.as_raw()[3 * (y * small.width() as usize + left)..][..3 * side];
            pixels.extend(row.iter().skip(c).step_by(3));
        }
    }
    Some(pixels)
}
