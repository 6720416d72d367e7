//! Weight sharing inside a fully connected network (section 4.1). Images come in as [B, 1, 28, 28].

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use common::data::{Batches, Images};
use common::kernels::tanh;
use common::nn::{Linear, LinearConfig};
use common::train::{Network, cross_entropy};

/// Pixels of a digit.
const PIXELS: usize = 28 * 28;
/// Digits.
const CLASSES: usize = 10;
/// Units of a hidden layer.
const HIDDEN: usize = 256;

/// Three hidden layers with weights of their own: 335,114 parameters.
#[derive(Module, Debug)]
pub struct Mlp {
    first: Linear,
    second: Linear,
    third: Linear,
    output: Linear,
}

impl Mlp {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(PIXELS, HIDDEN).init(device),
            second: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            third: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, CLASSES).init(device),
        }
    }
}

impl Network for Mlp {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = images.flatten::<2>(1, 3); // [B, 784]
        let h = tanh(self.first.forward(x)); // [B, 256]
        let h = tanh(self.second.forward(h)); // [B, 256]
        let h = tanh(self.third.forward(h)); // [B, 256]
        self.output.forward(h) // [B, C]
    }
}

/// The same with one layer in place of the second and the third: 269,322 parameters.
///
/// The layer is used twice, so its weights get gradients from both uses, which add up: with h' = f(W h) and h'' = f(W h'), dL/dW is
/// that of the inner W plus that of the outer.
#[derive(Module, Debug)]
pub struct SharedMlp {
    first: Linear,
    shared: Linear,
    output: Linear,
}

impl SharedMlp {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(PIXELS, HIDDEN).init(device),
            shared: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, CLASSES).init(device),
        }
    }

    /// The network without sharing that computes the same: two layers with copies of the shared weights.
    pub fn untied(&self) -> Mlp {
        Mlp {
            first: self.first.clone(),
            second: self.shared.clone(),
            third: Linear {
                weight: Param::from_tensor(self.shared.weight.val().detach()),
                bias: self
                    .shared
                    .bias
                    .as_ref()
                    .map(|b| Param::from_tensor(b.val().detach())),
            },
            output: self.output.clone(),
        }
    }

    /// Gradients of a batch's loss with respect to the shared matrix W, each [256, 256]: of W itself, and of its inner and its outer
    /// use, from the network that has a copy of W for each. None if the device computes no gradients.
    pub fn gradients(
        &self,
        data: &Images,
        indices: &[usize],
        device: &Device,
    ) -> Option<[Tensor<2>; 3]> {
        let device = device.clone().autodiff();
        let batch = data.batch(indices, 0, &device);
        let loss = |logits| cross_entropy(logits, batch.targets.clone());
        let shared = self.clone().train().fork(&device);
        let of_shared = loss(shared.forward(batch.inputs.clone())).backward();
        let untied = self.untied().train().fork(&device);
        let of_uses = loss(untied.forward(batch.inputs.clone())).backward();
        Some([
            shared.shared.weight.val().grad(&of_shared)?,
            untied.second.weight.val().grad(&of_uses)?,
            untied.third.weight.val().grad(&of_uses)?,
        ])
    }
}

impl Network for SharedMlp {
    type Input = Tensor<4>;

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = images.flatten::<2>(1, 3); // [B, 784]
        let mut h = tanh(self.first.forward(x)); // [B, 256]
        for _ in 0..2 {
            h = tanh(self.shared.forward(h)); // [B, 256]
        }
        self.output.forward(h) // [B, C]
    }
}
