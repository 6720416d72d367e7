//! The networks have as many parameters as the book's; PCA starts orthonormal; noise is N(0, s^2) and only there in training.

use burn::tensor::{Device, Tensor};
use ch07_autoencoder::AdditiveGausNoise;
use ch07_autoencoder::auto_encode::Autoencoder;
use ch07_autoencoder::auto_regressive::AutoRegressive;
use ch07_autoencoder::autoencoders::DeepAutoencoder;
use ch07_autoencoder::noise::Damage;
use ch07_autoencoder::pca::{NonLinearPca, Pca};
use common::train::count_parameters;

fn check(network: &impl Autoencoder, parameters: usize, code: usize) {
    assert_eq!(count_parameters(network), parameters);
    let codes = network.encode(Tensor::zeros([3, 1, 28, 28], &Device::flex()));
    assert_eq!(codes.dims(), [3, code]);
    assert_eq!(network.decode(codes).dims(), [3, 784]);
}

#[test]
fn networks_have_the_book_s_parameters() {
    let device = Device::flex();
    check(&Pca::new(&device), 1_568, 2);
    check(&NonLinearPca::new(&device), 3_922, 2);
    check(&DeepAutoencoder::narrow(&device), 928_256, 2);
    for wide in [
        DeepAutoencoder::wide,
        DeepAutoencoder::denoising,
        DeepAutoencoder::dropout,
    ] {
        check(&wide(&device), 17_240_944, 1568);
    }
    let characters = |symbols| count_parameters(&AutoRegressive::new(symbols, &device));
    assert_eq!(characters(36), 184_356);
    // tinyshakespeare has a symbol more than the book's text: 32 + 128 + 1 more.
    assert_eq!(characters(37), 184_517);
}

#[test]
fn pca_starts_with_orthonormal_columns() {
    for backend in ["flex", "ndarray"] {
        let device = common::device::open(backend).unwrap().device;
        let penalty = Pca::new(&device).penalty().into_scalar::<f32>();
        assert!(penalty < 1e-10, "{penalty}");
    }
}

/// Mean, standard deviation and share of zeros.
fn moments(values: &[f32]) -> [f64; 3] {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let squares = values.iter().map(|v| (f64::from(*v) - mean).powi(2));
    let zeros = values.iter().filter(|v| **v == 0.0).count() as f64;
    [mean, (squares.sum::<f64>() / n).sqrt(), zeros / n]
}

#[test]
fn noise_is_normal_in_training_and_absent_in_evaluation() {
    let noise = AdditiveGausNoise::new(0.5);
    let plain = Device::flex();
    let x = Tensor::<2>::ones([200, 500], &plain);
    let same = noise.forward(x.clone()).into_data();
    assert_eq!(same, x.into_data());

    let x = Tensor::<2>::ones([200, 500], &plain.autodiff()).require_grad();
    let noisy = noise.forward(x.clone());
    let gradients = (noisy.clone() * 3.0).sum().backward();
    let [mean, deviation, _] = moments(&noisy.clone().into_data().try_to_vec::<f32>().unwrap());
    // 100,000 values: the standard errors are 0.0016 and 0.0011.
    assert!((mean - 1.0).abs() < 0.01, "{mean}");
    assert!((deviation - 0.5).abs() < 0.01, "{deviation}");
    let gradient = x.grad(&gradients).unwrap().into_data();
    assert!(gradient.iter::<f32>().all(|g| g == 3.0));
    let again = noise.forward(x).into_data();
    assert_ne!(again, noisy.into_data(), "drawn anew each time");
}

#[test]
fn damage_is_the_same_for_the_same_seed() {
    let device = Device::flex();
    let x = || Tensor::<2>::ones([200, 500], &device);
    let of = |damage: Damage, seed| {
        let damaged = damage.apply(x(), seed).into_data();
        damaged.try_to_vec::<f32>().unwrap()
    };
    for damage in [Damage::Gaussian, Damage::Dropout] {
        assert_eq!(of(damage, 1), of(damage, 1));
        assert_ne!(of(damage, 1), of(damage, 2));
    }
    let [mean, deviation, zeros] = moments(&of(Damage::Gaussian, 1));
    assert!((mean - 1.0).abs() < 0.01 && (deviation - 0.5).abs() < 0.01 && zeros == 0.0);
    let [mean, _, zeros] = moments(&of(Damage::Dropout, 1));
    assert!((mean - 1.0).abs() < 0.02 && (zeros - 0.5).abs() < 0.01);
}
