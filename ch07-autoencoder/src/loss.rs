//! The loss of a network that answers at each step (section 7.5.1), and the network with it.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use common::data::Batch;
use common::train::cross_entropy;

use crate::auto_regressive::AutoRegressive;

/// Softmax cross-entropy, mean over the batch and sum over the steps: the book's `CrossEntLossTime`.
///
/// # Shapes
/// - `logits`: [B, T, V]
/// - `targets`: [B, T]
/// - output: \[1\]
pub fn cross_entropy_over_time(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    let [_, steps, _] = logits.dims();
    // All rows have the same weight, 1 / (B T), in the mean over both.
    cross_entropy(logits.flatten(0, 1), targets.flatten(0, 1)) * steps as f64
}

/// An [`AutoRegressive`] network that is trained to predict the next character.
#[derive(Module, Debug)]
pub struct NextCharacter {
    /// The network.
    pub network: AutoRegressive,
}

impl NextCharacter {
    /// Trains `network`.
    pub fn new(network: AutoRegressive) -> Self {
        Self { network }
    }

    fn run(&self, batch: Batch<Tensor<2, Int>, Tensor<2, Int>>) -> ClassificationOutput {
        let logits = self.network.forward(batch.inputs); // [B, T, V]
        let loss = cross_entropy_over_time(logits.clone(), batch.targets.clone());
        ClassificationOutput::new(loss, logits.flatten(0, 1), batch.targets.flatten(0, 1))
    }
}

impl TrainStep for NextCharacter {
    type Input = Batch<Tensor<2, Int>, Tensor<2, Int>>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<ClassificationOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for NextCharacter {
    type Input = Batch<Tensor<2, Int>, Tensor<2, Int>>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> ClassificationOutput {
        self.run(batch)
    }
}
