//! The generator of a progressive GAN (section 9.6; Karras et al. 2018), with weights that others have trained.
//!
//! Its layers are those of the published network: weights of deviation 1, multiplied when they are used by what the usual initialisation
//! would give them; each pixel's channels brought to the length of their number; pictures doubled by repeating pixels.

use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleSnapshot, PytorchStore};
use burn::tensor::{Device, Tensor};
use common::kernels::leaky_relu;
use common::nn::conv::Conv2d;
use common::nn::{Linear, LinearConfig};
use common::{Error, Result};

use crate::layers::{SLOPE, conv};
use crate::players::Generator;

/// Channels of the published generator of faces at 4 x 4 to 512 x 512 pixels.
pub const FACES: [usize; 8] = [512, 512, 512, 512, 256, 128, 64, 32];
/// Values of noise for a face.
pub const FACE_NOISE: usize = 512;
/// The published weights of the book's generator (PyTorch Hub, `celebAHQ-512`).
pub const WEIGHTS: &str = "celebaHQ16_december_s7_i96000-9c72988c.pth";

/// `x / sqrt(mean of squares over the channels + 1e-8)`, for each pixel.
pub fn pixel_norm<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let squares = x.clone().square().mean_dim(1);
    x / (squares + 1e-8).sqrt()
}

/// Each pixel four times: [B, C, H, W] to [B, C, 2 H, 2 W].
pub fn double(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let x = x.reshape([batch * channels, height, 1, width, 1]);
    let x = x.expand([batch * channels, height, 2, width, 2]);
    x.reshape([batch, channels, 2 * height, 2 * width])
}

/// `sqrt(2 / fan in)`, with which the output of a layer is multiplied, its bias included.
fn scale(fan_in: usize) -> f64 {
    (2.0 / fan_in.max(1) as f64).sqrt()
}

fn equalised(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let [_, channels, height, width] = layer.weight.dims();
    layer.forward(x) * scale(channels * height * width)
}

/// `norm(act(conv(x)))`
fn block(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    pixel_norm(leaky_relu(equalised(layer, x), SLOPE))
}

/// Noise to a picture of 3 colours, from -1 to 1.
#[derive(Module, Debug)]
pub struct ProgressiveGenerator {
    format: Linear,
    first: Conv2d,
    scales: Vec<Vec<Conv2d>>,
    to_rgb: Conv2d,
    noise: usize,
}

impl ProgressiveGenerator {
    /// From `noise` values, with these channels at 4 x 4, 8 x 8 and so on. At least one number of channels is needed; none counts as 1.
    pub fn new(noise: usize, channels: &[usize], device: &Device) -> Self {
        let start = channels.first().copied().unwrap_or(1);
        let last = channels.last().copied().unwrap_or(1);
        let grow = |pair: &[usize]| {
            let [from, to] = [pair[0], pair[1]];
            vec![conv([from, to], 3, device), conv([to, to], 3, device)]
        };
        Self {
            format: LinearConfig::new(noise, 16 * start).init(device),
            first: conv([start, start], 3, device),
            scales: channels.windows(2).map(grow).collect(),
            to_rgb: conv([last, 3], 1, device),
            noise,
        }
    }

    /// Reads the published weights, those of the mean of many iterations.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] when it holds another network.
    pub fn load(mut self, path: &Path) -> Result<Self> {
        // A file that is not there is told from one that is damaged.
        std::fs::metadata(path).map_err(Error::io(path))?;
        let last = self.scales.len();
        let mut store = PytorchStore::from_file(path)
            .with_top_level_key("avgG")
            .map_indices_contiguous(false)
            .with_key_remapping(r"\.module\.", ".")
            .with_key_remapping(r"^formatLayer\.", "format.")
            .with_key_remapping(r"^groupScale0\.0\.", "first.")
            .with_key_remapping(r"^scaleLayers\.", "scales.")
            .with_key_remapping(format!(r"^toRGBLayers\.{last}\."), "to_rgb.");
        let read = self.load_from(&mut store);
        read.map_err(|error| {
            Error::Data(format!(
                "{}: not the weights of this generator ({error})",
                path.display()
            ))
        })?;
        Ok(self)
    }

    /// Pixels of a side.
    pub fn side(&self) -> usize {
        4 << self.scales.len()
    }
}

impl Generator for ProgressiveGenerator {
    fn noise_size(&self) -> usize {
        self.noise
    }

    /// A row is a picture [3, side, side], from -1 to 1.
    fn generate(&self, z: Tensor<2>, _classes: Option<&[u8]>) -> Tensor<2> {
        let [batch, noise] = z.dims();
        let x = self.format.forward(pixel_norm(z)) * scale(noise); // [B, 16 C]
        let [_, values] = x.dims();
        let x = leaky_relu(x, SLOPE).reshape([batch, values / 16, 4, 4]); // [B, C, 4, 4]
        let mut x = block(&self.first, pixel_norm(x));
        for pair in &self.scales {
            x = pair.iter().fold(double(x), |x, layer| block(layer, x)); // twice the side
        }
        equalised(&self.to_rgb, x).flatten(1, 3) // [B, 3 side^2]
    }
}
