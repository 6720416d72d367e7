//! Drawn faces of cats and dogs, in place of photos (chapter 13).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Images;
use super::raster::Canvas;
use crate::Result;
use crate::seed::mix;

/// Most pictures for training and for testing.
const MOST: [usize; 2] = [1280, 320];

/// Square pictures of faces with pointed ears (class 0, `Cat`) or hanging ears (1, `Dog`), of any colour on any ground.
pub(super) fn stand_in(side: usize, most: [usize; 2], seed: u64) -> Result<(Images, Images)> {
    let part = |part: usize| {
        let count = most[part].min(MOST[part]);
        let first = part * MOST[0];
        let pictures = (first..first + count).into_par_iter();
        let pixels = pictures.flat_map_iter(|i| face(side, i % 2 == 1, mix(seed, i as u64)));
        let labels = (first..first + count).map(|i| (i % 2) as u8);
        let names = ["Cat", "Dog"].map(str::to_string).to_vec();
        Images::new(
            [3, side, side],
            pixels.collect::<Vec<u8>>(),
            labels.collect(),
            names,
        )
    };
    Ok((part(0)?, part(1)?))
}

/// An ellipse as a polygon.
fn ellipse([x, y]: [f32; 2], [rx, ry]: [f32; 2]) -> Vec<[f32; 2]> {
    let corner = |i: usize| {
        let (sin, cos) = (i as f32 * std::f32::consts::TAU / 48.0).sin_cos();
        [x + rx * cos, y + ry * sin]
    };
    (0..48).map(corner).collect()
}

/// A face, [3, side, side].
fn face(side: usize, hanging: bool, seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let size = side as f32;
    let radius = size * rng.random_range(0.2..0.32);
    let centre = [0, 1].map(|_| size * rng.random_range(0.4..0.6));
    let at = |x: f32, y: f32| [centre[0] + radius * x, centre[1] + radius * y];
    let mut shapes: Vec<(Vec<[f32; 2]>, usize)> = Vec::new();
    for mirror in [-1.0, 1.0] {
        let ear = match hanging {
            true => ellipse(at(mirror * 1.0, 0.1), [0.35 * radius, 0.8 * radius]),
            false => vec![
                at(mirror * 0.95, -0.3),
                at(mirror * 0.9, -1.5),
                at(mirror * 0.2, -0.9),
            ],
        };
        shapes.push((ear, 1));
    }
    shapes.push((ellipse(centre, [radius, radius]), 2));
    for mirror in [-1.0, 1.0] {
        let eye = ellipse(at(mirror * 0.4, -0.2), [0.13 * radius, 0.13 * radius]);
        shapes.push((eye, 3));
    }
    shapes.push((ellipse(at(0.0, 0.3), [0.2 * radius, 0.13 * radius]), 3));
    let colors: [[f32; 3]; 4] = std::array::from_fn(|_| [0; 3].map(|_| rng.random_range(0.0..1.0)));
    let slope = [0, 1].map(|_| rng.random_range(-0.3f32..0.3));
    let mut pixels = Vec::with_capacity(3 * side * side);
    for channel in 0..3 {
        let colors = colors.map(|color| color[channel]);
        let mut canvas = Canvas::new(side, side);
        let all = [[0.0, 0.0], [size, 0.0], [size, size], [0.0, size]];
        canvas.fill(&all, |x, y| {
            colors[0] + (slope[0] * x + slope[1] * y) / size
        });
        for (shape, color) in &shapes {
            canvas.fill(shape, |_, _| colors[*color]);
        }
        let bytes = canvas.values.iter().map(|value| {
            let noise = rng.random_range(-0.06f32..0.06);
            ((value + noise) * 255.0).round().clamp(0.0, 255.0) as u8
        });
        pixels.extend(bytes);
    }
    pixels
}
