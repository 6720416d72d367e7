//! 14.7: how much of each picture is mixed in.

use common::experiment::Run;
use common::{Result, plot};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

/// The alphas of the figure.
const ALPHAS: [f64; 4] = [0.1, 0.2, 0.3, 0.4];
/// The density is drawn at 0.01, 0.02, .. 0.99.
const POINTS: usize = 99;
/// Shares that are drawn for the check.
const DRAWN: usize = 20_000;

/// 14.7
pub(super) fn densities(run: &mut Run) -> Result<()> {
    let xs: Vec<f64> = (1..=POINTS)
        .map(|i| i as f64 / (POINTS + 1) as f64)
        .collect();
    let mut chart = plot::lines("Beta(α, α)", "share λ of the first picture", "density");
    let mut hardly = Vec::new();
    let mut u_shaped = true;
    for alpha in ALPHAS {
        let ys: Vec<f64> = xs.iter().map(|x| density(*x, alpha)).collect();
        chart = chart.line(&format!("α = {alpha}"), &xs, &ys);
        let (left, right) = ys.split_at(POINTS / 2);
        u_shaped &= left.windows(2).all(|pair| pair[0] > pair[1]);
        u_shaped &= right.windows(2).all(|pair| pair[0] < pair[1]);
        let share = drawn_near_ends(run.seed(), alpha);
        run.metric(
            &format!("share of batches mixed by less than 0.1, α = {alpha}"),
            share,
        );
        hardly.push(share);
    }
    run.figure(
        "densities",
        "The density of the mix rate: with an α below 1 most batches are hardly mixed.",
        &chart.build(),
    )?;
    run.claim(
        "each density has the shape of a U",
        u_shaped,
        "it falls to the middle and rises from there",
    );
    run.claim(
        "the smaller α, the less is mixed",
        hardly.windows(2).all(|pair| pair[0] > pair[1]),
        format!("shares drawn below 0.1 or above 0.9: {hardly:.3?}"),
    );
    Ok(())
}

/// `(x (1 - x))^(a - 1) / B(a, a)` with `B(a, a) = G(a)^2 / G(2 a)`.
fn density(x: f64, alpha: f64) -> f64 {
    let beta = 2.0 * ln_gamma(alpha) - ln_gamma(2.0 * alpha);
    ((alpha - 1.0) * (x * (1.0 - x)).ln() - beta).exp()
}

/// The logarithm of the gamma function of x > 0: Stirling's series at x + 8 and the recurrence `G(x) = G(x + 1) / x`.
fn ln_gamma(x: f64) -> f64 {
    let steps: f64 = (0..8).map(|i| (x + f64::from(i)).ln()).sum();
    let z = x + 8.0;
    let series = 1.0 / (12.0 * z) - 1.0 / (360.0 * z.powi(3)) + 1.0 / (1260.0 * z.powi(5));
    (z - 0.5) * z.ln() - z + 0.5 * std::f64::consts::TAU.ln() + series - steps
}

/// The share of draws below 0.1 or above 0.9.
fn drawn_near_ends(seed: u64, alpha: f64) -> f64 {
    let Ok(beta) = Beta::new(alpha, alpha) else {
        return f64::NAN;
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let draws = beta.sample_iter(&mut rng).take(DRAWN);
    let near = draws
        .filter(|lambda: &f64| (lambda - 0.5).abs() > 0.4)
        .count();
    near as f64 / DRAWN as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_equal_scipy() {
        // scipy.stats.beta.pdf(x, a, a)
        for (x, alpha, want) in [(0.01, 0.1, 3.22953), (0.5, 0.25, 0.38138), (0.3, 1.0, 1.0)] {
            let found = density(x, alpha);
            assert!((found / want - 1.0).abs() < 1e-3, "{x} {alpha}: {found}");
        }
    }
}
