//! What stands in for Fashion-MNIST: silhouettes of the same ten kinds of clothes, drawn with random size, place, proportions,
//! shade and pattern.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::mnist::GARMENTS;
use super::raster::Canvas;
use super::{Images, Source, Split};
use crate::Result;

const SIDE: usize = 28;
const TRAIN: usize = 6_000;
const TEST: usize = 1_000;

/// 6,000 and 1,000 drawings, as many of each class; always the same.
pub(super) fn stand_in() -> Result<Split<Images>> {
    let (train, test) = (draw(TRAIN, 1)?, draw(TEST, 2)?);
    let source = Source {
        name: "drawn clothes".into(),
        origin: "7,000 built-in drawings of clothes".into(),
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

/// `n` drawings, the classes taking turns.
fn draw(n: usize, seed: u64) -> Result<Images> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = Vec::with_capacity(n * SIDE * SIDE);
    let mut labels = Vec::with_capacity(n);
    for i in 0..n {
        let class = i % GARMENTS.len();
        let canvas = garment(class, &mut rng);
        pixels.extend(
            canvas
                .values
                .iter()
                .map(|value| (value * 255.0).round() as u8),
        );
        labels.push(class as u8);
    }
    Images::new(
        [1, SIDE, SIDE],
        pixels,
        labels,
        GARMENTS.map(String::from).to_vec(),
    )
}

/// The right half of a symmetric outline, from the top centre to the bottom centre, in a box from -1 to 1; y goes down.
fn half_outline(class: usize, rng: &mut ChaCha8Rng) -> Vec<[f32; 2]> {
    let mut about = |value: f32, spread: f32| value + rng.random_range(-spread..=spread);
    let neck = about(0.22, 0.08);
    let neck_depth = about(-0.85, 0.08);
    let waist = about(0.42, 0.06);
    let hem = about(0.45, 0.07);
    match class {
        // T-shirt: short sleeves
        0 => {
            let sleeve = about(-0.25, 0.12);
            vec![
                [0.0, neck_depth],
                [neck, -0.95],
                [about(0.5, 0.05), -0.85],
                [about(0.9, 0.08), sleeve],
                [0.66, sleeve + 0.12],
                [waist, -0.4],
                [hem, 0.95],
                [0.0, 0.95],
            ]
        }
        // Pullover, coat and shirt: long sleeves; see `details` for what tells them apart
        2 | 4 | 6 => {
            let length = if class == 4 {
                about(0.98, 0.02)
            } else {
                about(0.85, 0.08)
            };
            let cuff = about(0.6, 0.15);
            let out = about(0.78, 0.1);
            vec![
                [0.0, neck_depth],
                [neck, -0.95],
                [about(0.52, 0.05), -0.85],
                [out, cuff],
                [out - 0.2, cuff + 0.05],
                [waist, -0.35],
                [hem, length],
                [0.0, length],
            ]
        }
        // Trouser: two legs
        1 => {
            let crotch = about(-0.35, 0.12);
            let leg = about(0.38, 0.08);
            vec![
                [0.0, -0.95],
                [about(0.34, 0.05), -0.95],
                [leg, 0.95],
                [leg - about(0.24, 0.04), 0.95],
                [about(0.06, 0.03), crotch],
                [0.0, crotch],
            ]
        }
        // Dress: narrow above, wide below
        3 => vec![
            [0.0, neck_depth + 0.1],
            [neck, -0.95],
            [neck + 0.12, -0.95],
            [about(0.32, 0.05), -0.5],
            [about(0.22, 0.05), -0.1],
            [about(0.5, 0.14), 0.95],
            [0.0, 0.95],
        ],
        // Bag: the handle is drawn by `details`
        _ => {
            let top = about(-0.25, 0.12);
            let wide = about(0.82, 0.12);
            vec![
                [0.0, top],
                [wide - about(0.1, 0.1), top],
                [wide, 0.85],
                [0.0, 0.85],
            ]
        }
    }
}

/// The whole outline of a shoe, toes to the left, as Fashion-MNIST has them.
fn shoe_outline(class: usize, rng: &mut ChaCha8Rng) -> Vec<[f32; 2]> {
    let mut about = |value: f32, spread: f32| value + rng.random_range(-spread..=spread);
    let sole = about(0.55, 0.05);
    match class {
        // Sandal: a thin sole that rises to the heel
        5 => {
            let heel = about(0.0, 0.25);
            vec![
                [-0.95, sole - 0.1],
                [-0.3, sole - 0.12],
                [0.45, heel],
                [0.92, heel - 0.12],
                [0.95, sole],
                [0.78, sole],
                [0.72, heel + 0.15],
                [-0.2, sole + 0.05],
                [-0.9, sole + 0.02],
            ]
        }
        // Sneaker: flat
        7 => vec![
            [-0.97, sole - 0.3],
            [-0.5, about(0.02, 0.06)],
            [0.0, about(-0.22, 0.08)],
            [0.5, about(-0.2, 0.06)],
            [0.9, about(-0.28, 0.08)],
            [0.97, sole],
            [-0.95, sole],
        ],
        // Ankle boot: a shaft over the heel
        _ => {
            let shaft = about(-0.85, 0.1);
            vec![
                [-0.95, sole + 0.02],
                [-0.45, about(0.1, 0.08)],
                [0.0, about(-0.1, 0.08)],
                [about(0.05, 0.08), shaft],
                [0.82, shaft],
                [0.9, sole + 0.3],
                [0.5, sole + 0.3],
                [0.42, sole + 0.15],
                [-0.9, sole + 0.25],
            ]
        }
    }
}

/// One drawing.
fn garment(class: usize, rng: &mut ChaCha8Rng) -> Canvas {
    let outline = match class {
        5 | 7 | 9 => shoe_outline(class, rng),
        _ => {
            let half = half_outline(class, rng);
            let left = half.iter().rev().map(|&[x, y]| [-x, y]);
            half.iter().copied().chain(left).collect()
        }
    };
    let scale = rng.random_range(11.0..13.6_f32);
    let wide = scale * rng.random_range(0.88..1.05_f32);
    let centre = [14.0, 14.0].map(|c: f32| c + rng.random_range(-0.8..0.8_f32));
    let tilt = rng.random_range(-0.06..0.06_f32);
    let place = |[x, y]: [f32; 2]| {
        [
            centre[0] + wide * (x + tilt * y),
            centre[1] + scale * (y - tilt * x),
        ]
    };
    let base = rng.random_range(0.35..0.95_f32);
    let slope = rng.random_range(-0.012..0.012_f32);
    let (stripes, along) = match rng.random_range(0..5) {
        0 => (
            rng.random_range(0.1..0.3_f32),
            rng.random_range(0.7..1.6_f32),
        ),
        _ => (0.0, 1.0),
    };
    let upright = rng.random_range(0..2) == 0;
    let shade = |x: f32, y: f32| {
        let position = if upright { x } else { y };
        base + slope * (x - 14.0) + stripes * (along * position).sin()
    };
    let mut canvas = Canvas::new(SIDE, SIDE);
    let outline: Vec<[f32; 2]> = outline.into_iter().map(place).collect();
    canvas.fill(&outline, shade);
    let mut paint = |corners: &[[f32; 2]], grey: f32| {
        let corners: Vec<[f32; 2]> = corners.iter().copied().map(place).collect();
        canvas.fill(&corners, |_, _| grey);
    };
    for (corners, darker) in details(class, rng) {
        paint(&corners, if darker { base * 0.45 } else { base });
    }
    // The grain of a photograph.
    for value in canvas.values.iter_mut().filter(|value| **value > 0.0) {
        *value = (*value * rng.random_range(0.9..1.1_f32)).clamp(0.0, 1.0);
    }
    canvas
}

/// What is painted over the outline: (corners, whether darker than the cloth).
fn details(class: usize, rng: &mut ChaCha8Rng) -> Vec<(Vec<[f32; 2]>, bool)> {
    let bar = |x: f32, top: f32, half: f32, bottom: f32| {
        vec![
            [x - half, top],
            [x + half, top],
            [x + half, bottom],
            [x - half, bottom],
        ]
    };
    match class {
        // An open front
        4 => vec![(bar(0.0, -0.9, 0.05, 1.0), true)],
        // A collar and a row of buttons
        6 => {
            let mut parts = vec![(
                vec![[-0.25, -0.95], [0.0, -0.6], [0.25, -0.95], [0.0, -0.8]],
                true,
            )];
            for button in 0..4 {
                let top = -0.45 + 0.35 * button as f32;
                parts.push((bar(0.0, top, 0.045, top + 0.1), true));
            }
            parts
        }
        // Straps
        5 => [-0.5, 0.1, 0.6]
            .iter()
            .map(|&x| {
                let x = x + rng.random_range(-0.1..0.1_f32);
                let top = rng.random_range(-0.35..-0.05_f32);
                (
                    vec![[x, top], [x + 0.16, top], [x + 0.05, 0.5], [x - 0.1, 0.5]],
                    false,
                )
            })
            .collect(),
        // A sole
        7 => vec![(
            vec![[-0.95, 0.42], [0.97, 0.42], [0.97, 0.56], [-0.95, 0.56]],
            true,
        )],
        // A handle
        8 => {
            let (out, up) = (
                rng.random_range(0.3..0.5_f32),
                rng.random_range(-0.9..-0.6_f32),
            );
            let inner = out - 0.12;
            vec![(
                vec![
                    [-out, -0.1],
                    [-out, up + 0.15],
                    [-out + 0.15, up],
                    [out - 0.15, up],
                    [out, up + 0.15],
                    [out, -0.1],
                    [inner, -0.1],
                    [inner, up + 0.22],
                    [inner - 0.1, up + 0.13],
                    [-inner + 0.1, up + 0.13],
                    [-inner, up + 0.22],
                    [-inner, -0.1],
                ],
                false,
            )]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_balanced_and_drawings_differ() {
        let split = stand_in().unwrap();
        assert_eq!((split.train.len(), split.test.len()), (6_000, 1_000));
        for class in 0..10 {
            let count = split
                .train
                .labels
                .iter()
                .filter(|&&label| label == class)
                .count();
            assert_eq!(count, 600);
        }
        let mut drawings: Vec<&[u8]> = (0..6_000).map(|i| split.train.image(i)).collect();
        drawings.extend((0..1_000).map(|i| split.test.image(i)));
        drawings.sort_unstable();
        drawings.dedup();
        assert_eq!(drawings.len(), 7_000);
    }

    #[test]
    fn each_drawing_has_ink_and_leaves_paper() {
        let images = draw(200, 3).unwrap();
        for i in 0..images.len() {
            let ink = images.image(i).iter().filter(|&&byte| byte > 20).count();
            assert!(
                (60..700).contains(&ink),
                "drawing {i} has {ink} pixels of ink"
            );
        }
    }
}
