//! The network that knowledge is transferred from: the best that can be had.

use burn::tensor::Device;
use common::data::{cifar10, efficientnet_lite0_weights, resnet18_weights};
use common::experiment::{Preset, Run};
use common::train::{Classifier, Recipe};
use common::{Error, Result};

use crate::classifier::{Architecture, Backbone, Frozen, PhotoClassifier};
use crate::efficientnet::EfficientNetLite0;
use crate::resnet::ResNetConfig;

use super::photos::CLASSES;

/// A trained network.
pub(super) struct Pretrained {
    pub(super) architecture: Architecture,
    pub(super) network: Backbone,
}

impl Pretrained {
    /// The network with a fresh last layer for cats and dogs.
    pub(super) fn transfer(&self, frozen: Frozen, device: &Device) -> PhotoClassifier {
        let network = self.network.clone();
        PhotoClassifier::transferred(self.architecture, network, CLASSES, frozen, device)
    }
}

/// ResNet-18 trained on ImageNet, if its file is there or can be downloaded; else EfficientNet-Lite0 trained on ImageNet, if its file is there;
/// else ResNet-20, trained now on CIFAR-10.
pub(super) fn pretrained(run: &mut Run) -> Result<Pretrained> {
    let mut options = run.data_options();
    options.offline |= run.preset() == Preset::Smoke; // no download of 47 MB within seconds
    let device = run.device().clone();
    let why = match resnet18_weights(&options) {
        Ok((path, origin)) => {
            run.say(format!(
                "transferred from: ResNet-18 trained on ImageNet, {origin}"
            ));
            let network = ResNetConfig::resnet18(1000).load(&path, &device)?;
            return Ok(Pretrained {
                architecture: Architecture::ResNet18,
                network: Backbone::ResNet(network),
            });
        }
        Err(Error::Data(why)) => why,
        Err(error) => return Err(error),
    };
    if let Some((path, origin)) = efficientnet_lite0_weights(&options)? {
        run.say(format!(
            "{why}\nIn its place, transferred from: EfficientNet-Lite0 trained on ImageNet, {origin}"
        ));
        let network = EfficientNetLite0::load(&path, &device)?;
        return Ok(Pretrained {
            architecture: Architecture::EfficientNetLite0,
            network: Backbone::EfficientNet(network),
        });
    }
    if options.require_real {
        return Err(Error::Data(why));
    }
    run.say(format!(
        "{why}\nIn its place, transferred from: ResNet-20 trained on CIFAR-10, now; it sees photos at 32x32"
    ));
    let mut data = cifar10(&options)?;
    let sizes = [run.pick(64, 10_000, 50_000), run.pick(64, 1000, 10_000)];
    let [train, test] = sizes.map(|size| run.limited(size));
    (data.train, data.test) = (data.train.take(train), data.test.take(test));
    (data.source.train, data.source.test) = (data.train.len(), data.test.len());
    run.uses(data.source.clone());
    let network = PhotoClassifier::for_cifar(data.train.classes(), &device);
    let recipe = Recipe::adamw(run.pick(32, 64, 128), run.pick(1, 4, 30));
    let model = Classifier::new(network);
    let fitted = run.fit("pretrained on CIFAR-10", model, &data, &recipe)?;
    Ok(Pretrained {
        architecture: Architecture::ResNet20,
        network: fitted.model.network.backbone,
    })
}
