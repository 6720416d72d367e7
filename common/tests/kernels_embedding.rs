//! Embeddings: values, gradients and the padding row against Burn's operations on the reference device.

mod kernel_setup;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::kernels;
use common::nn::EmbeddingConfig;
use common::train::Optimizer;
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

fn numbers<const D: usize>(indices: &[i64], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(indices.to_vec(), shape), device)
}

/// Rows and the gradient of the table, where each value of the output has another weight.
fn results(
    device: Device,
    table: &[f32],
    [count, width]: [usize; 2],
    indices: &[i64],
    padding: Option<usize>,
) -> [Vec<f32>; 2] {
    let device = device.autodiff();
    let table = leaf(table, [count, width], &device);
    let rows = indices.len();
    let out = kernels::embedding(table.clone(), numbers(indices, [rows], &device), padding);
    assert_eq!(out.dims(), [rows, width]);
    let weighting: Vec<f32> = (0..rows * width)
        .map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0)
        .collect();
    let weighting = Tensor::<1>::from_floats(weighting.as_slice(), &device);
    let loss = (out.clone() * weighting.reshape([rows, width])).sum();
    let gradient = table.grad(&loss.backward()).unwrap();
    [values(out), values(gradient)]
}

fn check(sizes: [usize; 2], indices: &[i64], padding: Option<usize>) {
    let table = random(sizes);
    let [rows, gradient] = results(Device::flex(), &table, sizes, indices, padding);
    let [want_rows, want_gradient] = results(reference(), &table, sizes, indices, padding);
    assert_eq!(rows, want_rows);
    assert_close("gradient", &gradient, &want_gradient);
    if let Some(padding) = padding {
        let width = sizes[1];
        assert_eq!(gradient[padding * width..][..width], vec![0.0; width]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn embedding_is_burns(
        (count, width) in (1..50usize, 1..80usize),
        indices in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
        padding in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let indices: Vec<i64> = indices.iter().map(|i| i.index(count) as i64).collect();
        check([count, width], &indices, padding.map(|p| p.index(count)));
    }
}

/// Many indices: the columns are shared between the threads, whole cache lines or not.
#[test]
fn large_embeddings_are_burns_and_the_same_each_time() {
    for width in [64, 71] {
        let indices: Vec<i64> = (0..3000).map(|i| (i * i) % 37).collect();
        check([37, width], &indices, Some(0));
        let table = random([37, width]);
        let run = || results(Device::flex(), &table, [37, width], &indices, Some(0));
        let first = run();
        for _ in 0..10 {
            assert_eq!(run(), first);
        }
    }
}

#[test]
fn no_index_gives_no_row() {
    let device = Device::flex().autodiff();
    let table = leaf(&random([4, 3]), [4, 3], &device);
    let out = kernels::embedding(table.clone(), numbers(&[], [0], &device), None);
    assert_eq!(out.dims(), [0, 3]);
    let gradient = table.grad(&out.sum().backward()).unwrap();
    assert_eq!(values(gradient), vec![0.0; 12]);
}

#[test]
#[should_panic(expected = "index 4 is not one of 4 rows")]
fn an_index_too_large_fails() {
    let device = Device::flex();
    kernels::embedding(
        Tensor::zeros([4, 3], &device),
        numbers(&[0, 4], [2], &device),
        None,
    );
}

/// Burn's layer starts from the same numbers and computes the same.
#[test]
fn the_layer_is_burns() {
    let device = Device::flex();
    let slow = burn::nn::EmbeddingConfig::new(11, 5).init(&device);
    let fast = EmbeddingConfig::new(11, 5)
        .init(&device)
        .load_record(slow.clone().into_record());
    assert_eq!(fast.to_string(), slow.to_string());
    let indices = numbers(&[3, 0, 10, 3, 7, 1], [2, 3], &device);
    let out = fast.forward(indices.clone());
    assert_eq!(out.dims(), [2, 3, 5]);
    assert_eq!(values(out), values(slow.forward(indices)));
}

/// PyTorch's start: N(0, 1), and a padding vector of zeros that stays so while the others learn.
#[test]
fn the_padding_vector_starts_as_zeros_and_does_not_learn() {
    for device in [Device::flex(), reference()] {
        let device = device.autodiff();
        let mut layer = EmbeddingConfig::new(50, 40)
            .with_padding(Some(2))
            .init(&device);
        let start = values(layer.weight.val());
        assert_eq!(start[80..120], [0.0; 40]);
        let variance = start.iter().map(|v| v * v).sum::<f32>() / (49.0 * 40.0);
        assert!((variance - 1.0).abs() < 0.15, "{variance}");
        let mut optimizer = Optimizer::adamw().init();
        for _ in 0..3 {
            let out = layer.forward(numbers(&[2, 1, 49, 2], [1, 4], &device));
            let gradients = GradientsParams::from_grads(out.sum().backward(), &layer);
            layer = optimizer.step(0.1, layer, gradients);
        }
        let end = values(layer.valid().weight.val());
        assert_eq!(end[80..120], [0.0; 40], "{device:?}");
        assert!(end[40..80] != start[40..80] && end[1960..] != start[1960..]);
    }
}

/// A padding number that is no row: nothing is special.
#[test]
fn a_padding_outside_of_the_table_is_no_row() {
    let device = Device::flex();
    let mut layer = EmbeddingConfig::new(3, 2)
        .with_padding(Some(9))
        .init(&device);
    layer.weight = Param::from_tensor(Tensor::ones([3, 2], &device));
    assert_eq!(
        values(layer.lookup(numbers(&[2, 0], [2], &device))),
        [1.0; 4]
    );
}
