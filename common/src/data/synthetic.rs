//! The book's synthetic sets.

use std::f64::consts::PI;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Points, Regression};

/// `n` evenly spaced points of \[0, 20\] with y = x + 2 sin x + e, e drawn from N(0, 1) (experiment 2.1).
pub fn noisy_sine(n: usize, seed: u64) -> Regression {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let inputs: Vec<f64> = evenly_spaced(n, 20.0).collect();
    let targets = inputs.iter().map(|x| {
        let noise: f64 = StandardNormal.sample(&mut rng);
        (x + 2.0 * x.sin() + noise) as f32
    });
    Regression {
        targets: targets.collect(),
        inputs: inputs.iter().map(|&x| x as f32).collect(),
        input_dim: 1,
        target_dim: 1,
    }
}

/// Two interleaved half circles (experiment 2.5): class 0 at (cos t, sin t), class 1 at (1 - cos t, 1/2 - sin t), t evenly
/// spaced in \[0, pi\], half of the `n` points each (class 1 has one more if `n` is odd), plus N(0, noise^2) on each
/// coordinate, in random order.
pub fn two_moons(n: usize, noise: f64, seed: u64) -> Points {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let outer = evenly_spaced(n / 2, PI).map(|t| ([t.cos(), t.sin()], 0));
    let inner = evenly_spaced(n - n / 2, PI).map(|t| ([1.0 - t.cos(), 0.5 - t.sin()], 1));
    let mut points: Vec<([f64; 2], u8)> = outer.chain(inner).collect();
    points.shuffle(&mut rng);
    let mut features = Vec::with_capacity(2 * n);
    for (point, _) in &points {
        features.extend(point.map(|x| {
            let e: f64 = StandardNormal.sample(&mut rng);
            (x + noise * e) as f32
        }));
    }
    Points {
        features,
        dim: 2,
        labels: points.iter().map(|&(_, label)| label).collect(),
        classes: 2,
    }
}

/// `n` numbers from 0 to `end`, both included.
fn evenly_spaced(n: usize, end: f64) -> impl Iterator<Item = f64> {
    let step = end / (n.max(2) - 1) as f64;
    (0..n).map(move |i| i as f64 * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moons_without_noise_lie_on_their_half_circles() {
        let moons = two_moons(201, 0.0, 1);
        let mut seen = [0; 2];
        let mut extremes = [f32::MAX, f32::MIN];
        for i in 0..moons.len() {
            let [x, y] = [moons.point(i)[0], moons.point(i)[1]];
            let (radius, half) = match moons.labels[i] {
                0 => (x.hypot(y), y >= -1e-6),
                _ => ((x - 1.0).hypot(y - 0.5), y <= 0.5 + 1e-6),
            };
            assert!((radius - 1.0).abs() < 1e-6 && half, "{x} {y}");
            seen[usize::from(moons.labels[i])] += 1;
            extremes = [extremes[0].min(x), extremes[1].max(x)];
        }
        assert_eq!(seen, [100, 101]);
        assert_eq!(extremes, [-1.0, 2.0]);
        assert!(moons.labels[..50].contains(&0) && moons.labels[..50].contains(&1));
    }

    #[test]
    fn moons_have_the_noise_asked_for_and_differ_by_seed() {
        let moons = two_moons(4000, 0.4, 5);
        let outside: Vec<f64> = (0..moons.len())
            .map(|i| (moons.point(i), moons.labels[i]))
            .map(|(p, label)| match label {
                0 => f64::from(p[0].hypot(p[1])),
                _ => f64::from((p[0] - 1.0).hypot(p[1] - 0.5)),
            })
            .collect();
        // |(1, 0) + 0.4 e|: mean of squares 1 + 2 * 0.16.
        let mean = outside.iter().map(|r| r * r).sum::<f64>() / outside.len() as f64;
        assert!((mean - 1.32).abs() < 0.06, "{mean}");
        let other = two_moons(4000, 0.4, 6);
        let common = moons.features.chunks(2).filter(|point| {
            other
                .features
                .chunks(2)
                .any(|candidate| candidate == *point)
        });
        assert_eq!(
            common.count(),
            0,
            "train and test drawn apart share no point"
        );
        assert_eq!(moons.features, two_moons(4000, 0.4, 5).features);
    }

    #[test]
    fn the_sine_has_unit_noise_around_its_formula() {
        let data = noisy_sine(2000, 3);
        assert_eq!((data.inputs[0], data.inputs[1999]), (0.0, 20.0));
        let noise = data.inputs.iter().zip(&data.targets);
        let noise: Vec<f32> = noise.map(|(x, y)| y - x - 2.0 * x.sin()).collect();
        let mean = noise.iter().sum::<f32>() / 2000.0;
        let variance = noise.iter().map(|e| e * e).sum::<f32>() / 2000.0;
        assert!(
            mean.abs() < 0.1 && (variance - 1.0).abs() < 0.12,
            "{mean} {variance}"
        );
    }

    #[test]
    fn tiny_sets_are_fine() {
        assert!(two_moons(0, 0.1, 1).is_empty());
        assert_eq!(two_moons(1, 0.0, 1).features, [0.0, 0.5]);
        assert_eq!(noisy_sine(1, 1).inputs, [0.0]);
    }
}
