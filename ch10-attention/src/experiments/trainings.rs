//! The trainings of the chapter. Those of the same name are the same training: the second experiment that wants one takes it over.

use burn::tensor::{Device, Tensor};
use common::Result;
use common::data::Split;
use common::experiment::Run;
use common::train::{Classifier, Fitted, History, Network, Recipe};

use crate::bags::DigitBags;
use crate::networks::{Baseline, ContextAttention, HIDDEN, SimpleAttention};
use crate::scores::{AdditiveAttentionScore, AttentionScore, DotScore, GeneralScore};

/// Digits of a bag.
pub(super) const SIZE: usize = 3;
/// Bags per update.
const BATCH: usize = 128;

/// A network of the chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    Baseline,
    Simple,
    Dot,
    General,
    Additive,
}

impl Net {
    /// The name in figures and files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Net::Baseline => "all pixels",
            Net::Simple => "simple attention",
            Net::Dot => "dot score",
            Net::General => "general score",
            Net::Additive => "additive score",
        }
    }

    /// Where the book's curve ends.
    pub(super) fn book(self) -> f64 {
        match self {
            Net::Baseline => 0.921,
            Net::Simple => 0.972,
            Net::Dot | Net::General | Net::Additive => 0.967,
        }
    }
}

/// Bags of three digits for training and for testing.
pub(super) fn bags(run: &mut Run) -> Result<Split<DigitBags>> {
    let (train, test) = run.pick((600, 200), (60_000, 10_000), (60_000, 10_000));
    let digits = run.mnist(train, test)?;
    let (train, test) = run.pick((256, 128), (15_000, 5_000), (60_000, 10_000));
    let of = |images, bags| DigitBags::fixed(images, run.limited(bags), SIZE, run.seed());
    Ok(Split {
        train: of(&digits.train, train)?,
        test: of(&digits.test, test)?,
        source: digits.source,
    })
}

/// The history of this network's training.
pub(super) fn train(run: &mut Run, data: &Split<DigitBags>, net: Net) -> Result<History> {
    let device = run.device().clone();
    match net {
        Net::Baseline => {
            let network = Baseline::new(SIZE, &device);
            Ok(fit(run, data, net, network)?.history)
        }
        Net::Simple => Ok(simple(run, data)?.history),
        Net::Dot => Ok(dot(run, data)?.history),
        Net::General => {
            let score = GeneralScore::new(HIDDEN, &device);
            Ok(context(run, data, net, score, &device)?.history)
        }
        Net::Additive => {
            let score = AdditiveAttentionScore::new(HIDDEN, &device);
            Ok(context(run, data, net, score, &device)?.history)
        }
    }
}

/// Attention without a context, trained.
pub(super) fn simple(
    run: &mut Run,
    data: &Split<DigitBags>,
) -> Result<Fitted<Classifier<SimpleAttention>>> {
    let network = SimpleAttention::new(run.device());
    fit(run, data, Net::Simple, network)
}

/// Attention with a context and the dot score, trained.
pub(super) fn dot(
    run: &mut Run,
    data: &Split<DigitBags>,
) -> Result<Fitted<Classifier<ContextAttention<DotScore>>>> {
    let device = run.device().clone();
    context(run, data, Net::Dot, DotScore, &device)
}

fn context<S: AttentionScore>(
    run: &mut Run,
    data: &Split<DigitBags>,
    net: Net,
    score: S,
    device: &Device,
) -> Result<Fitted<Classifier<ContextAttention<S>>>> {
    fit(run, data, net, ContextAttention::new(score, device))
}

fn fit<N: Network<Input = Tensor<5>>>(
    run: &mut Run,
    data: &Split<DigitBags>,
    net: Net,
    network: N,
) -> Result<Fitted<Classifier<N>>> {
    let recipe = Recipe::adamw(BATCH, run.pick(2, 10, 10));
    run.fit(net.name(), Classifier::new(network), data, &recipe)
}
