//! The networks have as many parameters as the book's, and give a score for each class.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch06_design::deep::{ResidualCnn, SkipCnn, SkipMlp};
use ch06_design::layers::Style;
use ch06_design::names::NameClassifier;
use ch06_design::networks::{Cnn, Mlp};
use common::train::{Network, count_parameters};

fn check<N: Network<Input = Tensor<4>>>(network: &N, parameters: usize, device: &Device) {
    assert_eq!(count_parameters(network), parameters);
    let images = Tensor::zeros([3, 1, 28, 28], device);
    assert_eq!(network.forward(images).dims(), [3, 10]);
}

#[test]
fn image_networks_have_the_book_s_parameters() {
    let device = Device::flex();
    for (style, mlp, cnn) in [
        (Style::Tanh, 532_490, 395_338),
        (Style::LeakyRelu, 532_490, 395_338),
        (Style::BatchNorm, 535_562, 396_426),
        (Style::LayerNorm, 535_562, 646_218),
    ] {
        check(&Mlp::new(style, &device), mlp, &device);
        check(&Cnn::new(style, &device), cnn, &device);
    }
    check(&SkipMlp::new(&device), 1_086_266, &device);
    check(&SkipCnn::new(&device), 636_362, &device);
    check(&Cnn::sharing(&device), 418_602, &device);
    check(&ResidualCnn::new(&device), 525_412, &device);
}

#[test]
fn running_statistics_are_no_parameters() {
    let network = Mlp::new(Style::BatchNorm, &Device::flex());
    let statistics = 6 * 2 * 256;
    assert_eq!(
        network.num_params(),
        count_parameters(&network) + statistics
    );
}

#[test]
fn name_networks_have_the_book_s_parameters() {
    let device = Device::flex();
    assert_eq!(count_parameters(&NameClassifier::rnn(&device)), 353_874);
    assert_eq!(count_parameters(&NameClassifier::lstm(&device)), 1_390_674);
}
