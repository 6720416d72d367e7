//! A residual network with a feature pyramid on top: the backbone of the detector trained on COCO (8.7; He et al. 2016, Lin et al. 2017).

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, module::interpolate};
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{BatchNorm, BatchNormConfig};

use crate::faster_rcnn::Backbone;

/// How much wider a block's output is than its middle.
const EXPANSION: usize = 4;

/// How wide and deep the network is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNetFpnConfig {
    /// Channels of the first layer; the middles of the blocks have 1, 2, 4 and 8 times as many.
    pub width: usize,
    /// Blocks of each of the four stages.
    pub blocks: [usize; 4],
    /// Channels of the pyramid.
    pub channels: usize,
    /// What the batch norms add to the variance.
    pub epsilon: f64,
}

impl ResNetFpnConfig {
    /// ResNet-50. torchvision's COCO weights were trained with batch norms that add nothing to the variance.
    pub fn resnet50() -> Self {
        Self {
            width: 64,
            blocks: [3, 4, 6, 3],
            channels: 256,
            epsilon: 0.0,
        }
    }
}

fn conv(
    [inputs, outputs]: [usize; 2],
    window: usize,
    stride: usize,
    bias: bool,
    device: &Device,
) -> Conv2d {
    let p = window / 2;
    Conv2dConfig::new([inputs, outputs], [window, window])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
        .with_bias(bias)
        .init(device)
}

fn norm(channels: usize, epsilon: f64, device: &Device) -> BatchNorm {
    let mut norm = BatchNormConfig::new(channels).init(device);
    norm.epsilon = epsilon;
    norm
}

/// `BN(conv_1x1(x))`, where a block changes the channels or the size.
#[derive(Module, Debug)]
struct Downsample {
    conv: Conv2d,
    norm: BatchNorm,
}

/// `relu(S(x) + F(x))`, F a 1x1, a 3x3 and a 1x1 convolution, each with batch norm.
#[derive(Module, Debug)]
struct Bottleneck {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Conv2d,
    bn3: BatchNorm,
    downsample: Option<Downsample>,
}

impl Bottleneck {
    fn new(inputs: usize, middle: usize, stride: usize, epsilon: f64, device: &Device) -> Self {
        let outputs = EXPANSION * middle;
        let changes = stride != 1 || inputs != outputs;
        Self {
            conv1: conv([inputs, middle], 1, 1, false, device),
            bn1: norm(middle, epsilon, device),
            conv2: conv([middle, middle], 3, stride, false, device),
            bn2: norm(middle, epsilon, device),
            conv3: conv([middle, outputs], 1, 1, false, device),
            bn3: norm(outputs, epsilon, device),
            downsample: changes.then(|| Downsample {
                conv: conv([inputs, outputs], 1, stride, false, device),
                norm: norm(outputs, epsilon, device),
            }),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let relu = |norm: &BatchNorm, x| norm.forward_leaky_relu(x, 0.0);
        let f = relu(&self.bn1, self.conv1.forward(x.clone())); // [B, middle, H, W]
        let f = relu(&self.bn2, self.conv2.forward(f)); // [B, middle, H / stride, W / stride]
        let f = self.bn3.forward(self.conv3.forward(f)); // [B, 4 middle, H / stride, W / stride]
        let x = match &self.downsample {
            Some(down) => down.norm.forward(down.conv.forward(x)),
            None => x,
        };
        common::kernels::relu(x + f)
    }
}

/// The residual network without its last layers: feature maps of 1/4, 1/8, 1/16 and 1/32 of the size.
#[derive(Module, Debug)]
struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    layer1: Vec<Bottleneck>,
    layer2: Vec<Bottleneck>,
    layer3: Vec<Bottleneck>,
    layer4: Vec<Bottleneck>,
    pool: MaxPool2d,
}

impl ResNet {
    fn new(config: ResNetFpnConfig, device: &Device) -> Self {
        let (width, epsilon) = (config.width, config.epsilon);
        let stage = |i: usize| {
            let middle = width << i;
            let before = if i == 0 {
                width
            } else {
                EXPANSION * middle / 2
            };
            let block = |b: usize| {
                let inputs = if b == 0 { before } else { EXPANSION * middle };
                let stride = if b == 0 && i > 0 { 2 } else { 1 };
                Bottleneck::new(inputs, middle, stride, epsilon, device)
            };
            (0..config.blocks[i]).map(block).collect()
        };
        Self {
            conv1: conv([3, width], 7, 2, false, device),
            bn1: norm(width, epsilon, device),
            layer1: stage(0),
            layer2: stage(1),
            layer3: stage(2),
            layer4: stage(3),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> [Tensor<4>; 4] {
        let x = self.bn1.forward_leaky_relu(self.conv1.forward(x), 0.0); // [B, width, H/2, W/2]
        let mut x = self.pool.forward(x); // [B, width, H/4, W/4]
        [&self.layer1, &self.layer2, &self.layer3, &self.layer4].map(|stage| {
            x = stage.iter().fold(x.clone(), |x, block| block.forward(x));
            x.clone()
        })
    }
}

/// The pyramid: each feature map as many channels, plus the next coarser one enlarged, then smoothed.
#[derive(Module, Debug)]
struct Fpn {
    inner_blocks: Vec<Conv2d>,
    layer_blocks: Vec<Conv2d>,
    coarsest: MaxPool2d,
}

/// ResNet and pyramid: feature maps of 1/4, 1/8, 1/16, 1/32 of the size, and of 1/64 for the largest anchors.
#[derive(Module, Debug)]
pub struct ResNetFpn {
    body: ResNet,
    fpn: Fpn,
}

impl ResNetFpn {
    /// A fresh network.
    pub fn new(config: ResNetFpnConfig, device: &Device) -> Self {
        let channels = config.channels;
        let inner = |i: usize| {
            let inputs = EXPANSION * (config.width << i);
            conv([inputs, channels], 1, 1, true, device)
        };
        let layer = |_| conv([channels, channels], 3, 1, true, device);
        Self {
            body: ResNet::new(config, device),
            fpn: Fpn {
                inner_blocks: (0..4).map(inner).collect(),
                layer_blocks: (0..4).map(layer).collect(),
                coarsest: MaxPool2dConfig::new([1, 1]).with_strides([2, 2]).init(),
            },
        }
    }
}

impl Backbone for ResNetFpn {
    fn forward(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        let maps = self.body.forward(pictures);
        let Fpn {
            inner_blocks,
            layer_blocks,
            coarsest,
        } = &self.fpn;
        let mut above: Option<Tensor<4>> = None;
        let mut pyramid = Vec::with_capacity(maps.len() + 1);
        let levels = maps.into_iter().zip(inner_blocks).zip(layer_blocks);
        for ((map, inner), layer) in levels.rev() {
            let mut map = inner.forward(map); // [B, channels, h, w]
            if let Some(above) = above {
                let [_, _, height, width] = map.dims();
                let options = InterpolateOptions::new(InterpolateMode::Nearest)
                    .with_output_size([height, width]);
                map = map + interpolate(above, options);
            }
            pyramid.push(layer.forward(map.clone()));
            above = Some(map);
        }
        if let Some(last) = pyramid.first() {
            let coarsest = coarsest.forward(last.clone()); // [B, channels, h/2, w/2]
            pyramid.insert(0, coarsest);
        }
        pyramid.reverse();
        pyramid
    }
}
