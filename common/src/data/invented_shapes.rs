//! What stands in for CIFAR-10: ten kinds of shapes in random colours on a random ground.

use std::f32::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::raster::Canvas;
use super::{Images, Source, Split};
use crate::Result;
use crate::seed::mix;

const SIDE: usize = 32;
const TRAIN: usize = 5_000;
const TEST: usize = 1_000;

/// The classes. Rings, frames and arches differ from discs, squares and half discs by their hole alone.
const SHAPES: [&str; 10] = [
    "disc",
    "ring",
    "square",
    "frame",
    "triangle",
    "star",
    "cross",
    "half disc",
    "arch",
    "arrow",
];

type Corner = [f32; 2];

/// 5,000 and 1,000 drawings, the classes taking turns; always the same.
pub(super) fn stand_in() -> Result<Split<Images>> {
    let (train, test) = (draw(TRAIN, 1)?, draw(TEST, 2)?);
    let source = Source {
        name: "drawn shapes".into(),
        origin: "6,000 built-in drawings of coloured shapes".into(),
        real: false,
        train: train.len(),
        test: test.len(),
    };
    Ok(Split {
        train,
        test,
        source,
    })
}

fn draw(n: usize, seed: u64) -> Result<Images> {
    let mut pixels = Vec::with_capacity(n * 3 * SIDE * SIDE);
    let labels: Vec<u8> = (0..n).map(|i| (i % SHAPES.len()) as u8).collect();
    for (i, &class) in labels.iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(mix(seed, i as u64));
        pixels.extend(picture(class, &mut rng));
    }
    let names = SHAPES.map(String::from).to_vec();
    Images::new([3, SIDE, SIDE], pixels, labels, names)
}

/// One shape, [3, 32, 32].
fn picture(class: u8, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let half = SIDE as f32 / 2.0;
    let centre = [0; 2].map(|_| half + rng.random_range(-4.0..4.0_f32));
    let size = [0; 2].map(|_| rng.random_range(6.0..10.0_f32));
    let (sin, cos) = rng.random_range(-0.5..0.5_f32).sin_cos();
    let place = |[x, y]: Corner| {
        let (x, y) = (x * size[0], y * size[1]);
        [centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos]
    };
    let place = |outline: Vec<Corner>| -> Vec<Corner> { outline.into_iter().map(place).collect() };
    let (outline, hole) = outline(class);
    let (outline, hole) = (place(outline), hole.map(place));
    // Fine stripes on every other ground, as grass and water have.
    let stripes = match rng.random_bool(0.5) {
        true => rng.random_range(0.05..0.15_f32),
        false => 0.0,
    };
    let wave = [0; 2].map(|_| rng.random_range(0.3..1.8_f32));
    let mut bytes = Vec::with_capacity(3 * SIDE * SIDE);
    for _ in 0..3 {
        let ground = rng.random_range(0.1..0.9_f32);
        let slope = [0; 2].map(|_| rng.random_range(-0.012..0.012_f32));
        let colour = rng.random_range(0.0..1.0_f32);
        let base = |x: f32, y: f32| {
            let pattern = stripes * (wave[0] * x + wave[1] * y).sin();
            ground + slope[0] * (x - half) + slope[1] * (y - half) + pattern
        };
        let mut canvas = Canvas::new(SIDE, SIDE);
        let end = SIDE as f32;
        canvas.fill(&[[0.0, 0.0], [end, 0.0], [end, end], [0.0, end]], base);
        canvas.fill(&outline, |x, _| colour + 0.01 * (x - half));
        if let Some(hole) = &hole {
            canvas.fill(hole, base);
        }
        bytes.extend(canvas.values.iter().map(|value| {
            let value = value + rng.random_range(-0.06..0.06);
            (255.0 * value.clamp(0.0, 1.0)).round() as u8
        }));
    }
    bytes
}

/// A regular polygon of this many corners, each `radius(i)` from the centre, over a part of a turn.
fn around(n: usize, turn: f32, radius: impl Fn(usize) -> f32) -> Vec<Corner> {
    let corner = |i: usize| {
        let (sin, cos) = (turn * i as f32 / n as f32 - TAU / 4.0).sin_cos();
        [radius(i) * cos, radius(i) * sin]
    };
    (0..n).map(corner).collect()
}

fn rectangle(side: f32) -> Vec<Corner> {
    vec![[-side, -side], [side, -side], [side, side], [-side, side]]
}

/// The outline of a shape in a box from -1 to 1, and that of its hole if it has one.
fn outline(class: u8) -> (Vec<Corner>, Option<Vec<Corner>>) {
    let disc = |radius: f32| around(32, TAU, |_| radius);
    // 25 corners of a half turn, from the left over the top to the right.
    let half_disc = |radius: f32| -> Vec<Corner> {
        let turned = around(24, TAU / 2.0, |_| radius).into_iter();
        let mut corners: Vec<Corner> = turned.map(|[x, y]| [y, -x]).collect();
        corners.push([radius, 0.0]);
        corners.iter().map(|&[x, y]| [x, y + 0.5]).collect()
    };
    match class {
        0 => (disc(1.0), None),
        1 => (disc(1.0), Some(disc(0.5))),
        2 => (rectangle(0.9), None),
        3 => (rectangle(0.9), Some(rectangle(0.45))),
        4 => (around(3, TAU, |_| 1.1), None),
        5 => (
            around(10, TAU, |i| if i % 2 == 0 { 1.2 } else { 0.5 }),
            None,
        ),
        6 => {
            let (a, b) = (0.35, 1.0);
            let quarter = [[a, -b], [a, -a], [b, -a]];
            let turn = |[x, y]: Corner, n: usize| (0..n).fold([x, y], |[x, y], _| [-y, x]);
            let corners = (0..4).flat_map(|n| quarter.map(|corner| turn(corner, n)));
            (corners.collect(), None)
        }
        7 => (half_disc(1.1), None),
        8 => (half_disc(1.1), Some(half_disc(0.55))),
        _ => {
            let corners = [
                [0.0, -1.0],
                [0.8, 0.0],
                [0.3, 0.0],
                [0.3, 1.0],
                [-0.3, 1.0],
                [-0.3, 0.0],
                [-0.8, 0.0],
            ];
            (corners.to_vec(), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_balanced_and_reproducible() {
        let (a, b) = (draw(40, 3).unwrap(), draw(40, 3).unwrap());
        assert_eq!(a.pixels, b.pixels);
        assert_eq!(a.labels.iter().filter(|label| **label == 4).count(), 4);
        assert_ne!(a.image(0), a.image(10));
    }

    #[test]
    fn a_hole_shows_the_ground() {
        for class in [1, 3] {
            let shape = |class| {
                let mut rng = ChaCha8Rng::seed_from_u64(5);
                picture(class, &mut rng)
            };
            // The same colours and place; only the hole differs.
            let (whole, holed) = (shape(class - 1), shape(class));
            let different = whole
                .iter()
                .zip(&holed)
                .filter(|(a, b)| a.abs_diff(**b) > 20);
            assert!(different.count() > 30);
        }
    }
}
