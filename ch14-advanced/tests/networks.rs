//! Sizes, filters, what a shift does, and mixed batches.

use burn::tensor::{Device, Int, Tensor};
use ch14_advanced::blur::{BlurLayer, Filter, MaxPool2dAa};
use ch14_advanced::mixup::{MixUp, MixedLabels, mixup_loss};
use ch14_advanced::networks::Cnn;
use ch14_advanced::residual::{ResidualBlock, ResidualNet, Style};
use ch14_advanced::shifts::{PLACES, median_deviation, places, study};
use common::data::{Batches, Crops, Images};
use common::train::{Network, count_parameters, cross_entropy};
use proptest::prelude::*;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn check<N: Network<Input = Tensor<4>>>(network: &N, parameters: usize, device: &Device) {
    assert_eq!(count_parameters(network), parameters);
    let images = Tensor::ones([2, 3, 24, 24], device);
    assert_eq!(network.forward(images).dims(), [2, 10]);
}

#[test]
fn networks_have_the_book_s_parameters() {
    let device = Device::flex();
    check(&Cnn::regular(&device), 18_010, &device);
    for filter in [Filter::Binomial, Filter::AsPrinted] {
        check(&Cnn::anti_aliased(filter, &device), 18_010, &device);
    }
    let plain = ResidualNet::new(Style::Plain, &device);
    check(&plain, 1_181_194, &device);
    assert!(plain.depth() == 28 && plain.alphas().is_empty());
    let rezero = ResidualNet::new(Style::ReZero, &device);
    check(&rezero, 1_181_222, &device);
    assert_eq!(rezero.alphas(), [0.0; 28]);
}

#[test]
fn filters_are_the_book_s() {
    assert_eq!(Filter::Binomial.weights(3), [0.25, 0.5, 0.25]);
    let of_six = [1.0, 5.0, 10.0, 10.0, 5.0, 1.0].map(|c: f32| c / 32.0);
    assert_eq!(Filter::Binomial.weights(6), of_six);
    assert_eq!(Filter::Binomial.weights(1), [1.0]);
    assert_eq!(Filter::AsPrinted.weights(3), [0.125, 0.375, 0.375]);
    for k in 1..30 {
        let sum = |filter: Filter| filter.weights(k).iter().sum::<f32>();
        assert!((sum(Filter::Binomial) - 1.0).abs() < 1e-6);
        assert!((sum(Filter::AsPrinted) - 1.0 + 0.5f32.powi(k as i32)).abs() < 1e-6);
    }
}

#[test]
fn anti_aliased_pools_have_the_book_s_sizes() {
    let device = Device::flex();
    let pool = MaxPool2dAa::new(2, Filter::Binomial);
    let mut x = Tensor::<4>::zeros([1, 1, 24, 24], &device);
    for side in [12, 6] {
        x = pool.forward(x);
        assert_eq!(x.dims(), [1, 1, side, side]);
    }
    let zebra = MaxPool2dAa::with_ratio(4, 1.5, Filter::Binomial);
    let picture = Tensor::zeros([1, 1, 1000, 1000], &device);
    assert_eq!(zebra.forward(picture).dims(), [1, 1, 249, 249]);
}

#[test]
fn a_fresh_rezero_block_passes_its_input_on() {
    let device = Device::flex().autodiff();
    let x = Tensor::<4>::random([2, 4, 5, 6], burn::tensor::Distribution::Default, &device);
    let block = ResidualBlock::new(4, 4, 1, Style::ReZero, &device);
    assert_eq!(values(block.forward(x.clone())), values(x));
}

/// `n` images of 32x32 of noise, of classes that take turns.
fn images(n: usize) -> Images {
    let pixels: Vec<u8> = (0..n * 3072)
        .map(|i| (common::seed::mix(5, i as u64) >> 56) as u8)
        .collect();
    let labels = (0..n).map(|i| (i % 10) as u8).collect();
    let names = (0..10).map(|class| class.to_string()).collect();
    Images::new([3, 32, 32], pixels, labels, names).unwrap()
}

#[test]
fn a_study_sees_each_window() {
    let device = Device::flex();
    let data = Crops::center(images(11), 24);
    let network = Cnn::regular(&device);
    let studies = study(&network, &data, 11, &device).unwrap();
    assert_eq!(studies.len(), 11);
    for (i, of_image) in studies.iter().enumerate() {
        assert_eq!(of_image.probabilities.len(), PLACES);
        // The middle of a 32x32 image is the window four rows and columns in.
        let place = places().position(|at| at == [4, 4]).unwrap();
        let batch = data.batch(&[i], 0, &device);
        let logits = values(network.forward(batch.inputs));
        let sum: f32 = logits.iter().map(|v| v.exp()).sum();
        let want = f64::from(logits[i % 10].exp() / sum);
        assert!((of_image.probabilities[place] - want).abs() < 1e-5);
        let [low, high] = of_image.range();
        assert!(low < high && of_image.deviation() <= (high - low) / 2.0);
    }
    assert!(median_deviation(&studies) > 0.0 && median_deviation(&[]).is_nan());
    let small = Crops::center(images(1), 26);
    assert_eq!(
        study(&network, &small, 1, &device).unwrap_err().exit_code(),
        2
    );
}

#[test]
fn a_mixed_batch_is_an_average_of_two_and_its_labels_say_of_which() {
    let device = Device::flex();
    let data = Crops::random(images(20), 24);
    let mixup = MixUp::mixed(data.clone(), 0.4).unwrap();
    let indices: Vec<usize> = (3..17).collect();
    let plain = values(data.batch(&indices, 9, &device).inputs);
    let batch = mixup.batch(&indices, 9, &device);
    let (others, lambda) = batch.targets.others.unwrap();
    assert!((0.0..=1.0).contains(&lambda));
    let labels: Vec<u8> = batch.targets.labels.into_data().iter::<u8>().collect();
    let others: Vec<u8> = others.into_data().iter::<u8>().collect();
    let mut sorted = [labels.clone(), others.clone()];
    sorted.iter_mut().for_each(|labels| labels.sort_unstable());
    assert_eq!(
        sorted[0], sorted[1],
        "the others are the batch in another order"
    );
    assert_ne!(labels, others);
    let size = 3 * 24 * 24;
    let mixed = values(batch.inputs);
    for (i, mixed) in mixed.chunks(size).enumerate() {
        let fits = (0..indices.len()).any(|j| {
            indices[j] % 10 == usize::from(others[i])
                && (0..size).all(|at| {
                    let want =
                        lambda * plain[i * size + at] + (1.0 - lambda) * plain[j * size + at];
                    (mixed[at] - want).abs() < 1e-5
                })
        });
        assert!(fits, "picture {i}");
    }
    // The same in a second run; another share in another epoch.
    let share = |epoch| {
        mixup
            .batch(&indices, epoch, &device)
            .targets
            .others
            .unwrap()
            .1
    };
    assert_eq!(share(9), lambda);
    assert_ne!(share(10), lambda);
    assert!(
        MixUp::plain(data)
            .batch(&indices, 9, &device)
            .targets
            .others
            .is_none()
    );
}

#[test]
fn an_alpha_has_to_be_positive() {
    for alpha in [0.0, -1.0, f32::NAN] {
        let error = MixUp::mixed(Crops::random(images(1), 24), alpha)
            .err()
            .unwrap();
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn plain_labels_have_the_plain_loss() {
    let device = Device::flex();
    let logits = Tensor::<2>::from_data([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], &device);
    let labels = Tensor::<1, Int>::from_data([2, 0], &device);
    let plain = MixedLabels {
        labels: labels.clone(),
        others: None,
    };
    let want = values(cross_entropy(logits.clone(), labels));
    assert_eq!(values(mixup_loss(logits, &plain)), want);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// A blur of a constant is the constant, whatever axes and sizes.
    #[test]
    fn a_blur_keeps_what_is_everywhere_the_same(
        width in 1_usize..8, stride in 1_usize..5, extra in 0_usize..6, value in -3.0_f32..3.0,
    ) {
        let device = Device::flex();
        let blur = BlurLayer::new(width, stride, Filter::Binomial);
        let side = width + extra;
        let places = extra / stride + 1;
        let picture = blur.forward(Tensor::<4>::full([2, 3, side, side + 1], value, &device));
        prop_assert_eq!(picture.dims(), [2, 3, places, (extra + 1) / stride + 1]);
        prop_assert!(values(picture).iter().all(|v| (v - value).abs() < 1e-5));
        let row = blur.forward(Tensor::<3>::full([1, 2, side], value, &device));
        prop_assert_eq!(row.dims(), [1, 2, places]);
        let block = blur.forward(Tensor::<5>::full([1, 1, side, side, side], value, &device));
        prop_assert_eq!(block.dims(), [1, 1, places, places, places]);
        prop_assert!(values(block).iter().all(|v| (v - value).abs() < 1e-5));
    }
}
