//! Drawn pictures of cells, in place of the nuclei of chapter 8.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Segmented;
use crate::Result;
use crate::seed::mix;

const PICTURES: usize = 200;
/// One in this many is stained and seen in daylight; the others glow on black.
const STAINED_EVERY: usize = 5;

/// A nucleus: an ellipse with a brightness of its own.
struct Nucleus {
    centre: [f32; 2],
    radius: [f32; 2],
    turn: f32,
    level: f32,
}

impl Nucleus {
    fn draw(rng: &mut ChaCha8Rng, side: f32, size: f32) -> Self {
        let mut radius = || side * size * rng.random_range(0.7..1.4);
        let radius = [radius(), radius()];
        Self {
            radius,
            centre: [0, 1].map(|_| rng.random_range(0.0..side)),
            turn: rng.random_range(0.0..std::f32::consts::PI),
            level: rng.random_range(0.35..1.0),
        }
    }

    /// Squared distance from the centre in radii: below 1 inside.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let (sin, cos) = self.turn.sin_cos();
        let along = (dx * cos + dy * sin) / self.radius[0];
        let across = (dy * cos - dx * sin) / self.radius[1];
        along * along + across * across
    }
}

/// 200 square pictures of ellipses on an uneven, noisy ground, always the same ones.
pub(super) fn stand_in(side: usize) -> Result<Segmented> {
    let plane = side * side;
    let mut pixels = Vec::with_capacity(3 * PICTURES * plane);
    let mut masks = Vec::with_capacity(PICTURES * plane);
    for i in 0..PICTURES {
        let mut rng = ChaCha8Rng::seed_from_u64(mix(8, i as u64));
        let size = rng.random_range(0.02..0.07);
        let count = rng.random_range(6..40);
        let nuclei = (0..count).map(|_| Nucleus::draw(&mut rng, side as f32, size));
        let nuclei: Vec<Nucleus> = nuclei.collect();
        let slope = [0, 1].map(|_| rng.random_range(-0.1f32..0.1));
        let stained = i % STAINED_EVERY == 0;
        let mut levels = Vec::with_capacity(plane);
        for at in 0..plane {
            let (x, y) = ((at % side) as f32 + 0.5, (at / side) as f32 + 0.5);
            let inside = nuclei
                .iter()
                .map(|nucleus| (nucleus.distance(x, y), nucleus.level));
            let found = inside.filter(|(distance, _)| *distance < 1.0);
            let level = found.map(|(distance, level)| level * (1.0 - 0.4 * distance));
            let level = level.fold(0.0f32, f32::max);
            masks.push(u8::from(level > 0.0));
            let ground = 0.08 + (x * slope[0] + y * slope[1]) / side as f32;
            levels.push(level.max(ground) + rng.random_range(-0.05..0.05));
        }
        for tint in [0.35, 0.75, 0.4] {
            pixels.extend(levels.iter().map(|level| {
                let value = match stained {
                    true => 0.92 - tint * level,
                    false => *level,
                };
                (255.0 * value.clamp(0.0, 1.0)).round() as u8
            }));
        }
    }
    Segmented::new([side, side], pixels, masks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_nuclei_are_brighter_than_the_ground_and_cover_part_of_it() {
        let set = stand_in(32).unwrap();
        assert_eq!(set.len(), PICTURES);
        for i in 1..STAINED_EVERY {
            let (picture, mask) = (set.picture(i), set.mask(i));
            let mean = |inside: u8| {
                let values = picture.iter().zip(mask).filter(|(_, m)| **m == inside);
                let values: Vec<f32> = values.map(|(v, _)| f32::from(*v)).collect();
                assert!(!values.is_empty());
                values.iter().sum::<f32>() / values.len() as f32
            };
            assert!(mean(1) > mean(0) + 30.0);
        }
    }
}
