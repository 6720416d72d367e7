//! The U-Net of 8.3.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::Result;
use common::kernels::binary_cross_entropy_with_logits;
use common::nn::conv::{Conv2d, ConvTranspose2d, ConvTranspose2dConfig};
use common::nn::pool::MaxPool2d;

use super::blocks::{ConvNorm, conv, halve};
use crate::exchange::Tensors;
use crate::workload::Workload;

/// Two convolutions, room for the next level on the halved image, two convolutions over both.
#[derive(Module, Debug)]
struct Level {
    down: Vec<ConvNorm>,
    /// None in the deepest level.
    grow: Option<ConvTranspose2d>,
    up: Vec<ConvNorm>,
    narrow: Option<Conv2d>,
}

impl Level {
    fn new(
        inputs: usize,
        mid: usize,
        outputs: Option<usize>,
        deepest: bool,
        device: &Device,
    ) -> Self {
        let layer = |inputs| ConvNorm::new([inputs, mid], 0.01, device);
        let grow = ConvTranspose2dConfig::new([mid, mid], [3, 3])
            .with_stride([2, 2])
            .with_padding([1, 1])
            .with_padding_out([1, 1]);
        Self {
            down: vec![layer(inputs), layer(mid)],
            grow: (!deepest).then(|| grow.init(device)),
            up: vec![layer(if deepest { mid } else { 2 * mid }), layer(mid)],
            narrow: outputs.map(|outputs| conv([mid, outputs], 1, 1, true, device)),
        }
    }
}

/// Three levels with 32, 64 and 128 channels: 779,201 parameters (section 8.3).
#[derive(Module, Debug)]
pub struct UNet {
    levels: Vec<Level>,
    pool: MaxPool2d,
    output: Conv2d,
}

impl UNet {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.output.forward(self.through(&self.levels, images)) // [B, 1, H, W]
    }

    /// [B, C, H, W] to [B, C', H, W] through the first of these levels and those below.
    fn through(&self, levels: &[Level], images: Tensor<4>) -> Tensor<4> {
        let layers = |layers: &[ConvNorm], x| layers.iter().fold(x, |x, layer| layer.forward(x));
        let [level, below @ ..] = levels else {
            return images;
        };
        let mut x = layers(&level.down, images); // [B, mid, H, W]
        if let Some(grow) = &level.grow {
            let small = self.through(below, self.pool.forward(x.clone())); // [B, mid, H/2, W/2]
            x = Tensor::cat(vec![x, grow.forward(small)], 1); // [B, 2 mid, H, W]
        }
        x = layers(&level.up, x); // [B, mid, H, W]
        match &level.narrow {
            Some(narrow) => narrow.forward(x),
            None => x,
        }
    }
}

impl Workload for UNet {
    type Batch = (Tensor<4>, Tensor<4>);

    fn fresh(_dropout: bool, device: &Device) -> Self {
        let level =
            |inputs, mid, outputs, deepest| Level::new(inputs, mid, outputs, deepest, device);
        Self {
            levels: vec![
                level(3, 32, None, false),
                level(32, 64, Some(32), false),
                level(64, 128, Some(64), true),
            ],
            pool: halve(),
            output: conv([32, 1], 3, 1, true, device),
        }
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch> {
        let x = tensors.float(&format!("x.{index}"), device)?;
        let y = tensors.float(&format!("y.{index}"), device)?;
        Ok((x, y))
    }

    fn loss(&self, (x, y): &Self::Batch) -> Tensor<1> {
        binary_cross_entropy_with_logits(self.forward(x.clone()), y.clone())
    }

    fn evaluate(&self, (x, _): &Self::Batch) {
        std::hint::black_box(self.forward(x.clone()));
    }
}
