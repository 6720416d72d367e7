//! What a network is trained for: [`Classifier`] and [`Regressor`] add a loss to a network that has only a `forward`.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Int, Tensor};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, ItemLazy, LearnerModel, RegressionOutput,
    SupervisedTraining, TrainOutput, TrainStep,
};

use crate::data::Batch;

pub use crate::kernels::{cross_entropy, mean_squared_error};

/// A module with one input and one output of shape [batch, outputs].
pub trait Network: Module + ModuleDisplay + std::fmt::Display + 'static {
    /// The tensor it takes, as `Tensor<4>` for images [batch, channel, height, width].
    type Input: Send + 'static;

    /// The network's output for a batch.
    fn forward(&self, input: Self::Input) -> Tensor<2>;
}

/// A network whose outputs are logits, trained with [`cross_entropy`].
#[derive(Module, Debug)]
pub struct Classifier<N: Module> {
    /// The network.
    pub network: N,
}

impl<N: Module> Classifier<N> {
    /// Trains `network` to classify.
    pub fn new(network: N) -> Self {
        Self { network }
    }
}

impl<N: Network> Classifier<N> {
    fn run(&self, batch: Batch<N::Input, Tensor<1, Int>>) -> ClassificationOutput {
        let logits = self.network.forward(batch.inputs); // [batch, classes]
        let loss = cross_entropy(logits.clone(), batch.targets.clone());
        ClassificationOutput::new(loss, logits, batch.targets)
    }
}

impl<N: Network> TrainStep for Classifier<N> {
    type Input = Batch<N::Input, Tensor<1, Int>>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<ClassificationOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl<N: Network> InferenceStep for Classifier<N> {
    type Input = Batch<N::Input, Tensor<1, Int>>;
    type Output = ClassificationOutput;

    fn step(&self, batch: Self::Input) -> ClassificationOutput {
        self.run(batch)
    }
}

/// A network whose outputs are numbers, trained with [`mean_squared_error`].
#[derive(Module, Debug)]
pub struct Regressor<N: Module> {
    /// The network.
    pub network: N,
}

impl<N: Module> Regressor<N> {
    /// Trains `network` to predict numbers.
    pub fn new(network: N) -> Self {
        Self { network }
    }
}

impl<N: Network> Regressor<N> {
    fn run(&self, batch: Batch<N::Input, Tensor<2>>) -> RegressionOutput {
        let output = self.network.forward(batch.inputs); // [batch, outputs]
        let loss = mean_squared_error(output.clone(), batch.targets.clone());
        RegressionOutput::new(loss, output, batch.targets)
    }
}

impl<N: Network> TrainStep for Regressor<N> {
    type Input = Batch<N::Input, Tensor<2>>;
    type Output = RegressionOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<RegressionOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl<N: Network> InferenceStep for Regressor<N> {
    type Input = Batch<N::Input, Tensor<2>>;
    type Output = RegressionOutput;

    fn step(&self, batch: Self::Input) -> RegressionOutput {
        self.run(batch)
    }
}

/// What the training loop reads from the output of a step.
pub trait StepOutput: ItemLazy + 'static {
    /// The loss, shape \[1\].
    fn loss(&self) -> Tensor<1>;

    /// Logits [batch, classes] and true classes \[batch\], where classes are predicted.
    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)>;

    /// Pixels both predicted and true, predicted, and true, shape \[3\], where masks are predicted.
    fn overlap(&self) -> Option<Tensor<1>> {
        None
    }

    /// A second handle on the same tensors, for Burn's dashboard.
    fn duplicate(&self) -> Self;

    /// Registers what Burn's dashboard shows of such outputs.
    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>;
}

impl StepOutput for ClassificationOutput {
    fn loss(&self) -> Tensor<1> {
        self.loss.clone()
    }

    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        Some((self.output.clone(), self.targets.clone()))
    }

    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>,
    {
        training.metrics((AccuracyMetric::new(), LossMetric::new()))
    }

    fn duplicate(&self) -> Self {
        Self::new(self.loss.clone(), self.output.clone(), self.targets.clone())
    }
}

impl StepOutput for RegressionOutput {
    fn loss(&self) -> Tensor<1> {
        self.loss.clone()
    }

    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        None
    }

    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>,
    {
        training.metrics((LossMetric::new(),))
    }

    fn duplicate(&self) -> Self {
        Self::new(self.loss.clone(), self.output.clone(), self.targets.clone())
    }
}

/// A module that [`fit`](super::fit) can train on batches of type `B`: [`Classifier`], [`Regressor`], or what a chapter adds.
pub trait Trainable<B>:
    LearnerModel
    + TrainStep<Input = B, Output = Self::StepOutput>
    + InferenceStep<Input = B, Output = Self::StepOutput>
{
    /// What a step gives.
    type StepOutput: StepOutput;
}

impl<B, O, M> Trainable<B> for M
where
    O: StepOutput,
    M: LearnerModel + TrainStep<Input = B, Output = O> + InferenceStep<Input = B, Output = O>,
{
    type StepOutput = O;
}
