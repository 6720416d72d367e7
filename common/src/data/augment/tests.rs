//! Transforms that are exact, that undo themselves, that stay within their ranges.

use super::*;
use proptest::prelude::*;
use rand::SeedableRng;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn picture() -> Vec<f32> {
    (0..28 * 28).map(|i| (i * 7 % 11) as f32 / 11.0).collect()
}

fn mapped(
    image: &[f32],
    side: usize,
    angle: f32,
    shift: [f32; 2],
    scale: f32,
    shear: f32,
) -> Vec<f32> {
    let mut out = vec![9.0; image.len()];
    affine(image, &mut out, side, side, angle, shift, scale, shear);
    out
}

#[test]
fn the_default_changes_nothing() {
    let mut out = vec![0.0; 784];
    Affine::default().apply(&picture(), &mut out, 28, 28, &mut rng());
    assert_eq!(out, picture());
}

#[test]
fn a_quarter_turn_is_exact() {
    let image: Vec<f32> = (1..=9).map(|i| i as f32).collect();
    let turned = mapped(&image, 3, 90.0, [0.0, 0.0], 1.0, 0.0);
    let clockwise = [7.0, 4.0, 1.0, 8.0, 5.0, 2.0, 9.0, 6.0, 3.0];
    for (value, wanted) in turned.iter().zip(clockwise) {
        assert!((value - wanted).abs() < 1e-4, "{turned:?}");
    }
}

#[test]
fn a_shift_moves_and_fills_with_zero() {
    let image = vec![1.0; 9];
    let shifted = mapped(&image, 3, 0.0, [1.0, 2.0], 1.0, 0.0);
    assert_eq!(shifted, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn shear_moves_rows_along_x() {
    // torchvision: x' = x - tan(shear) * y about the centre.
    let mut image = vec![0.0; 25];
    image[2] = 1.0; // top row, middle
    let sheared = mapped(&image, 5, 0.0, [0.0, 0.0], 1.0, 45.0);
    assert!((sheared[4] - 1.0).abs() < 1e-5, "{sheared:?}");
}

#[test]
fn doubling_keeps_the_centre() {
    let mut image = vec![0.0; 81];
    image[40] = 1.0;
    let doubled = mapped(&image, 9, 0.0, [0.0, 0.0], 2.0, 0.0);
    assert!((doubled[40] - 1.0).abs() < 1e-6 && (doubled[41] - 0.5).abs() < 1e-6);
    assert!((doubled.iter().sum::<f32>() - 4.0).abs() < 1e-4);
}

#[test]
fn the_books_transform_stays_within_its_ranges() {
    let book = Affine {
        degrees: 5.0,
        translate: 0.05,
        scale: (0.98, 1.02),
        shear: 0.0,
    };
    let mut image = vec![0.0; 784];
    image[14 * 28 + 14] = 1.0;
    let mut rng = rng();
    let mut columns = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let mut out = vec![0.0; 784];
        book.apply(&image, &mut out, 28, 28, &mut rng);
        let mass: f32 = out.iter().sum();
        let x = (0..784).map(|i| (i % 28) as f32 * out[i]).sum::<f32>() / mass;
        assert!((x - 14.0).abs() < 1.2, "{x}");
        columns.insert(x.round() as i32);
    }
    assert_eq!(columns.into_iter().collect::<Vec<_>>(), [13, 14, 15]);
}

#[test]
fn crops_and_flips() {
    let image: Vec<f32> = (0..12).map(|i| i as f32).collect();
    assert_eq!(flip_horizontal(&image, 4)[..4], [3.0, 2.0, 1.0, 0.0]);
    assert_eq!(flip_vertical(&image, 4)[..4], [8.0, 9.0, 10.0, 11.0]);
    let mut rng = rng();
    let mut starts = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let crop = random_crop(&image, 3, 4, 2, 3, &mut rng);
        assert_eq!(crop[1], crop[0] + 1.0);
        assert_eq!(crop[3], crop[0] + 4.0);
        starts.insert(crop[0] as i32);
    }
    assert_eq!(starts.into_iter().collect::<Vec<_>>(), [0, 1, 4, 5]);
    assert_eq!(random_crop(&image, 3, 4, 20, 20, &mut rng), image);
}

#[test]
fn a_perspective_takes_corners_to_corners() {
    let from = [[0.0, 0.0], [27.0, 0.0], [27.0, 27.0], [0.0, 27.0]];
    let to = [[3.0, 5.0], [22.0, 1.0], [25.0, 26.0], [6.0, 20.0]];
    let [a, b, c, d, e, f, g, h] = homography(from, to).unwrap();
    for ([x, y], [u, v]) in from.into_iter().zip(to) {
        let w = g * x + h * y + 1.0;
        assert!(((a * x + b * y + c) / w - u).abs() < 1e-4);
        assert!(((d * x + e * y + f) / w - v).abs() < 1e-4);
    }
    assert!(homography([[1.0, 1.0]; 4], to).is_none());
    let same = perspective(&picture(), 28, 28, from, from);
    for (value, wanted) in same.iter().zip(picture()) {
        assert!((value - wanted).abs() < 1e-4);
    }
    let image = vec![1.0; 784];
    let tilted = random_perspective(&image, 28, 28, 0.5, &mut rng());
    let left: f32 = tilted.iter().sum();
    assert!(left < 784.0 && left > 196.0, "{left}");
}

#[test]
fn jitter_keeps_the_range_and_zero_strength_the_image() {
    let same = jitter(&picture(), 0.0, &mut rng());
    for (value, wanted) in same.iter().zip(picture()) {
        assert!((value - wanted).abs() < 1e-6);
    }
    let changed = jitter(&picture(), 0.9, &mut rng());
    assert_ne!(changed, picture());
    assert!(changed.iter().all(|value| (0.0..=1.0).contains(value)));
}

proptest! {
    #[test]
    fn nothing_leaves_the_range_whatever_is_drawn(
        seed: u64, height in 1_usize..12, width in 1_usize..12, strength in 0.0_f32..1.0,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let image: Vec<f32> = (0..height * width).map(|_| rng.random()).collect();
        let book = Affine {
            degrees: 180.0 * strength,
            translate: strength,
            scale: (1.0 - 0.9 * strength, 1.0 + strength),
            shear: 60.0 * strength,
        };
        let mut out = vec![7.0; image.len()];
        book.apply(&image, &mut out, height, width, &mut rng);
        let perspective = random_perspective(&image, height, width, strength, &mut rng);
        let jittered = jitter(&image, strength, &mut rng);
        // Weights of a bilinear sample sum to 1 up to rounding.
        let range = 0.0..=1.00001;
        for value in out.iter().chain(&perspective).chain(&jittered) {
            prop_assert!(range.contains(value), "{}", value);
        }
    }

    #[test]
    fn corners_anywhere_give_finite_values(corners: [[i8; 2]; 4], seed: u64) {
        let to = corners.map(|corner| corner.map(f32::from));
        let from = [[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let image: Vec<f32> = (0..20).map(|_| rng.random()).collect();
        for values in [perspective(&image, 4, 5, from, to), perspective(&image, 4, 5, to, from)] {
            prop_assert!(values.iter().all(|value| (0.0..=1.00001).contains(value)), "{:?}", values);
        }
    }

    #[test]
    fn flips_undo_themselves(seed: u64, height in 0_usize..9, width in 0_usize..9) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let image: Vec<f32> = (0..height * width).map(|_| rng.random()).collect();
        prop_assert_eq!(&flip_horizontal(&flip_horizontal(&image, width), width), &image);
        prop_assert_eq!(&flip_vertical(&flip_vertical(&image, width), width), &image);
    }
}

#[test]
fn the_same_generator_gives_the_same_image_another_seed_another() {
    let book = Affine {
        degrees: 5.0,
        translate: 0.05,
        scale: (0.98, 1.02),
        shear: 0.0,
    };
    let draw = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut out = vec![0.0; 784];
        book.apply(&picture(), &mut out, 28, 28, &mut rng);
        (out, random_perspective(&picture(), 28, 28, 0.5, &mut rng))
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
