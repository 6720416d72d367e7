//! The convolutional WGAN-GP of 9.5: one step of the discriminator and one of the generator.

use std::path::Path;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use common::Result;
use common::kernels::{adaptive_avg_pool2d, leaky_relu, sigmoid};
use common::nn::conv::{Conv2d, ConvTranspose2d, ConvTranspose2dConfig};
use common::nn::pool::{AvgPool2d, AvgPool2dConfig};
use common::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use common::train::Optimizer;

use super::blocks::conv;
use crate::exchange::{Tensors, load};
use crate::workload::{Options, Training, trainable};

/// Weight of the gradient penalty.
const PENALTY: f64 = 10.0;
/// Half the distance over which a derivative along the gradient is taken; a picture's own length is about 16.
const STEP: f64 = 0.02;

fn act<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    leaky_relu(x, 0.2)
}

/// A convolution, leaky ReLU, layer norm.
#[derive(Module, Debug)]
struct Same {
    conv: Conv2d,
    /// Over channels and pixels.
    norm: LayerNorm<3>,
}

impl Same {
    fn new(channels: [usize; 2], window: usize, size: usize, device: &Device) -> Self {
        Self {
            conv: conv(channels, window, 1, true, device),
            norm: LayerNormConfig::over([channels[1], size, size]).init(device),
        }
    }
}

/// A transposed convolution that doubles the size, leaky ReLU, layer norm.
#[derive(Module, Debug)]
struct Grow {
    conv: ConvTranspose2d,
    /// Over channels and pixels.
    norm: LayerNorm<3>,
}

impl Grow {
    fn new(channels: [usize; 2], size: usize, device: &Device) -> Self {
        Self {
            conv: ConvTranspose2dConfig::new(channels, [4, 4])
                .with_stride([2, 2])
                .with_padding([1, 1])
                .init(device),
            norm: LayerNormConfig::over([channels[1], size, size]).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(act(self.conv.forward(x)))
    }
}

fn through(layers: &[Same], x: Tensor<4>) -> Tensor<4> {
    layers
        .iter()
        .fold(x, |x, layer| layer.norm.forward(act(layer.conv.forward(x))))
}

/// Noise [B, 784] to pictures [B, 1, 28, 28]: 156,465 parameters (section 9.4).
#[derive(Module, Debug)]
struct Generator {
    first: Vec<Same>,
    grow_1: Grow,
    second: Vec<Same>,
    grow_2: Grow,
    third: Vec<Same>,
    output: Conv2d,
}

impl Generator {
    fn forward(&self, z: Tensor<2>) -> Tensor<4> {
        let [batch, _] = z.dims();
        let x = through(&self.first, z.reshape([batch, 16, 7, 7])); // [B, 32, 7, 7]
        let x = through(&self.second, self.grow_1.forward(x)); // [B, 16, 14, 14]
        let x = through(&self.third, self.grow_2.forward(x)); // [B, 8, 28, 28]
        sigmoid(self.output.forward(x))
    }
}

/// Pictures [B, 1, 28, 28] to scores [B, 1]: 359,521 parameters (section 9.4).
#[derive(Module, Debug)]
struct Discriminator {
    first: Vec<Same>,
    second: Vec<Same>,
    third: Vec<Same>,
    halve: AvgPool2d,
    hidden: Linear,
    output: Linear,
}

impl Discriminator {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.halve.forward(through(&self.first, x)); // [B, 32, 14, 14]
        let x = self.halve.forward(through(&self.second, x)); // [B, 32, 7, 7]
        let x = adaptive_avg_pool2d(through(&self.third, x), [4, 4]); // [B, 32, 4, 4]
        self.output
            .forward(act(self.hidden.forward(x.flatten::<2>(1, 3))))
    }
}

/// Both networks.
#[derive(Module, Debug)]
struct Gan {
    generator: Generator,
    discriminator: Discriminator,
}

impl Gan {
    fn new(device: &Device) -> Self {
        let same =
            |inputs, outputs, window, size| Same::new([inputs, outputs], window, size, device);
        let generator = Generator {
            first: vec![same(16, 32, 5, 7), same(32, 32, 5, 7), same(32, 32, 5, 7)],
            grow_1: Grow::new([32, 16], 14, device),
            second: vec![same(16, 16, 5, 14), same(16, 16, 5, 14)],
            grow_2: Grow::new([16, 8], 28, device),
            third: vec![same(8, 8, 5, 28), same(8, 8, 5, 28)],
            output: conv([8, 1], 5, 1, true, device),
        };
        let discriminator = Discriminator {
            first: vec![same(1, 32, 5, 28), same(32, 32, 5, 28)],
            second: vec![same(32, 32, 5, 14), same(32, 32, 5, 14)],
            third: vec![same(32, 32, 3, 7), same(32, 32, 3, 7)],
            halve: AvgPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            hidden: LinearConfig::new(512, 256).init(device),
            output: LinearConfig::new(256, 1).init(device),
        };
        Self {
            generator,
            discriminator,
        }
    }
}

/// Pictures, noise for each of the two steps, and where between real and fake the penalty is taken.
struct Batch {
    real: Tensor<4>,
    noise_d: Tensor<2>,
    noise_g: Tensor<2>,
    between: Tensor<4>,
}

/// The GAN with its two optimizers.
pub struct Wgan {
    /// Empty only while a step runs.
    networks: Option<Gan>,
    of_d: ModuleOptimizer,
    of_g: ModuleOptimizer,
    rate: f64,
    /// On the device without automatic differentiation.
    batches: Vec<Batch>,
}

impl Wgan {
    /// Reads `weights.safetensors` and `batches.safetensors` in `folder`.
    ///
    /// # Errors
    /// [`Error::Data`](common::Error::Data) when a file is missing or is not this workload's.
    pub fn read(folder: &Path, options: Options) -> Result<Self> {
        let device = Device::flex();
        let networks = load(
            Gan::new(&device.clone().autodiff()),
            &folder.join("weights.safetensors"),
        )?;
        let tensors = Tensors::read(&folder.join("batches.safetensors"))?;
        let batch = |index: usize| {
            Ok(Batch {
                real: tensors.float(&format!("x.{index}"), &device)?,
                noise_d: tensors.float(&format!("noise_d.{index}"), &device)?,
                noise_g: tensors.float(&format!("noise_g.{index}"), &device)?,
                between: tensors.float(&format!("between.{index}"), &device)?,
            })
        };
        let batches: Result<Vec<Batch>> = tensors.numbers("x").map(batch).collect();
        let adamw = Optimizer::AdamW {
            betas: (0.0, 0.9),
            eps: 1e-8,
            weight_decay: 0.01,
        };
        Ok(Self {
            networks: Some(networks),
            of_d: adamw.init(),
            of_g: adamw.init(),
            rate: 1e-4 * options.rate_factor,
            batches: batches?,
        })
    }

    /// Updates the discriminator: mean D(fake) - mean D(real) + 10 mean (|g| - 1)^2 with g the gradient of D at a place between
    /// the two. No gradient goes to the generator, whose step comes later.
    ///
    /// Burn differentiates once, so g is taken by a backward pass of its own, and with v = g / |g| held fixed the penalty's
    /// gradient is that of mean 20 (|g| - 1) dD(x + t v)/dt, the derivative being a central difference. All scores come from
    /// one pass through D.
    ///
    /// That is not the exact gradient: a leaky ReLU may change its slope between the two places. The check of the twin refuses it.
    fn d_step(&mut self, gan: Gan, batch: &Batch) -> (Gan, f32) {
        let Gan {
            generator,
            discriminator,
        } = gan;
        let fake = generator.valid().forward(batch.noise_d.clone());
        let [size, ..] = fake.dims();
        let part = batch.between.clone();
        let between = part.clone() * batch.real.clone() + (part.neg() + 1.0) * fake.clone();

        let at = Tensor::from_inner(between.clone()).require_grad();
        let scores = discriminator.clone().no_grad().forward(at.clone());
        let slope = at.grad(&scores.sum().backward());
        let slope = slope.unwrap_or_else(|| between.zeros_like()); // [B, 1, 28, 28]
        let length = slope.clone().square().flatten::<2>(1, 3).sum_dim(1).sqrt(); // [B, 1]
        let along = slope * STEP / (length.clone() + 1e-12).reshape([size, 1, 1, 1]);
        let excess = length - 1.0; // [B, 1]
        let penalty = excess.clone().square().mean().into_scalar::<f32>();

        let (ahead, behind) = (between.clone() + along.clone(), between - along);
        let pictures = Tensor::cat(vec![fake, batch.real.clone(), ahead, behind], 0); // [4B, 1, 28, 28]
        let one = excess.ones_like() / size as f64;
        let change = excess * (PENALTY / STEP / size as f64);
        let weights = Tensor::cat(
            vec![one.clone(), one.neg(), change.clone(), change.neg()],
            0,
        );
        let scores = discriminator.forward(Tensor::from_inner(pictures)); // [4B, 1]
        let loss = (scores.clone() * Tensor::from_inner(weights)).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &discriminator);
        let gan = Gan {
            generator,
            discriminator: self.of_d.step(self.rate, discriminator, gradients),
        };
        let mean = |first| {
            scores
                .clone()
                .narrow(0, first, size)
                .mean()
                .into_scalar::<f32>()
        };
        (gan, mean(0) - mean(size) + PENALTY as f32 * penalty)
    }

    /// Updates the generator: -mean D(fake).
    fn g_step(&mut self, gan: Gan, batch: &Batch) -> (Gan, f32) {
        let Gan {
            generator,
            discriminator,
        } = gan;
        let fake = generator.forward(Tensor::from_inner(batch.noise_g.clone()));
        let loss = discriminator.clone().no_grad().forward(fake).mean().neg();
        let gradients = GradientsParams::from_grads(loss.backward(), &generator);
        let gan = Gan {
            generator: self.of_g.step(self.rate, generator, gradients),
            discriminator,
        };
        (gan, loss.into_scalar::<f32>())
    }
}

impl Training for Wgan {
    fn step(&mut self, index: usize) -> f32 {
        let batches = std::mem::take(&mut self.batches);
        let batch = &batches[index % batches.len()];
        let mut loss = f32::NAN;
        if let Some(gan) = self.networks.take() {
            let (gan, d_loss) = self.d_step(gan, batch);
            let (gan, g_loss) = self.g_step(gan, batch);
            self.networks = Some(gan);
            loss = d_loss + g_loss;
        }
        self.batches = batches;
        loss
    }

    fn forward(&self, index: usize) {
        if let Some(gan) = &self.networks {
            let batch = &self.batches[index % self.batches.len()];
            std::hint::black_box(gan.generator.valid().forward(batch.noise_g.clone()));
        }
    }

    fn parameters(&self) -> usize {
        self.networks.as_ref().map_or(0, trainable)
    }
}
