//! The Fréchet distance of two sets of features (Heusel et al. 2017).

/// Rotations of all pairs of axes after which a symmetric matrix is as good as diagonal.
const SWEEPS: usize = 30;

/// Mean and covariance of rows of features.
#[derive(Clone, Debug)]
pub struct Moments {
    mean: Vec<f64>,
    covariance: Matrix,
}

impl Moments {
    /// Of rows of `width` features each, one after the other.
    pub fn of(features: &[f32], width: usize) -> Self {
        let width = width.max(1);
        let rows = (features.len() / width).max(1) as f64;
        let mut mean = vec![0.0; width];
        for row in features.chunks_exact(width) {
            mean.iter_mut()
                .zip(row)
                .for_each(|(m, v)| *m += f64::from(*v) / rows);
        }
        let mut covariance = Matrix::zeros(width);
        let mut centred = vec![0.0; width];
        for row in features.chunks_exact(width) {
            for ((c, v), m) in centred.iter_mut().zip(row).zip(&mean) {
                *c = f64::from(*v) - m;
            }
            for (i, a) in centred.iter().enumerate() {
                let to = &mut covariance.values[i * width..(i + 1) * width];
                to.iter_mut().zip(&centred).for_each(|(t, b)| *t += a * b);
            }
        }
        let less_one = (rows - 1.0).max(1.0);
        covariance.values.iter_mut().for_each(|v| *v /= less_one);
        Self { mean, covariance }
    }
}

/// `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`: the squared Wasserstein distance of two Gaussians with these means and covariances. 0
/// for the same, greater the more two sets of features differ, in what they show or in how varied they are.
///
/// Computed as the trace of the root of the symmetric `C1^(1/2) C2 C1^(1/2)`, which has the same eigenvalues as `C1 C2`.
pub fn frechet_distance(a: &Moments, b: &Moments) -> f64 {
    let means: f64 = a
        .mean
        .iter()
        .zip(&b.mean)
        .map(|(a, b)| (a - b).powi(2))
        .sum();
    let root = a.covariance.root();
    let product = root.times(&b.covariance).times(&root);
    let (values, _) = product.eigen();
    let shared: f64 = values.iter().map(|v| v.max(0.0).sqrt()).sum();
    (means + a.covariance.trace() + b.covariance.trace() - 2.0 * shared).max(0.0)
}

/// A square matrix, row by row.
#[derive(Clone, Debug)]
struct Matrix {
    size: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn zeros(size: usize) -> Self {
        Self {
            size,
            values: vec![0.0; size * size],
        }
    }

    fn trace(&self) -> f64 {
        (0..self.size).map(|i| self.values[i * self.size + i]).sum()
    }

    fn times(&self, other: &Self) -> Self {
        let n = self.size;
        let mut product = Self::zeros(n);
        for i in 0..n {
            for k in 0..n {
                let a = self.values[i * n + k];
                let row = &other.values[k * n..(k + 1) * n];
                let to = &mut product.values[i * n..(i + 1) * n];
                to.iter_mut().zip(row).for_each(|(t, b)| *t += a * b);
            }
        }
        product
    }

    /// The root of a symmetric matrix without negative eigenvalues.
    fn root(&self) -> Self {
        let n = self.size;
        let (values, vectors) = self.eigen();
        let mut root = Self::zeros(n);
        for (value, v) in values.iter().zip(vectors.chunks_exact(n)) {
            let scale = value.max(0.0).sqrt();
            for (i, a) in v.iter().enumerate() {
                let to = &mut root.values[i * n..(i + 1) * n];
                to.iter_mut().zip(v).for_each(|(t, b)| *t += scale * a * b);
            }
        }
        root
    }

    /// Eigenvalues and eigenvectors, a row each, of a symmetric matrix, by Jacobi's rotations (Golub and Van Loan, section 8.5).
    fn eigen(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.size;
        let mut a = self.values.clone();
        // Small differences of the two halves would never vanish.
        for i in 0..n {
            for j in 0..i {
                let mean = (a[i * n + j] + a[j * n + i]) / 2.0;
                (a[i * n + j], a[j * n + i]) = (mean, mean);
            }
        }
        let mut vectors = vec![0.0; n * n];
        (0..n).for_each(|i| vectors[i * n + i] = 1.0);
        let all: f64 = a.iter().map(|v| v * v).sum();
        for _ in 0..SWEEPS {
            let off = a.iter().enumerate().filter(|(i, _)| i / n != i % n);
            let rest: f64 = off.map(|(_, v)| v * v).sum();
            if rest <= 1e-22 * all {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    rotate(&mut a, &mut vectors, n, p, q);
                }
            }
        }
        ((0..n).map(|i| a[i * n + i]).collect(), vectors)
    }
}

/// Turns the axes p and q so that the matrix has a zero at (p, q).
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let off = a[p * n + q];
    if off == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |values: &mut [f64], i: usize, j: usize| {
        let (x, y) = (values[i], values[j]);
        (values[i], values[j]) = (c * x - s * y, s * x + c * y);
    };
    for k in 0..n {
        turn(a, k * n + p, k * n + q);
    }
    for k in 0..n {
        turn(a, p * n + k, q * n + k);
        turn(vectors, p * n + k, q * n + k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn noise(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| rng.random::<f32>() - 0.5).collect()
    }

    #[test]
    fn the_root_of_a_matrix_times_itself_is_the_matrix() {
        let moments = Moments::of(&noise(40 * 200, 1), 40);
        let root = moments.covariance.root();
        let square = root.times(&root);
        let pairs = square.values.iter().zip(&moments.covariance.values);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-10, "{worst}");
    }

    #[test]
    fn gaussians_of_known_moments_have_the_known_distance() {
        // Independent features: the sum over them of (m1 - m2)^2 + (s1 - s2)^2.
        let x = noise(3 * 50_000, 2);
        let mut y = noise(3 * 50_000, 3);
        for row in y.chunks_mut(3) {
            row[0] = 2.0 * row[0] + 1.0;
            row[1] *= 3.0;
        }
        let deviation = (1.0f64 / 12.0).sqrt();
        let want = 1.0 + deviation.powi(2) + (2.0 * deviation).powi(2);
        let found = frechet_distance(&Moments::of(&x, 3), &Moments::of(&y, 3));
        assert!((found - want).abs() < 0.02, "{found} {want}");
    }

    #[test]
    fn a_set_has_no_distance_to_itself_and_constant_features_are_fine() {
        let mut x = noise(20 * 100, 4);
        x.chunks_mut(20).for_each(|row| row[7] = 0.25);
        let moments = Moments::of(&x, 20);
        assert!(frechet_distance(&moments, &moments) < 1e-9);
        let empty = Moments::of(&[], 20);
        assert!(frechet_distance(&empty, &empty) == 0.0);
    }
}
