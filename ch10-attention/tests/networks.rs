//! Sizes of the networks, bags, and what padding may not do.

use std::collections::HashSet;

use burn::tensor::{Bool, Device, Tensor};
use ch10_attention::networks::{Attentive, Baseline, ContextAttention, HIDDEN, SimpleAttention};
use ch10_attention::{
    AdditiveAttentionScore, AttentionAvg, AttentionScore, DigitBags, DotScore, GeneralScore,
    apply_attention, masked_mean, valid_items, valid_tokens,
};
use common::data::{Batches, Images};
use common::train::{Network, count_parameters};
use proptest::prelude::*;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Images of one grey, of every digit.
fn images() -> Images {
    let labels: Vec<u8> = (0..40).map(|i| i % 10).collect();
    let pixels: Vec<u8> = labels.iter().flat_map(|l| [20 + l; 784]).collect();
    let names = (0..10).map(|digit| digit.to_string()).collect();
    Images::new([1, 28, 28], pixels, labels, names).unwrap()
}

fn check<N: Network<Input = Tensor<5>>>(network: &N, parameters: usize, device: &Device) {
    assert_eq!(count_parameters(network), parameters);
    let bags = Tensor::ones([2, 3, 1, 28, 28], device);
    assert_eq!(network.forward(bags).dims(), [2, 10]);
}

#[test]
fn networks_have_the_book_s_parameters() {
    let device = Device::flex();
    check(&Baseline::new(3, &device), 738_058, &device);
    check(&SimpleAttention::new(&device), 467_979, &device);
    let dot = ContextAttention::new(DotScore, &device);
    check(&dot, 401_930, &device);
    let general = GeneralScore::new(HIDDEN, &device);
    let general = ContextAttention::new(general, &device);
    check(&general, 467_467, &device);
    let additive = AdditiveAttentionScore::new(HIDDEN, &device);
    let additive = ContextAttention::new(additive, &device);
    check(&additive, 533_515, &device);
}

#[test]
fn a_bag_s_label_is_its_largest_digit() {
    let images = images();
    let bags = DigitBags::variable(&images, 50, 1..=5, 6, 42).unwrap();
    let indices: Vec<usize> = (0..50).collect();
    let batch = bags.batch(&indices, 7, &Device::flex());
    assert_eq!(batch.inputs.dims(), [50, 6, 1, 28, 28]);
    let labels: Vec<u8> = batch.targets.into_data().iter::<u8>().collect();
    let pixels = values(batch.inputs.flatten::<2>(1, 4)); // [50, 6 * 784]
    let mut sizes = HashSet::new();
    for (i, (label, pixels)) in labels.iter().zip(pixels.chunks(6 * 784)).enumerate() {
        let bag = bags.draw(i, 7);
        sizes.insert(bag.len());
        assert_eq!(bags.digits(&bag).iter().max(), Some(label));
        for (place, digit) in pixels.chunks(784).enumerate() {
            let want = bag.get(place).map_or(0, |&image| 20 + images.label(image));
            assert!(digit.iter().all(|&v| v == f32::from(want) / 255.0));
        }
    }
    assert_eq!(sizes.len(), 5);
    // Each pass has bags of its own; the same pass has the same ones.
    assert_ne!(bags.draw(3, 7), bags.draw(3, 8));
    assert_eq!(bags.draw(3, 7), bags.draw(3, 7));
}

#[test]
fn images_are_drawn_alike_and_independently() {
    let bags = DigitBags::fixed(&images(), 2000, 5, 42).unwrap();
    let (mut counts, mut same) = ([0; 40], 0);
    for index in 0..2000 {
        let bag = bags.draw(index, 3);
        bag.iter().for_each(|&image| counts[image] += 1);
        same += bag.windows(2).filter(|pair| pair[0] == pair[1]).count();
    }
    // 250 and 200 are expected; the bounds are five standard deviations away.
    assert!(
        counts.iter().all(|count| (172..328).contains(count)),
        "{counts:?}"
    );
    assert!((130..270).contains(&same), "{same}");
}

#[test]
fn bags_that_can_not_be_made_are_refused() {
    let images = images();
    assert!(DigitBags::fixed(&images.take(0), 10, 3, 0).is_err());
    assert!(DigitBags::fixed(&images, 10, 0, 0).is_err());
    assert!(DigitBags::variable(&images, 10, 1..=5, 4, 0).is_err());
    let names = vec!["a".to_string()];
    let other = Images::new([1, 2, 2], vec![0; 4], vec![0], names).unwrap();
    assert!(DigitBags::fixed(&other, 10, 3, 0).is_err());
}

#[test]
fn masks_tell_items_from_padding() {
    let device = Device::flex();
    let mut bags = Tensor::<5>::ones([2, 3, 1, 4, 4], &device);
    bags = bags.slice_assign(
        [0..1, 2..3, 0..1, 0..4, 0..4],
        Tensor::zeros([1, 1, 1, 4, 4], &device),
    );
    // One value that is not zero makes an item.
    bags = bags.slice_assign(
        [1..2, 0..1, 0..1, 0..4, 0..3],
        Tensor::zeros([1, 1, 1, 4, 3], &device),
    );
    let valid = valid_items(bags, 0.0).into_data();
    let valid: Vec<bool> = valid.iter::<bool>().collect();
    assert_eq!(valid, [true, true, false, true, true, true]);
    let ids = Tensor::from_data([[5, 0, 2], [0, 0, 0]], &device);
    let valid: Vec<bool> = valid_tokens(ids, 0).into_data().iter::<bool>().collect();
    assert_eq!(valid, [true, false, true, false, false, false]);
}

#[test]
fn a_bag_of_padding_gives_zeros_and_no_nan() {
    let device = Device::flex().autodiff();
    let h = Tensor::<3>::ones([2, 3, HIDDEN], &device).require_grad();
    let valid = Tensor::<2, Bool>::from_data([[true, true, false], [false; 3]], &device);
    let mean = masked_mean(h.clone(), valid.clone());
    let score = AdditiveAttentionScore::new(HIDDEN, &device);
    let average = AttentionAvg::new(score);
    let (average, weights) = average.forward_with_weights(h.clone(), mean.clone(), Some(valid));
    let gradients = (average.clone().sum() + mean.clone().sum()).backward();
    assert_eq!(values(weights)[2..], [0.0; 4]);
    for of_padding in [values(mean), values(average)] {
        assert_eq!(of_padding[HIDDEN..], [0.0; HIDDEN]);
        assert!(of_padding[..HIDDEN].iter().all(|v| (v - 1.0).abs() < 1e-5));
    }
    let gradient = values(h.grad(&gradients).unwrap());
    assert!(gradient.iter().all(|v| v.is_finite()));
    assert_eq!(gradient[2 * HIDDEN..], [0.0; 4 * HIDDEN]);
}

/// Logits, and weights of the first three places.
fn read<N: Attentive>(network: &N, bags: &DigitBags, drawn: &[Vec<usize>]) -> [Vec<f32>; 2] {
    let (logits, weights) = network.forward_with_weights(bags.tensors(drawn, &Device::flex()).0);
    [logits, weights.narrow(1, 0, 3)].map(values)
}

fn padding_changes_nothing<S: AttentionScore>(score: S, device: &Device) {
    let network = ContextAttention::new(score, device);
    let images = images();
    let three = DigitBags::fixed(&images, 9, 3, 1).unwrap();
    let drawn: Vec<_> = (0..9).map(|i| three.draw(i, 0)).collect();
    let want = read(&network, &three, &drawn);
    for places in [4, 6, 17] {
        let padded = DigitBags::variable(&images, 9, 3..=3, places, 1).unwrap();
        assert_eq!(read(&network, &padded, &drawn), want, "{places} places");
    }
}

#[test]
fn a_padded_bag_gives_exactly_what_the_unpadded_one_gives() {
    let device = Device::flex();
    padding_changes_nothing(DotScore, &device);
    padding_changes_nothing(GeneralScore::new(HIDDEN, &device), &device);
    padding_changes_nothing(AdditiveAttentionScore::new(HIDDEN, &device), &device);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Weights of valid items are those of a softmax over them alone, whatever stands in the places of padding.
    #[test]
    fn weights_are_a_softmax_over_the_valid_items(
        sizes in prop::collection::vec(0usize..6, 1..4),
        scores in prop::collection::vec(-30.0f32..30.0, 3 * 2 * 5),
    ) {
        let (bags, device) = (sizes.len(), Device::flex());
        let scores = &scores[..bags * 2 * 5];
        let valid: Vec<bool> = sizes.iter().flat_map(|&size| (0..5).map(move |i| i < size)).collect();
        let tensor = |data: &[f32], shape: [usize; 3]| {
            Tensor::<3>::from_data(burn::tensor::TensorData::new(data.to_vec(), shape), &device)
        };
        let mask = Tensor::<2, Bool>::from_data(burn::tensor::TensorData::new(valid, [bags, 5]), &device);
        let h = tensor(&vec![1.0; bags * 5 * 3], [bags, 5, 3]);
        let (averages, weights) = apply_attention(h, tensor(scores, [bags, 2, 5]), Some(mask));
        let (averages, weights) = (values(averages), values(weights));
        for (row, (weights, scores)) in weights.chunks(5).zip(scores.chunks(5)).enumerate() {
            let size = sizes[row / 2];
            let sum: f64 = scores[..size].iter().map(|s| f64::from(*s).exp()).sum();
            for (item, weight) in weights.iter().enumerate() {
                let want = if item < size { f64::from(scores[item]).exp() / sum } else { 0.0 };
                prop_assert!((f64::from(*weight) - want).abs() < 1e-5, "{weight} {want}");
            }
            let total = if size == 0 { 0.0 } else { 1.0 };
            prop_assert!(averages[3 * row..3 * row + 3].iter().all(|v| (v - total).abs() < 1e-5));
        }
    }
}
