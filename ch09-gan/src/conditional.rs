//! Players that are told a class (section 9.5).

use burn::module::Module;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use common::kernels::{embedding, linear};
use common::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};

use crate::layers::{FcBlock, LeakyRelu};
use crate::players::{Discriminator, Generator};
use crate::tangent::{Dual, Tangent};

/// The book's `ConditionalWrapper`: mixes an embedding of the class into the input of a network.
///
/// With d values going in: `LN(act(W F([x, e(class)]) + b))`, e an embedding of d values, F an [`FcBlock`] from 2 d values to d.
/// Adds 51,200 parameters to the generator of digits and 1,856,512 to their discriminator.
#[derive(Module, Debug)]
pub struct Conditional<N: Module> {
    embedding: Embedding,
    mix: FcBlock,
    combine: Linear,
    norm: LayerNorm,
    /// The network whose input is mixed.
    pub network: N,
    classes: usize,
}

impl<N: Module> Conditional<N> {
    /// Wraps a network that takes `values` values.
    pub fn new(network: N, values: usize, classes: usize, device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(classes, values).init(device),
            mix: FcBlock::new(2 * values, values, device),
            combine: LinearConfig::new(values, values).init(device),
            norm: LayerNormConfig::new(values).init(device),
            network,
            classes,
        }
    }

    /// What the embedding of each example's class adds in the first layer, a random class where none are given: `[batch, values]`.
    ///
    /// F's linear layer is `x W_x + e W_e`. There are few classes, so the second product is computed once for each of them and looked up.
    fn added(&self, batch: usize, classes: Option<&[u8]>, weight: Tensor<2>) -> Tensor<2> {
        let classes: Tensor<1, Int> = match classes {
            Some(classes) => {
                let classes: Vec<i32> = classes.iter().map(|c| i32::from(*c)).collect();
                Tensor::from_data(TensorData::new(classes, [batch]), &weight.device())
            }
            None => {
                let any = Distribution::Uniform(0.0, self.classes as f64);
                Tensor::random([batch], any, &weight.device())
            }
        };
        let table = linear(self.embedding.weight.val(), weight, None); // [classes, values]
        embedding(table, classes, None)
    }

    /// The input with the class mixed in.
    ///
    /// # Shapes
    /// - `x` and output: `[batch, values]`
    fn mixed(&self, x: Tensor<2>, classes: Option<&[u8]>) -> Tensor<2> {
        let [batch, values] = x.dims();
        let weight = self.mix.linear.weight.val(); // [2 values, values]
        let bias = self.mix.linear.bias.as_ref().map(|bias| bias.val());
        let e = self.added(batch, classes, weight.clone().narrow(0, values, values));
        let x = linear(x, weight.narrow(0, 0, values), bias) + e; // [B, values]
        let x = self.mix.norm.forward(LeakyRelu.forward(x));
        self.norm
            .forward(LeakyRelu.forward(self.combine.forward(x)))
    }

    /// The same with the derivative along `x.tangent`; the class does not change along it.
    fn mixed_with_tangent(&self, x: Dual<2>, classes: Option<&[u8]>) -> Dual<2> {
        let [batch, values] = x.value.dims();
        let weight = self.mix.linear.weight.val(); // [2 values, values]
        let bias = self.mix.linear.bias.as_ref().map(|bias| bias.val());
        let e = self.added(batch, classes, weight.clone().narrow(0, values, values));
        let weight = weight.narrow(0, 0, values);
        let x = Dual {
            value: linear(x.value, weight.clone(), bias) + e, // [B, values]
            tangent: linear(x.tangent, weight, None),
        };
        let x = LeakyRelu.forward_with_tangent(x);
        let x = self.mix.norm.forward_with_tangent(x);
        let x = self.combine.forward_with_tangent(x);
        self.norm
            .forward_with_tangent(LeakyRelu.forward_with_tangent(x))
    }
}

impl<G: Generator> Generator for Conditional<G> {
    fn noise_size(&self) -> usize {
        self.network.noise_size()
    }

    fn generate(&self, z: Tensor<2>, classes: Option<&[u8]>) -> Tensor<2> {
        self.network.generate(self.mixed(z, classes), classes)
    }
}

impl<D: Discriminator> Discriminator for Conditional<D> {
    fn score(&self, x: Tensor<2>, classes: Option<&[u8]>) -> Tensor<2> {
        self.network.score(self.mixed(x, classes), classes)
    }

    fn score_with_tangent(&self, x: Dual<2>, classes: Option<&[u8]>) -> Dual<2> {
        let x = self.mixed_with_tangent(x, classes);
        self.network.score_with_tangent(x, classes)
    }
}
