//! The plain network of the chapter, with either pooling (sections 14.1 and 14.1.2). Images come in as [B, 3, 24, 24].

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch06_design::layers::ConvNorm;
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::nn::{Linear, LinearConfig};
use common::train::Network;

use crate::blur::{Filter, MaxPool2dAa};

/// Rows and columns that a network sees of a photo.
pub const SIDE: usize = 24;
/// Kinds of things on the photos.
pub const CLASSES: usize = 10;
/// Filters of a layer; the residual networks have as many in their first stage.
pub const FILTERS: usize = 16;

/// What halves height and width.
#[derive(Module, Debug)]
pub enum Pool {
    /// The largest of each 2x2 window.
    Max(MaxPool2d),
    /// The same without aliasing.
    AntiAliased(MaxPool2dAa),
}

impl Pool {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Max(pool) => pool.forward(x),
            Self::AntiAliased(pool) => pool.forward(x),
        }
    }
}

/// Three times two layers of 3x3 convolution, batch norm and rectifier with 16 filters, pooling between them, and a linear layer: 18,010
/// parameters, whatever the pooling.
#[derive(Module, Debug)]
pub struct Cnn {
    stages: Vec<Vec<ConvNorm>>,
    pool: Pool,
    output: Linear,
}

impl Cnn {
    /// With max pooling: 14.2.
    pub fn regular(device: &Device) -> Self {
        let pool = MaxPool2dConfig::new([2, 2]).init();
        Self::new(Pool::Max(pool), device)
    }

    /// With [`MaxPool2dAa`]: 14.5.
    pub fn anti_aliased(filter: Filter, device: &Device) -> Self {
        Self::new(Pool::AntiAliased(MaxPool2dAa::new(2, filter)), device)
    }

    fn new(pool: Pool, device: &Device) -> Self {
        let layer = |inputs| ConvNorm::new([inputs, FILTERS], 3, 0.0, device);
        let stage = |inputs| vec![layer(inputs), layer(FILTERS)];
        let pixels = SIDE / 4 * (SIDE / 4);
        Self {
            stages: [3, FILTERS, FILTERS].map(stage).into(),
            pool,
            output: LinearConfig::new(FILTERS * pixels, CLASSES).init(device),
        }
    }
}

impl Network for Cnn {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        for (i, stage) in self.stages.iter().enumerate() {
            if i > 0 {
                x = self.pool.forward(x);
            }
            x = stage.iter().fold(x, |x, layer| layer.forward(x)); // [B, 16, 24, 24]; 12, 12; 6, 6
        }
        self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
    }
}
