//! The game: two networks, each with its own optimizer, that take turns.

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use common::train::Optimizer;

use crate::losses::{CriticBatch, Loss, critic_loss, cross_entropy, discriminator_loss};
use crate::players::{Discriminator, Generator};

/// The chapter's optimizer: AdamW without a mean of gradients, since those of one player change with each step of the other.
pub const OPTIMIZER: Optimizer = Optimizer::AdamW {
    betas: (0.0, 0.9),
    eps: 1e-8,
    weight_decay: 0.01,
};

/// Both players and their optimizers, on a device with automatic differentiation.
pub struct Adversaries<G, D> {
    /// The generator.
    pub generator: G,
    /// The discriminator.
    pub discriminator: D,
    /// The generator's optimizer.
    pub of_generator: ModuleOptimizer,
    /// The discriminator's optimizer.
    pub of_discriminator: ModuleOptimizer,
}

impl<G: Generator, D: Discriminator> Adversaries<G, D> {
    /// Before the first step.
    pub fn new(generator: G, discriminator: D) -> Self {
        Self {
            generator,
            discriminator,
            of_generator: OPTIMIZER.init(),
            of_discriminator: OPTIMIZER.init(),
        }
    }

    /// A step of the first GAN (section 9.1): D learns to tell `real` from what G makes of `z`; then G learns to make D call the same
    /// examples real. Gives D's loss and that of G.
    ///
    /// # Shapes
    /// - `real`: `[batch, values]`, `z`: `[batch, noise]`, both without automatic differentiation
    pub fn gan_step(mut self, rate: f64, real: Tensor<2>, z: Tensor<2>) -> (Self, Loss, f32) {
        let fake = self.generator.generate(Tensor::from_inner(z), None);
        let loss = discriminator_loss(
            &self.discriminator,
            Tensor::from_inner(real),
            fake.clone().detach(),
        );
        self = self.update_discriminator(rate, &loss.objective);
        let scores = self.discriminator.clone().no_grad().score(fake, None);
        let (this, g_loss) = self.update_generator(rate, cross_entropy(scores, true));
        (this, loss, g_loss)
    }

    /// A step of D in the Wasserstein GAN (section 9.3), with this weight of the gradient penalty. Gives its loss.
    ///
    /// In the book's code G's gradients of this step are computed too, and thrown away before G's own step; here they are not computed.
    pub fn critic_step(self, rate: f64, weight: f64, batch: CriticBatch) -> (Self, Loss) {
        let loss = critic_loss(&self.discriminator, batch, weight);
        (self.update_discriminator(rate, &loss.objective), loss)
    }

    /// A step of G in the Wasserstein GAN: its loss is `-mean D(G(z))`.
    ///
    /// # Shapes
    /// - `z`: `[batch, noise]`, without automatic differentiation
    pub fn generator_step(self, rate: f64, z: Tensor<2>, classes: Option<&[u8]>) -> (Self, f32) {
        let fake = self.generator.generate(Tensor::from_inner(z), classes);
        let scores = self.discriminator.clone().no_grad().score(fake, classes);
        self.update_generator(rate, scores.mean().neg())
    }

    fn update_discriminator(self, rate: f64, loss: &Tensor<1>) -> Self {
        let Self {
            discriminator,
            mut of_discriminator,
            ..
        } = self;
        let gradients = GradientsParams::from_grads(loss.backward(), &discriminator);
        Self {
            discriminator: of_discriminator.step(rate, discriminator, gradients),
            of_discriminator,
            ..self
        }
    }

    fn update_generator(self, rate: f64, loss: Tensor<1>) -> (Self, f32) {
        let Self {
            generator,
            mut of_generator,
            ..
        } = self;
        let gradients = GradientsParams::from_grads(loss.backward(), &generator);
        let value = loss.into_scalar::<f32>();
        let this = Self {
            generator: of_generator.step(rate, generator, gradients),
            of_generator,
            ..self
        };
        (this, value)
    }
}
