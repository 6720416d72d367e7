//! Walks through the space of noise (section 9.6).

use std::collections::BTreeMap;

/// The mixtures of two rows of noise at the middles of `steps` equal steps: `x a + (1 - x) b` with x = (i + 1/2) / steps.
pub fn between(a: &[f32], b: &[f32], steps: usize) -> Vec<f32> {
    let mixture = |i: usize| {
        let x = (i as f32 + 0.5) / steps as f32;
        a.iter().zip(b).map(move |(a, b)| x * a + (1.0 - x) * b)
    };
    (0..steps).flat_map(mixture).collect()
}

/// The direction of an attribute: the mean noise of the examples that have it less the mean noise of the others.
///
/// `noise` holds a row per example. Zeros if all examples have the attribute, or none.
pub fn direction(noise: &[f32], has: &[bool]) -> Vec<f32> {
    let width = noise.len() / has.len().max(1);
    let mean = |which: bool| {
        let rows = noise.chunks_exact(width.max(1)).zip(has);
        let rows: Vec<&[f32]> = rows.filter(|(_, h)| **h == which).map(|(r, _)| r).collect();
        let mut mean = vec![0.0; width];
        for row in &rows {
            let n = rows.len() as f32;
            mean.iter_mut().zip(*row).for_each(|(m, v)| *m += v / n);
        }
        (!rows.is_empty()).then_some(mean)
    };
    match (mean(true), mean(false)) {
        (Some(with), Some(without)) => with.iter().zip(&without).map(|(a, b)| a - b).collect(),
        _ => vec![0.0; width],
    }
}

/// All rows of noise moved along a direction, `times` its length.
pub fn moved(noise: &[f32], direction: &[f32], times: f32) -> Vec<f32> {
    let steps = direction.iter().cycle();
    noise
        .iter()
        .zip(steps)
        .map(|(z, d)| z + times * d)
        .collect()
}

/// How much ink a picture has: the mean of its values. Bold strokes have more.
pub fn ink(picture: &[f32]) -> f32 {
    picture.iter().sum::<f32>() / picture.len().max(1) as f32
}

/// How far a square picture leans to the right: columns to the right for each row up, by the second moments of its ink. 0 without ink.
pub fn slant(picture: &[f32]) -> f32 {
    let side = (picture.len() as f64).sqrt() as usize;
    let cells = || {
        let cell = |(i, v): (usize, &f32)| ((i % side) as f64, (i / side) as f64, f64::from(*v));
        picture.iter().enumerate().map(cell)
    };
    let all: f64 = cells().map(|(_, _, v)| v).sum();
    if all <= 0.0 {
        return 0.0;
    }
    let x_mean = cells().map(|(x, _, v)| x * v).sum::<f64>() / all;
    let y_mean = cells().map(|(_, y, v)| y * v).sum::<f64>() / all;
    let mixed: f64 = cells()
        .map(|(x, y, v)| (x - x_mean) * (y - y_mean) * v)
        .sum();
    let upright: f64 = cells().map(|(_, y, v)| (y - y_mean).powi(2) * v).sum();
    if upright > 0.0 {
        (-mixed / upright) as f32
    } else {
        0.0
    }
}

/// The third of the numbers that are largest among those of their own class.
///
/// Beside all digits a 1 has little ink and an 8 has much: compared with all others, the attribute would be the class.
pub fn upper_third(values: &[f32], classes: &[u8]) -> Vec<bool> {
    let mut of_class: BTreeMap<u8, Vec<f32>> = BTreeMap::new();
    for (value, class) in values.iter().zip(classes) {
        of_class.entry(*class).or_default().push(*value);
    }
    for values in of_class.values_mut() {
        values.sort_by(f32::total_cmp);
    }
    let is_upper = |(value, class): (&f32, &u8)| {
        let others = of_class.get(class);
        others.is_some_and(|others| *value >= others[others.len() * 2 / 3])
    };
    values.iter().zip(classes).map(is_upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_go_from_the_second_to_the_first() {
        let z = between(&[1.0, 0.0], &[0.0, 4.0], 2);
        assert_eq!(z, [0.25, 3.0, 0.75, 1.0]);
    }

    #[test]
    fn a_direction_is_the_difference_of_two_means() {
        let noise = [1.0, 0.0, 3.0, 2.0, -1.0, 5.0];
        assert_eq!(direction(&noise, &[true, true, false]), [3.0, -4.0]);
        assert_eq!(direction(&noise, &[true; 3]), [0.0, 0.0]);
        assert_eq!(moved(&noise, &[1.0, -1.0], 2.0)[..4], [3.0, -2.0, 5.0, 0.0]);
    }

    #[test]
    fn a_stroke_leans_as_it_is_drawn() {
        let stroke = |step: f32| {
            let mut picture = vec![0.0; 28 * 28];
            for row in 4..24 {
                let column = (14.0 + step * (14.0 - row as f32)).round() as usize;
                picture[row * 28 + column] = 1.0;
            }
            picture
        };
        assert_eq!(slant(&stroke(0.0)), 0.0);
        assert!((slant(&stroke(0.5)) - 0.5).abs() < 0.03);
        assert!(slant(&stroke(-0.5)) < -0.4);
        assert_eq!(slant(&vec![0.0; 784]), 0.0);
        assert!((ink(&stroke(0.0)) - 20.0 / 784.0).abs() < 1e-6);
    }

    #[test]
    fn a_third_of_each_class_is_upper() {
        let upper = upper_third(&[3.0, 1.0, 2.0, 6.0, 5.0, 4.0], &[0; 6]);
        assert_eq!(upper, [false, false, false, true, true, false]);
        let upper = upper_third(&[3.0, 1.0, 2.0, 6.0, 5.0, 4.0], &[0, 0, 0, 1, 1, 1]);
        assert_eq!(upper, [true, false, false, true, false, false]);
        assert!(upper_third(&[], &[]).is_empty());
    }
}
