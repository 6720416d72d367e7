//! The plain networks, to which everything else is compared (sections 6.1, 6.2 and 6.4). Images come in as [B, 1, 28, 28].

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::nn::conv::Conv2d;
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{Linear, LinearConfig};
use common::train::Network;

use crate::layers::{Hidden, Style, conv};
use crate::mixing::InfoShare;

/// Rows and columns of a garment.
pub const SIDE: usize = 28;
/// Pixels of a garment.
pub const PIXELS: usize = SIDE * SIDE;
/// Kinds of garment.
pub const CLASSES: usize = 10;
/// Neurons of a fully connected layer.
pub const NEURONS: usize = 256;
/// Filters of the first convolutions; the second stage has twice as many, the third four times.
pub const FILTERS: usize = 32;

/// The largest of each 2x2 window.
pub(crate) fn halve() -> MaxPool2d {
    MaxPool2dConfig::new([2, 2]).init()
}

/// The last layer of all convolutional networks: [B, 128, 7, 7] to a score for each class.
pub(crate) fn scores(device: &Device) -> Linear {
    LinearConfig::new(4 * FILTERS * PIXELS / 16, CLASSES).init(device)
}

/// A linear layer and what follows it.
#[derive(Module, Debug)]
struct LinearHidden {
    linear: Linear,
    hidden: Hidden<1>,
}

/// A fully connected network: 784 -> six times 256 -> 10.
///
/// 532,490 parameters; 535,562 with batch norm or layer norm.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<LinearHidden>,
    output: Linear,
}

impl Mlp {
    /// A fresh network.
    pub fn new(style: Style, device: &Device) -> Self {
        let layer = |i| LinearHidden {
            linear: LinearConfig::new(if i == 0 { PIXELS } else { NEURONS }, NEURONS).init(device),
            hidden: Hidden::new(style, [NEURONS], device),
        };
        Self {
            layers: (0..6).map(layer).collect(),
            output: LinearConfig::new(NEURONS, CLASSES).init(device),
        }
    }
}

impl Network for Mlp {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images.flatten::<2>(1, 3); // [B, 784]
        for layer in &self.layers {
            x = layer.hidden.forward(layer.linear.forward(x)); // [B, 256]
        }
        self.output.forward(x) // [B, 10]
    }
}

/// A 3x3 convolution and what follows it.
#[derive(Module, Debug)]
struct ConvHidden {
    conv: Conv2d,
    hidden: Hidden<3>,
    share: Option<InfoShare>,
}

/// A convolutional network: three convolutions with 32 filters, pooling, three with 64, pooling, two with 128, a linear layer.
///
/// 395,338 parameters; 396,426 with batch norm, 646,218 with layer norm, 418,602 with batch norm and 1x1 convolutions.
#[derive(Module, Debug)]
pub struct Cnn {
    stages: Vec<Vec<ConvHidden>>,
    pool: MaxPool2d,
    output: Linear,
}

impl Cnn {
    /// A fresh network.
    pub fn new(style: Style, device: &Device) -> Self {
        Self::build(style, false, device)
    }

    /// With batch norm, and an [`InfoShare`] after the second convolution of each stage (6.8).
    pub fn sharing(device: &Device) -> Self {
        Self::build(Style::BatchNorm, true, device)
    }

    fn build(style: Style, share: bool, device: &Device) -> Self {
        let stage = |(stage, depth): (usize, usize)| {
            let (filters, side) = (FILTERS << stage, SIDE >> stage);
            let layer = |i| {
                let inputs = match (stage, i) {
                    (0, 0) => 1,
                    (_, 0) => filters / 2,
                    _ => filters,
                };
                ConvHidden {
                    conv: conv([inputs, filters], 3, device),
                    hidden: Hidden::new(style, [filters, side, side], device),
                    share: (share && i == 1).then(|| InfoShare::new(filters, device)),
                }
            };
            (0..depth).map(layer).collect()
        };
        Self {
            stages: [3, 3, 2].into_iter().enumerate().map(stage).collect(),
            pool: halve(),
            output: scores(device),
        }
    }
}

impl Network for Cnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        for (stage, layers) in self.stages.iter().enumerate() {
            if stage > 0 {
                x = self.pool.forward(x);
            }
            for layer in layers {
                x = layer.hidden.forward(layer.conv.forward(x)); // [B, 32, 28, 28]; 64, 14, 14; 128, 7, 7
                if let Some(share) = &layer.share {
                    x = share.forward(x);
                }
            }
        }
        self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
    }
}
