//! MixUp: training on weighted averages of two pictures (section 14.3; Zhang et al., 2018).

use burn::backend::ExecutionError;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use burn::train::metric::{Adaptor, LossInput, LossMetric};
use burn::train::{
    InferenceStep, ItemLazy, LearnerModel, SupervisedTraining, TrainOutput, TrainStep,
};
use common::data::{Batch, Batches, Crops};
use common::seed::mix;
use common::train::{Network, StepOutput, cross_entropy};
use common::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

/// The label of each picture, and of the one that it is mixed with.
#[derive(Clone, Debug)]
pub struct MixedLabels {
    /// y, \[B\]
    pub labels: Tensor<1, Int>,
    /// y of the other pictures \[B\], and lambda, the share of the first; none where nothing is mixed.
    pub others: Option<(Tensor<1, Int>, f32)>,
}

/// Batches of mixed pictures, the collate step of the book: `lambda x + (1 - lambda) x[pi]` with lambda drawn once per batch from
/// Beta(alpha, alpha), and pi a random order of the batch.
#[derive(Clone, Debug)]
pub struct MixUp {
    data: Crops,
    beta: Option<Beta<f32>>,
}

impl MixUp {
    /// Mixed batches of these pictures. The book recommends an alpha from 0.1 to 0.4.
    ///
    /// # Errors
    /// [`Error::Usage`] for an alpha that is not a positive number.
    pub fn mixed(data: Crops, alpha: f32) -> Result<Self> {
        let bad = |_| Error::Usage(format!("an alpha of {alpha}: it has to be positive"));
        let beta = Some(Beta::new(alpha, alpha).map_err(bad)?);
        Ok(Self { data, beta })
    }

    /// The pictures as they are, for testing.
    pub fn plain(data: Crops) -> Self {
        Self { data, beta: None }
    }

    /// The pictures.
    pub fn data(&self) -> &Crops {
        &self.data
    }
}

impl Batches for MixUp {
    /// [B, channels, side, side], and labels
    type Batch = Batch<Tensor<4>, MixedLabels>;

    fn len(&self) -> usize {
        self.data.len()
    }

    /// Order and share are drawn from the epoch and the pictures of the batch.
    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch {
        let plain = self.data.batch(indices, epoch_seed, device);
        let (inputs, labels) = (plain.inputs, plain.targets);
        let Some(beta) = self.beta else {
            return Batch {
                inputs,
                targets: MixedLabels {
                    labels,
                    others: None,
                },
            };
        };
        let seed = indices.iter().fold(epoch_seed, |s, &i| mix(s, i as u64));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let lambda = beta.sample(&mut rng).clamp(0.0, 1.0);
        let mut order: Vec<i32> = (0..indices.len() as i32).collect();
        order.shuffle(&mut rng);
        let order = Tensor::<1, Int>::from_data(order.as_slice(), device);
        let shuffled = inputs.clone().select(0, order.clone()); // [B, C, H, W]
        let others = labels.clone().select(0, order); // [B]
        Batch {
            inputs: inputs * lambda + shuffled * (1.0 - lambda),
            targets: MixedLabels {
                labels,
                others: Some((others, lambda)),
            },
        }
    }
}

/// `lambda l(z, y) + (1 - lambda) l(z, y')` with the cross-entropy l; l alone where nothing was mixed (the book's `MixupLoss`).
///
/// # Shapes
/// - `logits`: `[batch, classes]`
/// - output: \[1\]
pub fn mixup_loss(logits: Tensor<2>, labels: &MixedLabels) -> Tensor<1> {
    let loss = |labels: &Tensor<1, Int>| cross_entropy(logits.clone(), labels.clone());
    match &labels.others {
        Some((others, lambda)) => loss(&labels.labels) * *lambda + loss(others) * (1.0 - lambda),
        None => loss(&labels.labels),
    }
}

/// A network that is trained with [`mixup_loss`].
#[derive(Module, Debug)]
pub struct MixUpClassifier<N: Module> {
    /// The network.
    pub network: N,
}

impl<N: Network<Input = Tensor<4>>> MixUpClassifier<N> {
    fn run(&self, batch: Batch<Tensor<4>, MixedLabels>) -> MixUpOutput {
        let logits = self.network.forward(batch.inputs); // [B, classes]
        let loss = mixup_loss(logits.clone(), &batch.targets);
        let plain = batch.targets.others.is_none();
        MixUpOutput {
            loss,
            predictions: plain.then_some((logits, batch.targets.labels)),
        }
    }
}

impl<N: Network<Input = Tensor<4>>> TrainStep for MixUpClassifier<N> {
    type Input = Batch<Tensor<4>, MixedLabels>;
    type Output = MixUpOutput;

    fn step(&self, batch: Self::Input) -> TrainOutput<MixUpOutput> {
        let output = self.run(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl<N: Network<Input = Tensor<4>>> InferenceStep for MixUpClassifier<N> {
    type Input = Batch<Tensor<4>, MixedLabels>;
    type Output = MixUpOutput;

    fn step(&self, batch: Self::Input) -> MixUpOutput {
        self.run(batch)
    }
}

/// What a step gives. A mixed picture has no class, so there is no accuracy on a mixed batch.
pub struct MixUpOutput {
    /// \[1\]
    loss: Tensor<1>,
    /// Logits [B, classes] and labels \[B\] of a batch that is not mixed.
    predictions: Option<(Tensor<2>, Tensor<1, Int>)>,
}

impl ItemLazy for MixUpOutput {
    fn sync(self) -> std::result::Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        let plain = |(logits, labels): (Tensor<2>, _)| (logits.without_autodiff(), labels);
        Ok(Self {
            loss: self.loss.without_autodiff(),
            predictions: self.predictions.map(plain),
        })
    }
}

impl Adaptor<LossInput> for MixUpOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl StepOutput for MixUpOutput {
    fn loss(&self) -> Tensor<1> {
        self.loss.clone()
    }

    fn predictions(&self) -> Option<(Tensor<2>, Tensor<1, Int>)> {
        self.predictions.clone()
    }

    fn duplicate(&self) -> Self {
        Self {
            loss: self.loss.clone(),
            predictions: self.predictions.clone(),
        }
    }

    fn dashboard_metrics<M>(training: SupervisedTraining<M>) -> SupervisedTraining<M>
    where
        M: LearnerModel + TrainStep<Output = Self> + InferenceStep<Output = Self>,
    {
        training.metrics((LossMetric::new(),))
    }
}
