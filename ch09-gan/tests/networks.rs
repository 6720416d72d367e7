//! The players have the book's sizes.

use burn::tensor::{Device, Tensor};
use ch09_gan::conditional::Conditional;
use ch09_gan::convolutional::{ConvDiscriminator, ConvGenerator};
use ch09_gan::players::{Discriminator, Generator};
use ch09_gan::simple::{NEURONS, SimpleDiscriminator, SimpleGenerator};
use common::train::count_parameters;

#[test]
fn fully_connected_players_have_the_book_s_parameters() {
    let device = Device::flex();
    let g = SimpleGenerator::new(128, NEURONS, 784, true, &device);
    assert_eq!(count_parameters(&g), 996_624);
    let d = SimpleDiscriminator::new(784, NEURONS, &device);
    assert_eq!(count_parameters(&d), 930_817);
    let g = SimpleGenerator::new(64, NEURONS, 2, false, &device);
    assert_eq!(count_parameters(&g), 562_690);
    let d = SimpleDiscriminator::new(2, NEURONS, &device);
    assert_eq!(count_parameters(&d), 530_433);
}

#[test]
fn convolutional_players_have_the_book_s_parameters() {
    let device = Device::flex();
    assert_eq!(count_parameters(&ConvGenerator::new(&device)), 156_465);
    assert_eq!(count_parameters(&ConvDiscriminator::new(&device)), 359_521);
}

#[test]
fn labels_add_the_book_s_parameters() {
    let device = Device::flex();
    let g = SimpleGenerator::new(128, NEURONS, 784, true, &device);
    let g = Conditional::new(g, 128, 10, &device);
    assert_eq!(count_parameters(&g), 996_624 + 51_200);
    let d = SimpleDiscriminator::new(784, NEURONS, &device);
    let d = Conditional::new(d, 784, 10, &device);
    assert_eq!(count_parameters(&d), 930_817 + 1_856_512);
}

#[test]
fn without_labels_a_random_one_is_taken() {
    let device = Device::flex();
    let g = SimpleGenerator::new(5, 8, 12, true, &device);
    let g = Conditional::new(g, 5, 4, &device);
    let z = Tensor::ones([64, 5], &device);
    let digits = g.generate(z, None); // [64, 12]
    assert_eq!(digits.dims(), [64, 12]);
    let spread = digits.clone().max_dim(0) - digits.min_dim(0);
    assert!(
        spread.max().into_scalar::<f32>() > 1e-4,
        "all rows had one label"
    );
    let d = SimpleDiscriminator::new(12, 8, &device);
    let d = Conditional::new(d, 12, 4, &device);
    assert_eq!(d.score(Tensor::ones([3, 12], &device), None).dims(), [3, 1]);
}
