//! Parameter counts, and what freezing does: weights and statistics that stay, a last layer that learns.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Int, Tensor};
use ch13_transfer::{Architecture, Backbone, Frozen, NormalizeInput, PhotoClassifier};
use common::train::{Network, Optimizer, count_parameters, cross_entropy, draw_weights};

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn transferred(frozen: Frozen, device: &Device) -> PhotoClassifier {
    let architecture = Architecture::ResNet20;
    let trained = architecture.init(10, device);
    draw_weights(&trained);
    let network = PhotoClassifier::transferred(architecture, trained, 2, frozen, device);
    draw_weights(&network);
    network
}

#[test]
fn networks_have_the_parameters_of_the_published_ones() {
    let device = Device::flex();
    let count = |architecture: Architecture, classes| {
        count_parameters(&architecture.init(classes, &device))
    };
    assert_eq!(count(Architecture::ResNet18, 1000), 11_689_512);
    assert_eq!(count(Architecture::ResNet18, 2), 11_177_538);
    assert_eq!(count(Architecture::ResNet20, 10), 269_722);
    assert_eq!(count(Architecture::EfficientNetLite0, 1000), 4_652_008);
}

#[test]
fn normalisation_takes_the_mean_and_divides_by_the_deviation() {
    let device = Device::flex();
    let normalize = NormalizeInput::new(&[0.5, 0.25, 0.0], &[0.5, 0.25, 2.0]);
    let x = Tensor::<4>::ones([1, 3, 1, 1], &device);
    assert_eq!(values(normalize.forward(x)), [1.0, 3.0, 0.5]);
    assert_eq!(count_parameters(&normalize), 0);
}

/// How many parameters get a gradient in training.
fn learning(network: &PhotoClassifier) -> usize {
    #[derive(Default)]
    struct Learning(usize);
    impl ModuleVisitor for Learning {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if parameter.val().is_require_grad() {
                self.0 += parameter.lazy_shape().num_elements();
            }
        }
    }
    let mut learning = Learning::default();
    let autodiff = Device::flex().autodiff();
    network.clone().train().fork(&autodiff).visit(&mut learning);
    learning.0
}

/// Features of fixed photos, in evaluation, and the weights of the last layer.
fn state(network: &PhotoClassifier, photos: &Tensor<4>) -> (Vec<f32>, Vec<f32>) {
    let network = network.clone().valid();
    let features = network.features(photos.clone());
    (
        values(features),
        values(network.backbone.head().weight.val()),
    )
}

/// What a step of training does to features and last layer: whether either has changed.
fn step(frozen: Frozen) -> [bool; 2] {
    let device = Device::flex();
    device.seed(3);
    let network = transferred(frozen, &device);
    let photos = Tensor::<4>::random([4, 3, 128, 128], Distribution::Default, &device);
    let autodiff = device.autodiff();
    let mut network = network.train().fork(&autodiff);
    let before = state(&network, &photos);
    let input = Tensor::from_data(photos.clone().into_data(), &autodiff);
    let targets = Tensor::<1, Int>::from_data([0, 1, 0, 1], &autodiff);
    let loss = cross_entropy(network.forward(input), targets);
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    network = Optimizer::sgd().init().step(0.1, network, gradients);
    let after = state(&network, &photos);
    [before.0 != after.0, before.1 != after.1]
}

#[test]
fn frozen_features_stay_and_the_last_layer_learns() {
    assert_eq!(step(Frozen::Nothing), [true, true]);
    assert_eq!(step(Frozen::Features), [false, true]);
}

#[test]
fn in_the_book_s_way_the_statistics_of_frozen_norms_move() {
    assert_eq!(step(Frozen::WeightsOnly), [true, true]);
    let device = Device::flex();
    // Of its parameters only those of the last layer learn.
    for frozen in [Frozen::Features, Frozen::WeightsOnly] {
        let network = transferred(frozen, &device);
        assert_eq!(learning(&network), 64 * 2 + 2, "{frozen:?}");
    }
    // The weights of ResNet-20 with a last layer for two classes.
    assert_eq!(learning(&transferred(Frozen::Nothing, &device)), 269_202);
    assert!(matches!(
        transferred(Frozen::Nothing, &device).backbone,
        Backbone::ResNet(_)
    ));
}
