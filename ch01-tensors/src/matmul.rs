//! How long a device takes for the product of two matrices, the operation that networks are made of (section 1.2.1).

use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor, TensorData};
use common::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::read::{floats, unreadable};

/// A square matrix of numbers drawn from U(0, 1), the same on every device.
#[derive(Clone, Debug)]
pub struct SquareMatrix {
    size: usize,
    values: Vec<f32>,
}

impl SquareMatrix {
    /// `size` rows of `size` numbers.
    pub fn random(size: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values = (0..size * size).map(|_| rng.random::<f32>()).collect();
        Self { size, values }
    }

    /// The matrix on `device`: [N, N].
    pub fn tensor(&self, device: &Device) -> Tensor<2> {
        let data = TensorData::new(self.values.clone(), [self.size, self.size]);
        Tensor::from_data(data, device)
    }

    /// The first row of X·X, in 64 bits: what a device's product is compared with.
    fn first_row_of_square(&self) -> Vec<f64> {
        let mut row = vec![0.0; self.size];
        let rows = self.values.chunks(self.size.max(1));
        for (x, other) in self.values.iter().zip(rows) {
            for (sum, y) in row.iter_mut().zip(other) {
                *sum += f64::from(*x) * f64::from(*y);
            }
        }
        row
    }
}

/// How often a product is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// As often as this,
    pub times: usize,
    /// but stopping short of what takes longer than this. At least one product is timed.
    pub at_most: Duration,
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Rows of the matrix.
    pub size: usize,
    /// Products timed.
    pub products: usize,
    /// Time for all of them.
    pub seconds: f64,
    /// Largest relative error in the first row of the product.
    pub error: f64,
}

impl Timing {
    /// Milliseconds per product.
    pub fn milliseconds(&self) -> f64 {
        1e3 * self.seconds / self.products as f64
    }

    /// 10^9 additions and multiplications per second; a product takes 2 N^3 of them.
    pub fn gigaflops(&self) -> f64 {
        2.0 * (self.size as f64).powi(3) / (1e6 * self.milliseconds())
    }
}

/// Times X·X on `device`. The clock stops when the device has finished: a GPU returns from a call long before that.
///
/// # Errors
/// [`common::Error::Training`] when the device can't compute or deliver the product.
pub fn time_square(matrix: &SquareMatrix, device: &Device, repeat: Repeat) -> Result<Timing> {
    let x = matrix.tensor(device); // [N, N]
    let square = || x.clone().matmul(x.clone()); // [N, N]

    // The first product starts threads and loads kernels: it is checked, not timed.
    let row = floats(square().narrow(0, 0, 1))?; // [1, N]
    let exact = matrix.first_row_of_square();
    let errors = row
        .iter()
        .zip(&exact)
        .map(|(y, t)| (f64::from(*y) - t).abs() / t.abs().max(1e-30));
    let error = errors.fold(0.0, f64::max);

    let one = clock(device, 1, square)?;
    let affordable = (repeat.at_most.as_secs_f64() / one.max(1e-9)) as usize;
    let products = repeat.times.min(affordable).max(1);
    let seconds = clock(device, products, square)?;
    Ok(Timing {
        size: matrix.size,
        products,
        seconds,
        error,
    })
}

/// Seconds for `times` calls of `work`, until the device has done them all.
fn clock(device: &Device, times: usize, work: impl Fn() -> Tensor<2>) -> Result<f64> {
    device.sync().map_err(unreadable)?;
    let start = Instant::now();
    for _ in 0..times {
        drop(work());
    }
    device.sync().map_err(unreadable)?;
    Ok(start.elapsed().as_secs_f64())
}
