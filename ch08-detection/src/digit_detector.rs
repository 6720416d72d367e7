//! The detector of digits (8.5), and how it is trained.

use burn::backend::ExecutionError;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use burn::train::metric::{Adaptor, LossInput, LossMetric};
use burn::train::{
    InferenceStep, ItemLazy, LearnerModel, SupervisedTraining, TrainOutput, TrainStep,
};
use ch06_design::layers::ConvNorm;
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};
use common::train::StepOutput;

use crate::anchors::AnchorGenerator;
use crate::canvas::CanvasBatch;
use crate::faster_rcnn::{Backbone, FasterRcnn, Settings};
use crate::networks::cnn_layer;

/// Ten digits and the background.
pub const CLASSES: usize = 11;
/// Channels of the feature map.
const CHANNELS: usize = 128;

/// Three layers with 32 filters, pooling, three with 64, pooling, two with 128: a feature map of a quarter of the size.
#[derive(Module, Debug)]
pub struct DigitBackbone {
    stages: Vec<Vec<ConvNorm>>,
    pool: MaxPool2d,
}

impl DigitBackbone {
    /// A fresh network.
    pub fn new(device: &Device) -> Self {
        let stage = |(inputs, filters, depth): (usize, usize, usize)| {
            let layer = |i| cnn_layer([if i == 0 { inputs } else { filters }, filters], device);
            (0..depth).map(layer).collect()
        };
        Self {
            stages: [(1, 32, 3), (32, 64, 3), (64, CHANNELS, 2)]
                .into_iter()
                .map(stage)
                .collect(),
            pool: MaxPool2dConfig::new([2, 2]).init(),
        }
    }
}

impl Backbone for DigitBackbone {
    fn forward(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = pictures;
        for (i, stage) in self.stages.iter().enumerate() {
            if i > 0 {
                x = self.pool.forward(x);
            }
            x = stage.iter().fold(x, |x, layer| layer.forward(x)); // [B, 32, 100, 100]; 64, 50, 50; 128, 25, 25
        }
        vec![x]
    }
}

/// A detector with one anchor of 32x32 pixels at each place, for so many classes, trained on so many regions per picture.
pub fn digit_detector(
    classes: usize,
    regions: usize,
    device: &Device,
) -> FasterRcnn<DigitBackbone> {
    let anchors = AnchorGenerator {
        sizes: vec![vec![32.0]],
        ratios: vec![1.0],
    };
    let settings = Settings {
        regions,
        ..Settings::new(&[0.5], &[0.229], anchors, 1, classes)
    };
    FasterRcnn::new(DigitBackbone::new(device), CHANNELS, settings, device)
}

/// A detector trained on canvases with the sum of its four losses.
#[derive(Module, Debug)]
pub struct DigitTraining {
    /// The detector.
    pub detector: FasterRcnn<DigitBackbone>,
}

impl DigitTraining {
    fn run(&self, batch: CanvasBatch) -> DetectionOutput {
        let device = batch.pictures.device();
        let losses = self
            .detector
            .losses(batch.pictures, &batch.objects, batch.seed);
        // The training loop stops at a loss that is no number, and says so.
        let loss = losses.map_or_else(
            |_| Tensor::full([1], f32::NAN, &device),
            |losses| losses.sum(),
        );
        DetectionOutput { loss }
    }
}

impl TrainStep for DigitTraining {
    type Input = CanvasBatch;
    type Output = DetectionOutput;

    fn step(&self, batch: CanvasBatch) -> TrainOutput<DetectionOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for DigitTraining {
    type Input = CanvasBatch;
    type Output = DetectionOutput;

    fn step(&self, batch: CanvasBatch) -> DetectionOutput {
        self.run(batch)
    }
}

/// What a step gives.
pub struct DetectionOutput {
    /// \[1\]
    loss: Tensor<1>,
}

impl ItemLazy for DetectionOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
        })
    }
}

impl Adaptor<LossInput> for DetectionOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl StepOutput for DetectionOutput {
    fn loss(&self) -> Tensor<1> {
        self.loss.clone()
    }

    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        None
    }

    fn duplicate(&self) -> Self {
        Self {
            loss: self.loss.clone(),
        }
    }

    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>,
    {
        training.metrics((LossMetric::new(),))
    }
}
