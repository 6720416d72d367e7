//! Noise on the input of a denoising autoencoder (section 7.4.1), and on pictures that are shown to a trained one.

use burn::module::Module;
use burn::tensor::{Distribution, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// The book's standard deviation.
pub const STANDARD_DEVIATION: f64 = 0.5;
/// The share of pixels that 7.6 blots out.
pub const BLOTTED: f64 = 0.5;

/// x + e with e ~ N(0, s^2), drawn anew for each value and each step of training; in evaluation x as it is. The book's `AdditiveGausNoise`.
#[derive(Module, Debug)]
pub struct AdditiveGausNoise {
    /// s
    pub standard_deviation: f64,
}

impl AdditiveGausNoise {
    /// Noise of this standard deviation.
    pub fn new(standard_deviation: f64) -> Self {
        Self { standard_deviation }
    }

    /// Any shape. Training is what happens on a device with automatic differentiation, as for Burn's dropout.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if !x.device().is_autodiff() {
            return x;
        }
        let noise = x.random_like(Distribution::Normal(0.0, self.standard_deviation));
        x + noise
    }
}

/// What is done to pictures before a trained network sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// N(0, 0.5^2) added to each pixel.
    Gaussian,
    /// Half of the pixels set to 0, the others doubled, as dropout in training does it.
    Dropout,
}

impl Damage {
    /// Damaged copies, the same for the same seed on every device; any shape.
    pub fn apply<const D: usize>(self, images: Tensor<D>, seed: u64) -> Tensor<D> {
        let shape = images.dims();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draw = |_| -> f32 {
            match self {
                Self::Gaussian => {
                    let e: f32 = StandardNormal.sample(&mut rng);
                    STANDARD_DEVIATION as f32 * e
                }
                Self::Dropout if rng.random_bool(BLOTTED) => 0.0,
                Self::Dropout => (1.0 / (1.0 - BLOTTED)) as f32,
            }
        };
        let drawn: Vec<f32> = (0..shape.iter().product()).map(draw).collect();
        let drawn = Tensor::from_data(TensorData::new(drawn, shape), &images.device());
        match self {
            Self::Gaussian => images + drawn,
            Self::Dropout => images * drawn,
        }
    }
}
