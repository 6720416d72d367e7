//! Principal component analysis as an autoencoder (section 7.1), and the book's step from there to networks.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use common::data::Batch;
use common::kernels::tanh;
use common::nn::{Linear, LinearConfig};
use common::train::{Network, mean_squared_error};

use crate::TransposeLinear;
use crate::auto_encode::{Autoencoder, PIXELS};

/// Values of a code that can be drawn.
pub const FLAT: usize = 2;
/// The weight of the penalty.
const PENALTY: f64 = 0.1;

/// PCA as an autoencoder: z = x W, x' = z W^T with W of orthonormal columns (section 7.1.2). 1,568 parameters.
///
/// The best such W spans the same plane as the first principal components, of data that are not centred here.
#[derive(Module, Debug)]
pub struct Pca {
    encoder: Linear,
    decoder: TransposeLinear,
}

impl Pca {
    /// A fresh network, whose columns are orthonormal.
    pub fn new(device: &Device) -> Self {
        let encoder = LinearConfig::new(PIXELS, FLAT)
            .with_bias(false)
            .with_initializer(Initializer::Orthogonal { gain: 1.0 });
        Self {
            encoder: encoder.init(device),
            decoder: TransposeLinear::new(),
        }
    }

    /// How far the columns of W are from orthonormal: the mean square of W^T W - I, \[1\].
    pub fn penalty(&self) -> Tensor<1> {
        let w = self.encoder.weight.val();
        let gram = w.clone().transpose().matmul(w); // [D, D]
        let [codes, _] = gram.dims();
        let identity = Tensor::eye(codes, &gram.device());
        mean_squared_error(gram, identity)
    }
}

impl Autoencoder for Pca {
    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.encoder.forward(images.flatten::<2>(1, 3)) // [B, 2]
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        self.decoder.forward(codes, &self.encoder) // [B, 784]
    }
}

impl Network for Pca {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.decode(self.encode(images))
    }
}

/// [`Pca`] with its loss: mean squared error + 0.1 penalty.
#[derive(Module, Debug)]
pub struct PcaRegressor {
    /// The network.
    pub network: Pca,
}

impl PcaRegressor {
    /// Trains `network`.
    pub fn new(network: Pca) -> Self {
        Self { network }
    }

    fn run(&self, batch: Batch<Tensor<4>, Tensor<2>>) -> RegressionOutput {
        let output = self.network.forward(batch.inputs); // [B, 784]
        let error = mean_squared_error(output.clone(), batch.targets.clone());
        let loss = error + self.network.penalty() * PENALTY;
        RegressionOutput::new(loss, output, batch.targets)
    }
}

impl TrainStep for PcaRegressor {
    type Input = Batch<Tensor<4>, Tensor<2>>;
    type Output = RegressionOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<RegressionOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for PcaRegressor {
    type Input = Batch<Tensor<4>, Tensor<2>>;
    type Output = RegressionOutput;

    fn step(&self, batch: Self::Input) -> RegressionOutput {
        self.run(batch)
    }
}

/// A non-linear PCA: z = tanh(x W + b), and a decoder with a matrix of its own (section 7.1.5). 3,922 parameters.
#[derive(Module, Debug)]
pub struct NonLinearPca {
    encoder: Linear,
    decoder: Linear,
}

impl NonLinearPca {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        Self {
            encoder: LinearConfig::new(PIXELS, FLAT).init(device),
            decoder: LinearConfig::new(FLAT, PIXELS).init(device),
        }
    }
}

impl Autoencoder for NonLinearPca {
    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        tanh(self.encoder.forward(images.flatten::<2>(1, 3))) // [B, 2]
    }

    fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        self.decoder.forward(codes) // [B, 784]
    }
}

impl Network for NonLinearPca {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.decode(self.encode(images))
    }
}
