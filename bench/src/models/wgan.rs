//! The convolutional WGAN-GP of 9.5: one step of the discriminator and one of the generator.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ch09_gan::adversaries::Adversaries;
use ch09_gan::convolutional::{ConvDiscriminator, ConvGenerator};
use ch09_gan::losses::CriticBatch;
use ch09_gan::players::Generator;
use common::Result;

use crate::exchange::{Tensors, load};
use crate::workload::{Options, Training, trainable};

/// Weight of the gradient penalty.
const PENALTY: f64 = 10.0;

/// Both networks, as the twin's file has them.
#[derive(Module, Debug)]
struct Gan {
    generator: ConvGenerator,
    discriminator: ConvDiscriminator,
}

/// Pictures, noise for each of the two steps, and where between real and fake the penalty is taken.
struct Batch {
    real: Tensor<2>,
    noise_d: Tensor<2>,
    noise_g: Tensor<2>,
    between: Tensor<2>,
}

/// The GAN with its two optimizers.
pub struct Wgan {
    /// Empty only while a step runs.
    players: Option<Adversaries<ConvGenerator, ConvDiscriminator>>,
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
        let autodiff = device.clone().autodiff();
        let fresh = Gan {
            generator: ConvGenerator::new(&autodiff),
            discriminator: ConvDiscriminator::new(&autodiff),
        };
        let networks = load(fresh, &folder.join("weights.safetensors"))?;
        let tensors = Tensors::read(&folder.join("batches.safetensors"))?;
        let pictures = |name: String| {
            let x: Tensor<4> = tensors.float(&name, &device)?;
            Ok(x.flatten(1, 3))
        };
        let batch = |index: usize| {
            Ok(Batch {
                real: pictures(format!("x.{index}"))?,
                noise_d: tensors.float(&format!("noise_d.{index}"), &device)?,
                noise_g: tensors.float(&format!("noise_g.{index}"), &device)?,
                between: pictures(format!("between.{index}"))?,
            })
        };
        let batches: Result<Vec<Batch>> = tensors.numbers("x").map(batch).collect();
        Ok(Self {
            players: Some(Adversaries::new(networks.generator, networks.discriminator)),
            rate: 1e-4 * options.rate_factor,
            batches: batches?,
        })
    }
}

impl Training for Wgan {
    fn step(&mut self, index: usize) -> f32 {
        let Some(players) = self.players.take() else {
            return f32::NAN;
        };
        let batch = &self.batches[index % self.batches.len()];
        let of_d = CriticBatch {
            real: batch.real.clone(),
            fake: players
                .generator
                .valid()
                .generate(batch.noise_d.clone(), None),
            part: batch.between.clone(),
            classes: None,
        };
        let (players, d) = players.critic_step(self.rate, PENALTY, of_d);
        let (players, g) = players.generator_step(self.rate, batch.noise_g.clone(), None);
        self.players = Some(players);
        d.value + g
    }

    fn forward(&self, index: usize) {
        if let Some(players) = &self.players {
            let noise = self.batches[index % self.batches.len()].noise_g.clone();
            std::hint::black_box(players.generator.valid().generate(noise, None));
        }
    }

    fn parameters(&self) -> usize {
        let of = |players: &Adversaries<_, _>| {
            trainable(&players.generator) + trainable(&players.discriminator)
        };
        self.players.as_ref().map_or(0, of)
    }
}
