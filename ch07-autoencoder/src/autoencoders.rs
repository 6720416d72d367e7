//! Deep autoencoders, with a narrow code and with a wide one, and what they are kept from copying by (sections 7.2 to 7.4).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use common::train::Network;

use crate::AdditiveGausNoise;
use crate::auto_encode::{Autoencoder, PIXELS};
use crate::noise::STANDARD_DEVIATION;
use crate::pca::FLAT;

/// Values of all layers of the over-complete networks: twice as many as there are pixels.
const WIDE: usize = 2 * PIXELS;
/// The share of pixels, and of hidden values, that the network of 7.6 trains without.
const DROPPED: [f64; 2] = [0.2, 0.5];

/// What a network in training sees of its input. The target is the clean image in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Corruption {
    Nothing,
    /// Gaussian noise on the pixels.
    Gaussian,
    /// Dropout of pixels and of hidden values.
    Dropout,
}

/// ReLU(BN(x W + b)), and dropout where there is one.
#[derive(Module, Debug)]
struct Hidden {
    linear: Linear,
    norm: BatchNorm,
    dropout: Option<Dropout>,
}

impl Hidden {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = self.norm.forward_leaky_relu(self.linear.forward(x), 0.0);
        drop_out(&self.dropout, h)
    }
}

fn drop_out(dropout: &Option<Dropout>, x: Tensor<2>) -> Tensor<2> {
    match dropout {
        Some(dropout) => dropout.forward(x),
        None => x,
    }
}

/// Three hidden layers on each side of the code, whose layer has no activation.
///
/// Parameters: 928,256 with a code of two values, 17,240,944 with one of 1,568.
#[derive(Module, Debug)]
pub struct DeepAutoencoder {
    noise: Option<AdditiveGausNoise>,
    dropout: Option<Dropout>,
    encoder: Vec<Hidden>,
    code: Linear,
    decoder: Vec<Hidden>,
    output: Linear,
}

impl DeepAutoencoder {
    /// 784 - 392 - 261 - 196 - 2 and back: 7.3.
    pub fn narrow(device: &Device) -> Self {
        let sizes = [PIXELS / 2, PIXELS / 3, PIXELS / 4, FLAT];
        Self::new(sizes, Corruption::Nothing, device)
    }

    /// 784 - 1568 - 1568 - 1568 - 1568 and back, an over-complete code: 7.4.
    pub fn wide(device: &Device) -> Self {
        Self::new([WIDE; 4], Corruption::Nothing, device)
    }

    /// The wide network with Gaussian noise on its input in training: 7.5.
    pub fn denoising(device: &Device) -> Self {
        Self::new([WIDE; 4], Corruption::Gaussian, device)
    }

    /// The wide network with dropout on its input and after each hidden layer: 7.6.
    pub fn dropout(device: &Device) -> Self {
        Self::new([WIDE; 4], Corruption::Dropout, device)
    }

    fn new([first, second, third, code]: [usize; 4], seen: Corruption, device: &Device) -> Self {
        let drop = |share| (seen == Corruption::Dropout).then(|| DropoutConfig::new(share).init());
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let hidden = |inputs, outputs| Hidden {
            linear: linear(inputs, outputs),
            norm: BatchNormConfig::new(outputs).init(device),
            dropout: drop(DROPPED[1]),
        };
        let gaussian = seen == Corruption::Gaussian;
        Self {
            noise: gaussian.then(|| AdditiveGausNoise::new(STANDARD_DEVIATION)),
            dropout: drop(DROPPED[0]),
            encoder: vec![
                hidden(PIXELS, first),
                hidden(first, second),
                hidden(second, third),
            ],
            code: linear(third, code),
            decoder: vec![
                hidden(code, third),
                hidden(third, second),
                hidden(second, first),
            ],
            output: linear(first, PIXELS),
        }
    }
}

impl Autoencoder for DeepAutoencoder {
    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images.flatten::<2>(1, 3); // [B, 784]
        if let Some(noise) = &self.noise {
            x = noise.forward(x);
        }
        x = drop_out(&self.dropout, x);
        let h = self.encoder.iter().fold(x, |x, layer| layer.forward(x)); // [B, 196 or 1568]
        self.code.forward(h) // [B, D]
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        let h = self.decoder.iter().fold(codes, |x, layer| layer.forward(x)); // [B, 392 or 1568]
        self.output.forward(h) // [B, 784]
    }
}

impl Network for DeepAutoencoder {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.decode(self.encode(images))
    }
}
