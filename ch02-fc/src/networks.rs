//! The five networks of the chapter, smallest first.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor};
use common::train::Network;

/// A straight line, or a straight boundary: y = xW + b (section 2.1; 2.3 with two inputs and two classes).
#[derive(Module, Debug)]
pub struct LinearModel {
    linear: Linear,
}

impl LinearModel {
    /// `inputs` numbers in, `outputs` numbers out.
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        let linear = LinearConfig::new(inputs, outputs).init(device);
        Self { linear }
    }
}

impl Network for LinearModel {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear.forward(x) // [B, C]
    }
}

/// Two linear layers with nothing between them (section 2.2): (xW + b)V + c = x(WV) + (bV + c), a straight line again.
#[derive(Module, Debug)]
pub struct TwoLinear {
    hidden: Linear,
    output: Linear,
}

impl TwoLinear {
    /// 1 -> `hidden` -> 1.
    pub fn new(hidden: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(1, hidden).init(device),
            output: LinearConfig::new(hidden, 1).init(device),
        }
    }
}

impl Network for TwoLinear {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = self.hidden.forward(x); // [B, H]
        self.output.forward(h) // [B, 1]
    }
}

/// One hidden layer with a tanh (section 2.2): the smallest network that can bend.
#[derive(Module, Debug)]
pub struct TanhRegressor {
    hidden: Linear,
    output: Linear,
}

impl TanhRegressor {
    /// 1 -> `hidden` -> tanh -> 1.
    pub fn new(hidden: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(1, hidden).init(device),
            output: LinearConfig::new(hidden, 1).init(device),
        }
    }
}

impl Network for TanhRegressor {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = tanh(self.hidden.forward(x)); // [B, H]
        self.output.forward(h) // [B, 1]
    }
}

/// The classifier of sections 2.3 to 2.5: 2 -> 30 -> tanh -> 30 -> tanh -> 2 logits, 1,082 parameters.
#[derive(Module, Debug)]
pub struct MoonsMlp {
    first: Linear,
    second: Linear,
    output: Linear,
}

impl MoonsMlp {
    /// Hidden units per layer.
    pub const HIDDEN: usize = 30;

    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(2, Self::HIDDEN).init(device),
            second: LinearConfig::new(Self::HIDDEN, Self::HIDDEN).init(device),
            output: LinearConfig::new(Self::HIDDEN, 2).init(device),
        }
    }
}

impl Network for MoonsMlp {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let h = tanh(self.first.forward(x)); // [B, H]
        let h = tanh(self.second.forward(h)); // [B, H]
        self.output.forward(h) // [B, C]
    }
}
