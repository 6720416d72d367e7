//! EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excite and with ReLU6): a small network whose ImageNet weights stand in for
//! ResNet-18's where those are not at hand.

use std::path::Path;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::Result;
use common::kernels::global_avg_pool;
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::{Network, StateDict};

/// Blocks, kernel, stride of the first block, expansion, outputs of each stage.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 1, 16],
    [2, 3, 2, 6, 24],
    [2, 5, 2, 6, 40],
    [3, 3, 2, 6, 80],
    [3, 5, 1, 6, 112],
    [4, 5, 2, 6, 192],
    [1, 3, 1, 6, 320],
];
const STEM: usize = 32;
/// Features that the last layer sees.
const FEATURES: usize = 1280;

/// The names of weights in the published file, and ours.
const RENAMED: [(&str, &str); 12] = [
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "top.conv."),
    (r"^_bn1\.", "top.norm."),
    (r"^_fc\.", "fc."),
    (r"^_blocks\.", "blocks."),
    (r"\._expand_conv\.", ".expand.conv."),
    (r"\._bn0\.", ".expand.norm."),
    (r"\._depthwise_conv\.", ".depthwise.conv."),
    (r"\._bn1\.", ".depthwise.norm."),
    (r"\._project_conv\.", ".project.conv."),
    (r"\._bn2\.", ".project.norm."),
];

/// A convolution without bias that keeps the size (divided by the stride and rounded up, the odd zero at the right and below, as
/// TensorFlow pads), and batch norm.
#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    fn new(
        [inputs, outputs]: [usize; 2],
        window: usize,
        stride: usize,
        groups: usize,
        device: &Device,
    ) -> Self {
        let conv = Conv2dConfig::new([inputs, outputs], [window, window])
            .with_stride([stride, stride])
            .with_groups(groups)
            .with_padding(PaddingConfig2d::Same)
            .with_bias(false);
        Self {
            conv: conv.init(device),
            norm: BatchNormConfig::new(outputs)
                .with_epsilon(1e-3)
                .init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }

    /// With ReLU6, `min(max(x, 0), 6)`.
    fn activated(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.norm.forward_leaky_relu(self.conv.forward(x), 0.0);
        x.clamp_max(6.0)
    }
}

/// An inverted residual block (Sandler et al. 2018): more channels by a 1x1 convolution, a convolution of each channel by itself, fewer
/// channels by a 1x1 convolution; added to the input where that has the same shape.
#[derive(Module, Debug)]
struct InvertedResidual {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    skip: bool,
}

impl InvertedResidual {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let f = match &self.expand {
            Some(expand) => expand.activated(x.clone()), // [B, 6 inputs, H, W]
            None => x.clone(),
        };
        let f = self.depthwise.activated(f); // [B, 6 inputs, H / stride, W / stride]
        let f = self.project.forward(f); // [B, outputs, H / stride, W / stride]
        if self.skip { x + f } else { f }
    }
}

/// The network: 4,652,008 parameters with 1,000 classes.
#[derive(Module, Debug)]
pub struct EfficientNetLite0 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    top: ConvNorm,
    /// The last layer, which a transfer replaces.
    pub fc: Linear,
}

impl EfficientNetLite0 {
    /// A fresh network.
    pub fn new(classes: usize, device: &Device) -> Self {
        let mut inputs = STEM;
        let mut blocks = Vec::new();
        for [count, window, first_stride, expansion, outputs] in STAGES {
            for b in 0..count {
                let stride = if b == 0 { first_stride } else { 1 };
                let middle = expansion * inputs;
                let layer = |channels, window, stride, groups| {
                    ConvNorm::new(channels, window, stride, groups, device)
                };
                blocks.push(InvertedResidual {
                    expand: (expansion > 1).then(|| layer([inputs, middle], 1, 1, 1)),
                    depthwise: layer([middle, middle], window, stride, middle),
                    project: layer([middle, outputs], 1, 1, 1),
                    skip: stride == 1 && inputs == outputs,
                });
                inputs = outputs;
            }
        }
        Self {
            stem: ConvNorm::new([3, STEM], 3, 2, 1, device),
            blocks,
            top: ConvNorm::new([inputs, FEATURES], 1, 1, 1, device),
            fc: LinearConfig::new(FEATURES, classes).init(device),
        }
    }

    /// The network with the weights of the published file, trained on ImageNet's 1,000 classes.
    ///
    /// # Errors
    /// As [`StateDict::load`].
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let mut network = Self::new(1000, device);
        let weights = StateDict {
            network: "EfficientNet-Lite0",
            address: common::data::EFFICIENTNET_LITE0,
            key: None,
            renamed: &RENAMED,
        };
        weights.load(&mut network, path)?;
        Ok(network)
    }

    /// What the last layer sees: the mean of each feature map.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, 1280]`
    pub fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.stem.activated(images); // [B, 32, H/2, W/2]
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [B, 320, H/32, W/32]
        global_avg_pool(self.top.activated(x))
    }

    /// The filters of the first layer, [32, 3, 3, 3].
    pub fn first_filters(&self) -> Tensor<4> {
        self.stem.conv.weight.val()
    }
}

impl Network for EfficientNetLite0 {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.fc.forward(self.features(images)) // [B, classes]
    }
}
