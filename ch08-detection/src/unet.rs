//! The U-Net: fine and coarse detail together (section 8.3; Ronneberger et al. 2015).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch06_design::layers::{ConvNorm, conv};
use common::nn::conv::{Conv2d, ConvTranspose2d};
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};

use crate::networks::{SegmentationNetwork, cnn_layer, double};

/// A level of a U-Net: layers, then another network on the picture of half the size, whose enlarged output is laid beside what went in,
/// then layers over both.
///
/// ```text
/// a = layers(x)
/// c = concat(a, enlarge(sub(pool(a))))        without a sub-network: c = a
/// output = conv_1x1(layers(c))                without `out`: layers(c)
/// ```
///
/// What pooling loses, where exactly an edge is, comes around it through `a`.
#[derive(Module, Debug)]
pub struct UNetBlock2d {
    into: Vec<ConvNorm>,
    /// The network on half the size, if there is one: a list, since a block can't contain itself.
    sub: Vec<UNetBlock2d>,
    enlarge: Option<ConvTranspose2d>,
    out_of: Vec<ConvNorm>,
    narrow: Option<Conv2d>,
    pool: MaxPool2d,
}

impl UNetBlock2d {
    /// From `inputs` channels to `mid`, or to `out` if that is given, with this many layers before and after `sub`, which takes and
    /// returns `mid` channels.
    pub fn new(
        inputs: usize,
        mid: usize,
        out: Option<usize>,
        layers: usize,
        sub: Option<UNetBlock2d>,
        device: &Device,
    ) -> Self {
        let side = |first: usize| {
            let layer = |i| cnn_layer([if i == 0 { first } else { mid }, mid], device);
            (0..layers.max(1)).map(layer).collect()
        };
        Self {
            into: side(inputs),
            enlarge: sub.is_some().then(|| double([mid, mid], device)),
            out_of: side(if sub.is_some() { 2 * mid } else { mid }),
            sub: sub.into_iter().collect(),
            narrow: out.map(|out| conv([mid, out], 1, device)),
            pool: MaxPool2dConfig::new([2, 2]).init(),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs, height, width]`, height and width divisible by two for each level below this one
    /// - output: `[batch, out, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let through = |layers: &[ConvNorm], x| layers.iter().fold(x, |x, layer| layer.forward(x));
        let mut x = through(&self.into, x); // [B, mid, H, W]
        if let (Some(sub), Some(enlarge)) = (self.sub.first(), &self.enlarge) {
            let coarse = sub.forward(self.pool.forward(x.clone())); // [B, mid, H/2, W/2]
            x = Tensor::cat(vec![x, enlarge.forward(coarse)], 1); // [B, 2 mid, H, W]
        }
        x = through(&self.out_of, x); // [B, mid, H, W]
        match &self.narrow {
            Some(narrow) => narrow.forward(x), // [B, out, H, W]
            None => x,
        }
    }
}

/// Three levels with 32, 64 and 128 channels, two layers on each side (8.3): 779,201 parameters.
#[derive(Module, Debug)]
pub struct UNet {
    levels: UNetBlock2d,
    output: Conv2d,
}

impl UNet {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let deepest = UNetBlock2d::new(64, 128, Some(64), 2, None, device);
        let middle = UNetBlock2d::new(32, 64, Some(32), 2, Some(deepest), device);
        Self {
            levels: UNetBlock2d::new(3, 32, None, 2, Some(middle), device),
            output: conv([32, 1], 3, device),
        }
    }
}

impl SegmentationNetwork for UNet {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.output.forward(self.levels.forward(images)) // [B, 1, H, W]
    }

    fn multiple(&self) -> usize {
        4 // halved twice
    }
}
