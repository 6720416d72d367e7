//! What the recurrent layers add to their kernels: initial weights, stacking, sizes.

mod kernel_setup;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::nn::rnn::{Direction, GruCellConfig, GruConfig, LstmConfig, RnnConfig};
use kernel_setup::{random, values};

/// PyTorch: U(-k, k), k = 1 / sqrt(hidden), for weights and biases.
#[test]
fn weights_start_in_pytorchs_range() {
    let device = Device::flex();
    let gru = GruConfig::new(8, 64)
        .with_num_layers(2)
        .with_bidirectional(true)
        .init(&device);
    let k = 1.0 / 8.0;
    let check = |values: Vec<f32>| {
        assert!(values.iter().all(|v| v.abs() <= k));
        let variance = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!((variance / (k * k / 3.0) - 1.0).abs() < 0.2, "{variance}");
    };
    for layer in &gru.layers {
        for Direction {
            weight_ih,
            weight_hh,
            bias_ih,
            bias_hh,
        } in [&layer.forward, layer.reverse.as_ref().unwrap()]
        {
            check(values(weight_ih.val()));
            check(values(weight_hh.val()));
            check(values(bias_ih.val()));
            check(values(bias_hh.val()));
        }
    }
}

/// The networks of chapters 4, 6, 7 and 12 without embedding and output layer.
#[test]
fn numbers_of_parameters_are_pytorchs() {
    let device = Device::flex();
    assert_eq!(RnnConfig::new(64, 256).init(&device).num_params(), 82_432);
    let three = RnnConfig::new(64, 256).with_num_layers(3);
    assert_eq!(three.init(&device).num_params(), 345_600);
    assert_eq!(
        three.with_bidirectional(true).init(&device).num_params(),
        953_344
    );
    assert_eq!(
        LstmConfig::new(64, 256)
            .with_num_layers(3)
            .init(&device)
            .num_params(),
        1_382_400
    );
    let gru = GruConfig::new(128, 128)
        .with_num_layers(3)
        .with_bidirectional(true);
    assert_eq!(gru.init(&device).num_params(), 791_040);
    assert_eq!(
        GruCellConfig::new(32, 128).init(&device).num_params(),
        62_208
    );
}

#[test]
fn layers_start_from_zeros_without_states() {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats(random([24]).as_slice(), &device).reshape([2, 3, 4]);
    let zeros = || Tensor::<3>::zeros([4, 2, 5], &device);
    let gru = GruConfig::new(4, 5)
        .with_num_layers(2)
        .with_bidirectional(true)
        .init(&device);
    let (output, h) = gru.forward(x.clone(), None, None);
    let (want, want_h) = gru.forward(x.clone(), None, Some(zeros()));
    assert_eq!((values(output), values(h)), (values(want), values(want_h)));
    let lstm = LstmConfig::new(4, 5)
        .with_num_layers(2)
        .with_bidirectional(true)
        .init(&device);
    let (output, (h, c)) = lstm.forward(x.clone(), None, None);
    let (want, (want_h, want_c)) = lstm.forward(x, None, Some((zeros(), zeros())));
    assert_eq!(values(output), values(want));
    assert_eq!((values(h), values(c)), (values(want_h), values(want_c)));
}

/// Between the layers and in training alone: one layer has none.
#[test]
fn dropout_is_between_layers_in_training() {
    let device = Device::flex();
    let x = Tensor::<3>::ones([2, 3, 4], &device);
    let learning = Tensor::<3>::ones([2, 3, 4], &device.clone().autodiff());
    for (layers, differs) in [(1, false), (2, true)] {
        let gru = GruConfig::new(4, 5)
            .with_num_layers(layers)
            .with_dropout(0.5)
            .init(&device);
        let still = values(gru.forward(x.clone(), None, None).0);
        assert_eq!(still, values(gru.forward(x.clone(), None, None).0));
        let training = gru.train();
        let dropped = values(training.forward(learning.clone(), None, None).0);
        assert_eq!(dropped != still, differs, "{layers} layers");
    }
}

#[test]
fn layers_show_their_sizes() {
    let lstm = LstmConfig::new(4, 5)
        .with_num_layers(2)
        .init(&Device::flex());
    let text = lstm.to_string();
    assert!(
        text.contains("input_size: 4, hidden_size: 5, num_layers: 2, bidirectional: false"),
        "{text}"
    );
}
