//! Training a network to segment: binary cross-entropy of each pixel, and how far predicted and true masks overlap (section 8.1).

use burn::backend::ExecutionError;
use burn::module::Module;
use burn::tensor::{Int, Tensor};
use burn::train::metric::{Adaptor, LossInput, LossMetric};
use burn::train::{
    InferenceStep, ItemLazy, LearnerModel, SupervisedTraining, TrainOutput, TrainStep,
};
use common::data::Batch;
use common::kernels::binary_cross_entropy_with_logits;
use common::train::StepOutput;

use crate::networks::SegmentationNetwork;

/// A network whose outputs are the logits of pixels, trained with their binary cross-entropy, mean over all pixels.
#[derive(Module, Debug)]
pub struct Segmenter<N: Module> {
    /// The network.
    pub network: N,
}

impl<N: SegmentationNetwork> Segmenter<N> {
    /// Trains `network` to segment.
    pub fn new(network: N) -> Self {
        Self { network }
    }

    fn run(&self, batch: Batch<Tensor<4>, Tensor<4>>) -> SegmentationOutput {
        let logits = self.network.forward(batch.inputs); // [B, 1, H, W]
        let loss = binary_cross_entropy_with_logits(logits.clone(), batch.targets.clone());
        let predicted = predicted(logits.detach());
        let both = predicted.clone() * batch.targets.clone();
        let overlap = Tensor::cat(vec![both.sum(), predicted.sum(), batch.targets.sum()], 0); // [3]
        SegmentationOutput { loss, overlap }
    }
}

/// 1 where the probability is at least one half, which is where the logit is at least 0.
///
/// # Shapes
/// - `logits` and output: `[batch, 1, height, width]`
pub fn predicted(logits: Tensor<4>) -> Tensor<4> {
    logits.greater_equal_scalar(0.0).float()
}

impl<N: SegmentationNetwork> TrainStep for Segmenter<N> {
    type Input = Batch<Tensor<4>, Tensor<4>>;
    type Output = SegmentationOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<SegmentationOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl<N: SegmentationNetwork> InferenceStep for Segmenter<N> {
    type Input = Batch<Tensor<4>, Tensor<4>>;
    type Output = SegmentationOutput;

    fn step(&self, batch: Self::Input) -> SegmentationOutput {
        self.run(batch)
    }
}

/// What a step gives.
pub struct SegmentationOutput {
    /// \[1\]
    loss: Tensor<1>,
    /// Pixels both predicted and true, predicted, and true: \[3\].
    overlap: Tensor<1>,
}

impl ItemLazy for SegmentationOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
            overlap: self.overlap.without_autodiff(),
        })
    }
}

impl Adaptor<LossInput> for SegmentationOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl StepOutput for SegmentationOutput {
    fn loss(&self) -> Tensor<1> {
        self.loss.clone()
    }

    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        None
    }

    fn overlap(&self) -> Option<Tensor<1>> {
        Some(self.overlap.clone())
    }

    fn duplicate(&self) -> Self {
        Self {
            loss: self.loss.clone(),
            overlap: self.overlap.clone(),
        }
    }

    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>,
    {
        training.metrics((LossMetric::new(),))
    }
}
