//! Residual networks as torchvision has them (section 13.1; He et al. 2016): ResNet-18, and the small ones for CIFAR-10.

use std::path::Path;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use common::Result;
use common::kernels::{global_avg_pool, relu};
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use common::train::{Network, StateDict};

/// How wide and deep a residual network is.
#[derive(Clone, Debug, PartialEq)]
pub struct ResNetConfig {
    /// Channels of the first stage; each further stage has twice as many.
    pub width: usize,
    /// Blocks of each stage.
    pub blocks: Vec<usize>,
    /// Whether it is for small pictures: a first convolution of 3x3 that keeps the size, no pooling, and shortcuts without weights.
    pub small: bool,
    /// Outputs.
    pub classes: usize,
}

impl ResNetConfig {
    /// torchvision's `resnet18`: 11,689,512 parameters with 1,000 classes, 11,177,538 with 2.
    pub fn resnet18(classes: usize) -> Self {
        Self {
            width: 64,
            blocks: vec![2; 4],
            small: false,
            classes,
        }
    }

    /// The network of 20 layers for CIFAR-10 (section 4.2 of He et al.): 269,722 parameters with 10 classes.
    pub fn resnet20(classes: usize) -> Self {
        Self {
            width: 16,
            blocks: vec![3; 3],
            small: true,
            classes,
        }
    }

    /// A fresh network.
    pub fn init(&self, device: &Device) -> ResNet {
        let Self { width, small, .. } = *self;
        let stage = |(i, count): (usize, &usize)| {
            let outputs = width << i;
            let block = |b: usize| {
                let first = b == 0 && i > 0;
                let inputs = if first { outputs / 2 } else { outputs };
                BasicBlock::new(inputs, outputs, if first { 2 } else { 1 }, small, device)
            };
            (0..*count).map(block).collect()
        };
        let (window, stride) = if small { (3, 1) } else { (7, 2) };
        let pool = MaxPool2dConfig::new([3, 3])
            .with_strides([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        let last = width << self.blocks.len().saturating_sub(1);
        ResNet {
            conv1: conv([3, width], window, stride, device),
            bn1: norm(width, device),
            pool: (!small).then(|| pool.init()),
            stages: self.blocks.iter().enumerate().map(stage).collect(),
            fc: LinearConfig::new(last, self.classes).init(device),
        }
    }

    /// A network with the weights of torchvision's file (see [`StateDict::load`]), or of one of the same names.
    ///
    /// # Errors
    /// As [`StateDict::load`].
    pub fn load(&self, path: &Path, device: &Device) -> Result<ResNet> {
        let mut network = self.init(device);
        let weights = StateDict {
            network: "a residual network with torchvision's names",
            address: common::data::RESNET18,
            key: self.small.then_some("state_dict"),
            renamed: &RENAMED,
        };
        weights.load(&mut network, path)?;
        Ok(network)
    }
}

/// torchvision's names of weights and, below, those of the authors of ResNet-20's file; and ours.
const RENAMED: [(&str, &str); 8] = [
    (r"^module\.", ""),
    (r"^layer1\.", "stages.0."),
    (r"^layer2\.", "stages.1."),
    (r"^layer3\.", "stages.2."),
    (r"^layer4\.", "stages.3."),
    (r"\.downsample\.0\.", ".downsample.conv."),
    (r"\.downsample\.1\.", ".downsample.norm."),
    (r"^linear\.", "fc."),
];

fn conv([inputs, outputs]: [usize; 2], window: usize, stride: usize, device: &Device) -> Conv2d {
    let p = window / 2;
    Conv2dConfig::new([inputs, outputs], [window, window])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .with_bias(false)
        .init(device)
}

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

/// `BN(conv_1x1(x))`, where a block changes the channels or the size.
#[derive(Module, Debug)]
struct Downsample {
    conv: Conv2d,
    norm: BatchNorm,
}

/// `relu(S(x) + F(x))`, F two 3x3 convolutions, each with batch norm, and a ReLU between them.
#[derive(Module, Debug)]
struct BasicBlock {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Option<Downsample>,
    stride: usize,
}

impl BasicBlock {
    fn new(inputs: usize, outputs: usize, stride: usize, small: bool, device: &Device) -> Self {
        let changes = stride > 1 || inputs != outputs;
        Self {
            conv1: conv([inputs, outputs], 3, stride, device),
            bn1: norm(outputs, device),
            conv2: conv([outputs, outputs], 3, 1, device),
            bn2: norm(outputs, device),
            downsample: (changes && !small).then(|| Downsample {
                conv: conv_1x1([inputs, outputs], stride, device),
                norm: norm(outputs, device),
            }),
            stride,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let f = self.conv1.forward(x.clone()); // [B, outputs, H / stride, W / stride]
        let f = self.conv2.forward(self.bn1.forward_leaky_relu(f, 0.0));
        let s = match &self.downsample {
            Some(down) => down.norm.forward(down.conv.forward(x)),
            None => shortcut(x, self.stride, f.dims()[1]),
        };
        relu(s + self.bn2.forward(f))
    }
}

fn conv_1x1(channels: [usize; 2], stride: usize, device: &Device) -> Conv2d {
    conv(channels, 1, stride, device)
}

/// A shortcut without weights: every `stride`-th pixel, and channels of zeros before and after (He et al.'s option A).
fn shortcut(x: Tensor<4>, stride: usize, outputs: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    if stride == 1 && channels == outputs {
        return x;
    }
    let device = x.device();
    let x = x.slice([
        burn::tensor::s![..],
        burn::tensor::s![..],
        burn::tensor::s![0..height;stride as isize],
        burn::tensor::s![0..width;stride as isize],
    ]);
    let [_, _, height, width] = x.dims();
    let before = (outputs - channels) / 2;
    let zeros = |n: usize| Tensor::zeros([batch, n, height, width], &device);
    Tensor::cat(
        vec![zeros(before), x, zeros(outputs - channels - before)],
        1,
    )
}

/// A residual network that classifies pictures.
#[derive(Module, Debug)]
pub struct ResNet {
    /// The first convolution, whose filters 13.2 looks at.
    pub conv1: Conv2d,
    bn1: BatchNorm,
    pool: Option<MaxPool2d>,
    stages: Vec<Vec<BasicBlock>>,
    /// The last layer, which a transfer replaces.
    pub fc: Linear,
}

impl ResNet {
    /// What the last layer sees: the mean of each feature map.
    ///
    /// # Shapes
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, features]`
    pub fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.bn1.forward_leaky_relu(self.conv1.forward(images), 0.0); // [B, width, H/2, W/2]
        let x = match &self.pool {
            Some(pool) => pool.forward(x), // [B, width, H/4, W/4]
            None => x,
        };
        let blocks = self.stages.iter().flatten();
        let x = blocks.fold(x, |x, block| block.forward(x)); // [B, 8 width, H/32, W/32]
        global_avg_pool(x)
    }
}

impl Network for ResNet {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.fc.forward(self.features(images)) // [B, classes]
    }
}
