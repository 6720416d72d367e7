//! A classifier of photos made of another network: its input is normalised as that network expects it, and its last layer is replaced.

use burn::module::Module;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};
use common::kernels::avg_pool2d;
use common::nn::{Linear, LinearConfig};
use common::train::Network;

use crate::efficientnet::EfficientNetLite0;
use crate::resnet::{ResNet, ResNetConfig};

/// `(x - mean) / deviation` of each channel; does not learn.
#[derive(Module, Debug)]
pub struct NormalizeInput {
    #[module(skip)]
    mean: Vec<f32>,
    #[module(skip)]
    deviation: Vec<f32>,
}

impl NormalizeInput {
    /// A mean and a deviation for each channel.
    pub fn new(mean: &[f32], deviation: &[f32]) -> Self {
        Self {
            mean: mean.to_vec(),
            deviation: deviation.to_vec(),
        }
    }

    /// What torchvision's networks expect: mean and deviation of ImageNet's photos, of values in \[0, 1\].
    pub fn imagenet() -> Self {
        Self::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225])
    }

    /// Normalises images [batch, channels, height, width].
    ///
    /// # Panics
    /// If the images have another number of channels.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let device = images.device();
        let channel = |values: &[f32]| {
            Tensor::<1>::from_floats(values, &device).reshape([1, values.len(), 1, 1])
        };
        (images - channel(&self.mean)) / channel(&self.deviation)
    }
}

/// The networks that knowledge is transferred from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// torchvision's ResNet-18, the book's choice.
    ResNet18,
    /// EfficientNet-Lite0.
    EfficientNetLite0,
    /// The ResNet of 20 layers for pictures of 32x32.
    ResNet20,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ResNet18, Self::EfficientNetLite0, Self::ResNet20];

    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "ResNet-18",
            Self::EfficientNetLite0 => "EfficientNet-Lite0",
            Self::ResNet20 => "ResNet-20",
        }
    }

    /// A fresh network with this many outputs.
    pub fn init(self, classes: usize, device: &Device) -> Backbone {
        match self {
            Self::ResNet18 => Backbone::ResNet(ResNetConfig::resnet18(classes).init(device)),
            Self::ResNet20 => Backbone::ResNet(ResNetConfig::resnet20(classes).init(device)),
            Self::EfficientNetLite0 => {
                Backbone::EfficientNet(EfficientNetLite0::new(classes, device))
            }
        }
    }

    /// A photo's pixels as the network was trained on them.
    fn normalize(self) -> NormalizeInput {
        match self {
            Self::EfficientNetLite0 => {
                NormalizeInput::new(&[127.0 / 255.0; 3], &[128.0 / 255.0; 3])
            }
            Self::ResNet18 | Self::ResNet20 => NormalizeInput::imagenet(),
        }
    }

    /// How many times smaller the network sees a photo of 128x128.
    fn shrink(self) -> usize {
        match self {
            Self::ResNet20 => 4,
            Self::ResNet18 | Self::EfficientNetLite0 => 1,
        }
    }
}

/// A network with a last layer that can be replaced.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there are few of them
pub enum Backbone {
    /// ResNet-18 or ResNet-20.
    ResNet(ResNet),
    /// EfficientNet-Lite0.
    EfficientNet(EfficientNetLite0),
}

impl Backbone {
    /// What the last layer sees: [batch, 3, height, width] to [batch, features].
    pub fn features(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::ResNet(network) => network.features(images),
            Self::EfficientNet(network) => network.features(images),
        }
    }

    /// The last layer.
    pub fn head(&self) -> &Linear {
        match self {
            Self::ResNet(network) => &network.fc,
            Self::EfficientNet(network) => &network.fc,
        }
    }

    /// The network with another last layer.
    pub fn with_head(mut self, head: Linear) -> Self {
        match &mut self {
            Self::ResNet(network) => network.fc = head,
            Self::EfficientNet(network) => network.fc = head,
        }
        self
    }

    /// The filters of the first layer, [filters, 3, rows, columns].
    pub fn first_filters(&self) -> Tensor<4> {
        match self {
            Self::ResNet(network) => network.conv1.weight.val(),
            Self::EfficientNet(network) => network.first_filters(),
        }
    }
}

/// What of a transferred network stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// Nothing: a warm start.
    Nothing,
    /// All but the new last layer; batch norms use the statistics they came with.
    Features,
    /// All weights but those of the new last layer, while batch norms normalise by the batch and go on with their running statistics,
    /// as in the book's code.
    WeightsOnly,
}

/// A network for photos of 128x128 in \[0, 1\].
#[derive(Module, Debug)]
pub struct PhotoClassifier {
    normalize: Option<NormalizeInput>,
    shrink: usize,
    /// The network.
    pub backbone: Backbone,
}

impl PhotoClassifier {
    /// A fresh network that sees photos as they are, as in 13.1.
    pub fn scratch(architecture: Architecture, classes: usize, device: &Device) -> Self {
        Self {
            normalize: None,
            shrink: architecture.shrink(),
            backbone: architecture.init(classes, device),
        }
    }

    /// A fresh ResNet-20 that sees pictures of 32x32 as they are, normalised.
    pub fn for_cifar(classes: usize, device: &Device) -> Self {
        Self {
            normalize: Some(Architecture::ResNet20.normalize()),
            shrink: 1,
            backbone: Architecture::ResNet20.init(classes, device),
        }
    }

    /// A trained network with a new last layer for this many classes.
    pub fn transferred(
        architecture: Architecture,
        trained: Backbone,
        classes: usize,
        frozen: Frozen,
        device: &Device,
    ) -> Self {
        let [features, _] = trained.head().weight.dims();
        let trained = match frozen {
            Frozen::Nothing => trained,
            Frozen::Features => trained.freeze(),
            Frozen::WeightsOnly => trained.no_grad(),
        };
        let head = LinearConfig::new(features, classes).init(device);
        Self {
            normalize: Some(architecture.normalize()),
            shrink: architecture.shrink(),
            backbone: trained.with_head(head),
        }
    }

    /// What the last layer sees.
    ///
    /// # Shapes
    /// - `photos`: `[batch, 3, 128, 128]` in \[0, 1\]
    /// - output: `[batch, features]`
    pub fn features(&self, photos: Tensor<4>) -> Tensor<2> {
        let x = match &self.normalize {
            Some(normalize) => normalize.forward(photos),
            None => photos,
        };
        let x = match self.shrink {
            1 => x,
            n => avg_pool2d(x, AvgPoolOptions::new([n, n])), // [B, 3, 128 / n, 128 / n]
        };
        self.backbone.features(x)
    }
}

impl Network for PhotoClassifier {
    type Input = Tensor<4>;

    fn forward(&self, photos: Tensor<4>) -> Tensor<2> {
        self.backbone.head().forward(self.features(photos)) // [B, classes]
    }
}

/// The last layer alone, for features that have been computed before.
#[derive(Module, Debug)]
pub struct Head {
    /// The layer.
    pub fc: Linear,
}

impl Network for Head {
    type Input = Tensor<2>;

    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.fc.forward(features) // [B, classes]
    }
}
