//! Sizes of the networks, what padding may not do, masks, positions.

use burn::tensor::{Bool, Device, Tensor, TensorData};
use ch12_transformer::{
    DecoderLayer, LayerSizes, NewsAttention, NewsAverage, NewsCnn, NewsGru, NewsTransformer,
    Padding, PositionalEncoding, causal_mask, multi_head_attention, position_code,
};
use common::data::{PAD, PaddedSequences, Sequences};
use common::kernels::AttentionMask;
use common::nn::MultiHeadAttentionConfig;
use common::train::{Network, count_parameters};

/// Words of the book's vocabulary.
const BOOK: usize = 20_647;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn positions() -> Option<PositionalEncoding> {
    Some(PositionalEncoding::new(0.1))
}

#[test]
fn networks_have_the_book_s_parameters() {
    let (device, masked) = (Device::flex(), Padding::Masked);
    let average = |positions| NewsAverage::new(BOOK, positions, masked, &device);
    let attention = |positions| NewsAttention::new(BOOK, positions, masked, &device);
    assert_eq!(
        count_parameters(&NewsGru::new(BOOK, masked, &device)),
        3_434_884
    );
    assert_eq!(count_parameters(&average(None)), 2_709_636);
    assert_eq!(count_parameters(&attention(None)), 2_742_661);
    assert_eq!(
        count_parameters(&NewsCnn::new(BOOK, masked, &device)),
        4_287_492
    );
    assert_eq!(count_parameters(&average(positions())), 2_709_636);
    assert_eq!(count_parameters(&attention(positions())), 2_742_661);
    let transformer = NewsTransformer::new(BOOK, 0.1, masked, &device);
    assert_eq!(count_parameters(&transformer), 4_472_197);
}

/// Texts of these words, of which the first is the shortest.
fn texts(device: &Device) -> [PaddedSequences; 2] {
    let short: Vec<u32> = [1, 9, 4, 7, 5, 8, 2].into();
    let long: Vec<u32> = (0..37).map(|i| 4 + i % 9).collect();
    let both: Sequences = [short.as_slice(), &long].into_iter().collect();
    [
        both.padded(&[0], PAD, device),
        both.padded(&[0, 1], PAD, device),
    ]
}

fn padding_changes_nothing<N: Network<Input = PaddedSequences>>(network: &N, device: &Device) {
    let [alone, padded] = texts(device);
    let (alone, padded) = (
        values(network.forward(alone)),
        values(network.forward(padded)),
    );
    for (a, b) in alone.iter().zip(&padded) {
        assert!(
            (a - b).abs() < 1e-5 * (1.0 + a.abs()),
            "{alone:?} {padded:?}"
        );
    }
    // A text of no word, alone in its batch, and one of nothing but padding.
    for (ids, length) in [(&[1, 2][..], 2), (&[3, 3, 3, 3, 3], 1)] {
        let ids = TensorData::new(ids.to_vec(), [1, ids.len()]);
        let ids = Tensor::from_data(ids, device);
        let lengths = vec![length];
        let logits = values(network.forward(PaddedSequences { ids, lengths }));
        assert!(logits.iter().all(|v| v.is_finite()), "{logits:?}");
    }
}

#[test]
fn a_padded_text_gives_what_it_gives_alone() {
    let (device, masked) = (Device::flex(), Padding::Masked);
    let none = || None;
    padding_changes_nothing(&NewsGru::new(20, masked, &device), &device);
    padding_changes_nothing(&NewsCnn::new(20, masked, &device), &device);
    for positions in [none, positions] {
        let average = NewsAverage::new(20, positions(), masked, &device);
        padding_changes_nothing(&average, &device);
        let attention = NewsAttention::new(20, positions(), masked, &device);
        padding_changes_nothing(&attention, &device);
    }
    let transformer = NewsTransformer::new(20, 0.1, masked, &device);
    padding_changes_nothing(&transformer, &device);
}

/// Numbers without a pattern.
fn states(shape: [usize; 3], device: &Device) -> Tensor<3> {
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|i| (i as f32 * 1.7).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[test]
fn attention_written_out_is_that_of_the_layers() {
    let device = Device::flex().autodiff();
    let layer = MultiHeadAttentionConfig::new(24, 3).init(&device);
    let padding = Tensor::<2, Bool>::from_data(
        [[false; 7], [false, false, true, true, true, true, true]],
        &device,
    );
    let keys = padding.clone().unsqueeze_dims::<4>(&[1, 2]); // [B, 1, 1, K]
    let future = causal_mask(7, &device).unsqueeze::<4>(); // [1, 1, Q, K]
    for (hidden, mask) in [
        (None, AttentionMask::none()),
        (Some(keys), AttentionMask::padding(padding)),
        (Some(future), AttentionMask::causal()),
    ] {
        let x = || states([2, 7, 24], &device).require_grad();
        let (a, b) = (x(), x());
        let (written, weights) =
            multi_head_attention(&layer, a.clone(), a.clone(), a.clone(), hidden);
        let fast = layer.self_attention(b.clone(), &mask);
        let sums = values(weights.sum_dim(3));
        assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5));
        let directions = states([2, 7, 24], &device);
        let gradient = |out: Tensor<3>, x: &Tensor<3>| {
            let gradients = (out * directions.clone()).sum().backward();
            values(x.grad(&gradients).unwrap())
        };
        let pairs = [
            (values(written.clone()), values(fast.clone())),
            (gradient(written, &a), gradient(fast, &b)),
        ];
        for (written, fast) in pairs {
            for (w, f) in written.iter().zip(&fast) {
                assert!((w - f).abs() < 1e-5, "{w} {f}");
            }
        }
    }
}

#[test]
fn a_decoder_does_not_see_the_future() {
    let device = Device::flex();
    let sizes = LayerSizes {
        width: 16,
        heads: 4,
        inner: 32,
        dropout: 0.1,
    };
    let layer = DecoderLayer::new(sizes, &device);
    let (x, memory) = (
        states([1, 6, 16], &device),
        states([1, 4, 16], &device) * 0.5,
    );
    let forward = |x| {
        layer.forward(
            x,
            memory.clone(),
            &AttentionMask::causal(),
            &AttentionMask::none(),
        )
    };
    let before = values(forward(x.clone()));
    let changed = x.slice_assign([0..1, 4..6, 0..16], Tensor::ones([1, 2, 16], &device));
    let after = values(forward(changed));
    assert_eq!(before[..4 * 16], after[..4 * 16]);
    assert_ne!(before[4 * 16..], after[4 * 16..]);
}

#[test]
fn positions_are_sines_and_cosines() {
    let code = position_code(3, 4);
    let want = [
        [0.0, 1.0, 0.0, 1.0],
        [1f32.sin(), 1f32.cos(), 0.01f32.sin(), 0.01f32.cos()],
        [2f32.sin(), 2f32.cos(), 0.02f32.sin(), 0.02f32.cos()],
    ];
    for (found, want) in code.iter().zip(want.concat()) {
        assert!((found - want).abs() < 1e-6, "{found} {want}");
    }
    let device = Device::flex();
    let encoded = PositionalEncoding::new(0.1).forward(Tensor::ones([2, 3, 4], &device));
    for (found, code) in values(encoded).iter().zip(code.iter().cycle()) {
        assert!((found - 2.0 - code).abs() < 1e-6, "{found} {code}");
    }
}
