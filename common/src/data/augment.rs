//! Random changes that leave an image's class as it is (section 3.6), on one channel of `height` x `width` values in \[0, 1\].
//!
//! What they draw and how they map pixels follows torchvision's transforms of the same names, but all sample bilinearly (there,
//! rotation, shift and shear take the nearest pixel unless told otherwise). What comes from outside the image is 0. The warp is our own: `imageproc` has one, but it maps pixel corners where torchvision
//! maps pixel centres, takes image buffers instead of slices, and brings a linear algebra crate.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A random rotation, shift, scale and shear about the centre (`RandomAffine`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// The angle is drawn from -`degrees` to `degrees`.
    pub degrees: f32,
    /// The shift of each axis, in whole pixels, is drawn from -`translate` to `translate` times the image's side.
    pub translate: f32,
    /// The scale is drawn from this range.
    pub scale: (f32, f32),
    /// The angle of the shear along x, in degrees, is drawn from -`shear` to `shear`.
    pub shear: f32,
}

impl Default for Affine {
    /// Leaves the image as it is.
    fn default() -> Self {
        Self {
            degrees: 0.0,
            translate: 0.0,
            scale: (1.0, 1.0),
            shear: 0.0,
        }
    }
}

impl Affine {
    /// Writes a randomly mapped copy of `image` to `out`, which has the same size.
    pub fn apply(
        &self,
        image: &[f32],
        out: &mut [f32],
        height: usize,
        width: usize,
        rng: &mut ChaCha8Rng,
    ) {
        let angle = symmetric(self.degrees, rng);
        let shift = [
            symmetric(self.translate * width as f32, rng).round(),
            symmetric(self.translate * height as f32, rng).round(),
        ];
        let scale = between(self.scale.0, self.scale.1, rng);
        let shear = symmetric(self.shear, rng);
        affine(image, out, height, width, angle, shift, scale, shear);
    }
}

/// Maps `image` to `out`: sheared by `shear` degrees along x, rotated by `angle` degrees (clockwise as seen, y going down),
/// scaled, then shifted by [x, y] pixels, all about the centre.
#[allow(clippy::too_many_arguments)] // the eight are what the transform is
pub fn affine(
    image: &[f32],
    out: &mut [f32],
    height: usize,
    width: usize,
    angle: f32,
    shift: [f32; 2],
    scale: f32,
    shear: f32,
) {
    let (sin, cos) = angle.to_radians().sin_cos();
    let tan = shear.to_radians().tan();
    // Forward: R(angle) * [[1, -tan], [0, 1]] * scale; this is its inverse.
    let inverse = [
        [(cos - tan * sin) / scale, (sin + tan * cos) / scale],
        [-sin / scale, cos / scale],
    ];
    let centre = [width as f32 / 2.0, height as f32 / 2.0];
    warp(image, out, height, width, |x, y| {
        let (x, y) = (x - centre[0] - shift[0], y - centre[1] - shift[1]);
        [
            inverse[0][0] * x + inverse[0][1] * y + centre[0],
            inverse[1][0] * x + inverse[1][1] * y + centre[1],
        ]
    });
}

/// A random part of `crop_height` x `crop_width` pixels (`RandomCrop`); a crop larger than the image is cut to its size.
pub fn random_crop(
    image: &[f32],
    height: usize,
    width: usize,
    crop_height: usize,
    crop_width: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f32> {
    let (crop_height, crop_width) = (crop_height.min(height), crop_width.min(width));
    let top = rng.random_range(0..=height - crop_height);
    let left = rng.random_range(0..=width - crop_width);
    let mut crop = Vec::with_capacity(crop_height * crop_width);
    for row in top..top + crop_height {
        crop.extend_from_slice(&image[row * width + left..][..crop_width]);
    }
    crop
}

/// Left and right exchanged.
pub fn flip_horizontal(image: &[f32], width: usize) -> Vec<f32> {
    let rows = image.chunks_exact(width.max(1));
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

/// Top and bottom exchanged.
pub fn flip_vertical(image: &[f32], width: usize) -> Vec<f32> {
    let rows = image.chunks_exact(width.max(1));
    rows.rev().flatten().copied().collect()
}

/// A random perspective (`RandomPerspective`, always applied): each corner moves inwards by up to `distortion` (0 to 1) of half the
/// side.
pub fn random_perspective(
    image: &[f32],
    height: usize,
    width: usize,
    distortion: f32,
    rng: &mut ChaCha8Rng,
) -> Vec<f32> {
    let reach = |side: usize| (distortion.clamp(0.0, 1.0) * (side / 2) as f32) as i32;
    let (dx, dy) = (reach(width), reach(height));
    let (right, bottom) = (width as i32 - 1, height as i32 - 1);
    let from = [[0, 0], [right, 0], [right, bottom], [0, bottom]];
    let inwards = [[1, 1], [-1, 1], [-1, -1], [1, -1]];
    let mut to = from;
    for (corner, [sx, sy]) in to.iter_mut().zip(inwards) {
        corner[0] += sx * rng.random_range(0..=dx);
        corner[1] += sy * rng.random_range(0..=dy);
    }
    let float = |corners: [[i32; 2]; 4]| corners.map(|corner| corner.map(|at| at as f32));
    perspective(image, height, width, float(from), float(to))
}

/// Maps `image` so that the corners `from` come to lie at the corners `to` ([x, y] in pixels). Corners that span no area leave
/// the image empty.
pub fn perspective(
    image: &[f32],
    height: usize,
    width: usize,
    from: [[f32; 2]; 4],
    to: [[f32; 2]; 4],
) -> Vec<f32> {
    let mut out = vec![0.0; image.len()];
    if let Some([a, b, c, d, e, f, g, h]) = homography(to, from) {
        warp(image, &mut out, height, width, |x, y| {
            let w = g * x + h * y + 1.0;
            [(a * x + b * y + c) / w, (d * x + e * y + f) / w]
        });
    }
    out
}

/// Brightness and contrast, each times a factor from 1 - `strength` (at least 0) to 1 + `strength`, in random order
/// (`ColorJitter`). Contrast is the distance from the image's mean.
pub fn jitter(image: &[f32], strength: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut factor = || between((1.0 - strength).max(0.0), 1.0 + strength, rng);
    let (brightness, contrast) = (factor(), factor());
    let brighten = |image: &mut [f32]| {
        image
            .iter_mut()
            .for_each(|v| *v = (*v * brightness).clamp(0.0, 1.0));
    };
    let mut out = image.to_vec();
    let brighten_first = rng.random_range(0..2) == 0;
    if brighten_first {
        brighten(&mut out);
    }
    let mean = out.iter().sum::<f32>() / out.len().max(1) as f32;
    out.iter_mut()
        .for_each(|v| *v = (mean + contrast * (*v - mean)).clamp(0.0, 1.0));
    if !brighten_first {
        brighten(&mut out);
    }
    out
}

/// Writes to each pixel of `out` the value of `image` at `source(x, y)`, both in pixels with the centre of the first at
/// (0.5, 0.5).
fn warp(
    image: &[f32],
    out: &mut [f32],
    height: usize,
    width: usize,
    source: impl Fn(f32, f32) -> [f32; 2],
) {
    let at = |x: isize, y: isize| {
        let inside = (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
        if inside {
            image[y as usize * width + x as usize]
        } else {
            0.0
        }
    };
    let (right, bottom) = (width as f32, height as f32);
    for (row, values) in out.chunks_exact_mut(width.max(1)).enumerate().take(height) {
        for (column, value) in values.iter_mut().enumerate() {
            let [x, y] = source(column as f32 + 0.5, row as f32 + 0.5).map(|at| at - 0.5);
            // Also where a perspective has its points at infinity.
            if !(x > -1.0 && y > -1.0 && x < right && y < bottom) {
                *value = 0.0;
                continue;
            }
            // Shifted to be positive, so that truncation is `floor`, which is a slow call on plain x86-64.
            let (left, top) = ((x + 1.0) as usize, (y + 1.0) as usize);
            let (fx, fy) = (x + 1.0 - left as f32, y + 1.0 - top as f32);
            let (left, top) = (left as isize - 1, top as isize - 1);
            let upper = at(left, top) * (1.0 - fx) + at(left + 1, top) * fx;
            let lower = at(left, top + 1) * (1.0 - fx) + at(left + 1, top + 1) * fx;
            *value = upper * (1.0 - fy) + lower * fy;
        }
    }
}

/// The eight numbers (a .. h) of the map ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)) that takes each corner of
/// `from` to that of `to`: eight linear equations, by Gauss's elimination.
fn homography(from: [[f32; 2]; 4], to: [[f32; 2]; 4]) -> Option<[f32; 8]> {
    let mut rows = [[0.0_f64; 9]; 8];
    for (i, (from, to)) in from.iter().zip(to).enumerate() {
        let [x, y] = from.map(f64::from);
        let [u, v] = to.map(f64::from);
        rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    for column in 0..8 {
        let size = |&row: &usize| rows[row][column].abs();
        let pivot = (column..8).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        rows.swap(column, pivot);
        let pivot = rows[column];
        if pivot[column].abs() < 1e-9 {
            return None;
        }
        for (i, row) in rows.iter_mut().enumerate() {
            let factor = row[column] / pivot[column];
            if i != column {
                row.iter_mut()
                    .zip(pivot)
                    .for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
    }
    let mut solution = [0.0; 8];
    for (i, value) in solution.iter_mut().enumerate() {
        *value = (rows[i][8] / rows[i][i]) as f32;
    }
    Some(solution)
}

fn symmetric(reach: f32, rng: &mut ChaCha8Rng) -> f32 {
    between(-reach, reach, rng)
}

/// Uniform between two numbers; also where they are equal.
fn between(low: f32, high: f32, rng: &mut ChaCha8Rng) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

#[cfg(test)]
mod tests;
