//! The layers that the chapter makes itself: the shared matrix, the RNN by hand, the last time step.

use burn::tensor::{Device, Distribution, Tensor};
use ch04_rnn::LastTimeStep;
use ch04_rnn::bare::BareRnn;
use ch04_rnn::sharing::SharedMlp;
use common::data::Images;
use common::nn::rnn::RnnConfig;
use common::train::Network;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn assert_close(found: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(found.len(), want.len());
    let scale = want.iter().fold(1e-30f32, |top, v| top.max(v.abs()));
    for (found, want) in found.iter().zip(want) {
        assert!(
            (found - want).abs() <= tolerance * scale,
            "{found} is not {want}"
        );
    }
}

#[test]
fn a_shared_matrix_gets_the_gradients_of_both_uses() {
    let device = Device::flex();
    let pixels: Vec<u8> = (0..5 * 784).map(|i| (i * 37 % 251) as u8).collect();
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let images = Images::new([1, 28, 28], pixels, vec![3, 1, 4, 1, 5], names).unwrap();
    let network = SharedMlp::new(&device);
    let gradients = network.gradients(&images, &[0, 1, 2, 3, 4], &device);
    let [shared, inner, outer] = gradients.unwrap();
    let largest = |tensor: &Tensor<2>| tensor.clone().abs().max().into_scalar::<f32>();
    assert!(largest(&inner) > 1e-5 && largest(&outer) > 1e-5);
    assert!(largest(&(inner.clone() - outer.clone())) > 1e-5);
    assert_close(&values(shared), &values(inner + outer), 1e-5);

    // Without sharing the same numbers, from more parameters.
    let x = Tensor::random([3, 1, 28, 28], Distribution::Default, &device);
    let (one, two) = (network.forward(x.clone()), network.untied().forward(x));
    assert_eq!(values(one), values(two));
}

#[test]
fn an_rnn_by_hand_is_the_layer_forward_and_backward() {
    let device = Device::flex().autodiff();
    let layer = RnnConfig::new(5, 7).init(&device);
    let by_hand = BareRnn::from(&layer);
    let x = Tensor::<3>::random([3, 6, 5], Distribution::Default, &device).require_grad();
    let y = x.clone().detach().require_grad();
    let weights = Tensor::<3>::random([3, 6, 7], Distribution::Default, &device);
    let states = by_hand.forward(x.clone()); // [B, T, H]
    let (of_layer, _) = layer.forward(y.clone(), None, None);
    assert_close(&values(states.clone()), &values(of_layer.clone()), 1e-6);
    let gradient = (states * weights.clone()).sum().backward();
    let of_layer = (of_layer * weights).sum().backward();
    let [found, want] = [x.grad(&gradient).unwrap(), y.grad(&of_layer).unwrap()];
    assert_close(&values(found), &values(want), 1e-5);
}

#[test]
fn the_last_time_step_is_the_last_layers_state_of_both_directions() {
    let device = Device::flex();
    // State s of name b and unit u is 100 s + 10 b + u.
    let states = |count: i32| {
        let value = |i: i32| (100 * (i / 6) + 10 * (i / 3 % 2) + i % 3) as f32;
        let all: Vec<f32> = (0..count * 6).map(value).collect();
        Tensor::<1>::from_floats(all.as_slice(), &device).reshape([count as usize, 2, 3])
    };
    let one = LastTimeStep::new(3, false).forward(states(3)); // [2, 3]
    assert_eq!(values(one), [200., 201., 202., 210., 211., 212.]);
    let both = LastTimeStep::new(2, true).forward(states(4)); // [2, 6]
    assert_eq!(both.dims(), [2, 6]);
    let wanted = [
        [200., 201., 202., 300., 301., 302.],
        [210., 211., 212., 310., 311., 312.],
    ];
    assert_eq!(values(both), wanted.concat());
}
