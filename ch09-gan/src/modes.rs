//! Nine Gaussians on a 3 x 3 grid, and how many of them a generator has found (section 9.2).

use common::data::Points;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// The standard deviation of each mode.
pub const DEVIATION: f64 = 0.05;
/// Modes.
pub const MODES: usize = 9;
/// Figures show the square from minus this to this.
pub const EDGE: f64 = 1.5;
/// A mode is found if this part of all points lies on it: a ninth would be its due.
const FOUND: f64 = 0.01;
/// Standard deviations around a mean that count as its mode: all but 1.1 % of a Gaussian of the plane.
const REACH: f64 = 3.0;
/// Width of the bell that a point becomes in a density, in units of the data.
const BELL: f64 = 0.05;

/// The means: {-1, 0, 1} x {-1, 0, 1}.
pub fn means() -> [[f64; 2]; MODES] {
    std::array::from_fn(|i| [(i % 3) as f64 - 1.0, (i / 3) as f64 - 1.0])
}

/// So many points of each mode, in random order; the book has 10,000.
pub fn nine_gaussians(per_mode: usize, seed: u64) -> Points {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut numbers: Vec<usize> = (0..MODES * per_mode).collect();
    numbers.shuffle(&mut rng);
    let means = means();
    let mut features = Vec::with_capacity(2 * numbers.len());
    for number in &numbers {
        features.extend(means[number % MODES].map(|mean| {
            let e: f64 = StandardNormal.sample(&mut rng);
            (mean + DEVIATION * e) as f32
        }));
    }
    Points {
        features,
        dim: 2,
        labels: numbers.iter().map(|n| (n % MODES) as u8).collect(),
        classes: MODES,
    }
}

/// Where points lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Modes {
    /// The part of all points on each mode.
    pub shares: [f64; MODES],
}

impl Modes {
    /// Of points (x, y), one after the other.
    pub fn of(points: &[f32]) -> Self {
        let mut counts = [0usize; MODES];
        for point in points.chunks_exact(2) {
            let near = |mean: &[f64; 2]| {
                let away = |i: usize| f64::from(point[i]) - mean[i];
                away(0).hypot(away(1)) <= REACH * DEVIATION
            };
            if let Some(mode) = means().iter().position(near) {
                counts[mode] += 1;
            }
        }
        let all = (points.len() / 2).max(1) as f64;
        Self {
            shares: counts.map(|count| count as f64 / all),
        }
    }

    /// Modes that have been found, of 9.
    pub fn found(&self) -> usize {
        self.shares.iter().filter(|share| **share >= FOUND).count()
    }

    /// The part of all points that lie on any mode.
    pub fn good(&self) -> f64 {
        self.shares.iter().sum()
    }
}

/// A kernel density estimate of points (x, y): the mean of Gaussian bells around them, at `side` x `side` places that divide the
/// square of figures equally, row by row from the least y.
pub fn density(points: &[f32], side: usize) -> Vec<f64> {
    let side = side.max(2);
    let step = 2.0 * EDGE / (side - 1) as f64;
    // Points are counted on the lattice, then the counts are smeared along one axis and along the other.
    let mut counts = vec![0.0; side * side];
    for point in points.chunks_exact(2) {
        let place = |v: f32| ((f64::from(v) + EDGE) / step).round();
        let (column, row) = (place(point[0]), place(point[1]));
        let inside = |p: f64| (0.0..side as f64).contains(&p);
        if inside(column) && inside(row) {
            counts[row as usize * side + column as usize] += 1.0;
        }
    }
    let reach = (4.0 * BELL / step).ceil() as usize;
    let bell = |cells: usize| {
        let z = cells as f64 * step / BELL;
        (-z * z / 2.0).exp() / (BELL * (2.0 * std::f64::consts::PI).sqrt())
    };
    let bell: Vec<f64> = (0..=reach).map(bell).collect();
    let smear = |from: &[f64], stride: usize, across: usize| {
        let mut to = vec![0.0; side * side];
        for line in 0..side {
            for i in 0..side {
                let range = i.saturating_sub(reach)..=(i + reach).min(side - 1);
                let cells = range.map(|j| from[line * across + j * stride] * bell[i.abs_diff(j)]);
                to[line * across + i * stride] = cells.sum();
            }
        }
        to
    };
    let smeared = smear(&smear(&counts, 1, side), side, 1);
    let all = (points.len() / 2).max(1) as f64;
    smeared.iter().map(|v| v / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_has_nine_modes_and_nearly_all_points_on_them() {
        let points = nine_gaussians(2_000, 1);
        assert_eq!(points.len(), 18_000);
        let modes = Modes::of(&points.features);
        assert_eq!(modes.found(), MODES);
        assert!((modes.good() - 0.989).abs() < 0.004, "{}", modes.good());
        assert!(modes.shares.iter().all(|s| (s - 0.11).abs() < 0.004));
        assert_eq!(points.features, nine_gaussians(2_000, 1).features);
    }

    #[test]
    fn points_between_modes_are_on_none_and_too_few_find_none() {
        assert_eq!(Modes::of(&[0.5, 0.5, 0.2, 0.0]).good(), 0.0);
        assert_eq!(Modes::of(&[]).good(), 0.0);
        let mut points = vec![0.0; 2 * 200];
        points[..2].copy_from_slice(&[1.0, -1.0]);
        let modes = Modes::of(&points);
        assert_eq!((modes.found(), modes.good()), (1, 1.0));
        assert_eq!(modes.shares[2], 0.005);
    }

    #[test]
    fn a_density_has_the_volume_one_and_is_highest_at_a_mean() {
        let side = 121;
        let points = nine_gaussians(1_000, 2);
        let density = density(&points.features, side);
        let cell = (2.0 * EDGE / (side - 1) as f64).powi(2);
        let volume = density.iter().sum::<f64>() * cell;
        assert!((volume - 1.0).abs() < 1e-3, "{volume}");
        // Both widths are 0.05: the height of a ninth of a Gaussian of variance 0.005.
        let height = density[side * side / 2];
        let want = 1.0 / 9.0 / (2.0 * std::f64::consts::PI * 0.005);
        assert!((height / want - 1.0).abs() < 0.1, "{height} {want}");
        assert_eq!(super::density(&[9.0, 9.0], side), vec![0.0; side * side]);
    }
}
