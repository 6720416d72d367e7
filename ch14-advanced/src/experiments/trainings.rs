//! The trainings of the chapter. Those of the same name, data and recipe are the same training: the second experiment that wants one
//! takes it over.

use std::sync::Arc;

use burn::tensor::Tensor;
use common::Result;
use common::data::{Crops, Split};
use common::experiment::Run;
use common::train::{Classifier, Fitted, History, Network, Observed, Recipe, Schedule};

use crate::blur::Filter;
use crate::mixup::{MixUp, MixUpClassifier};
use crate::networks::{Cnn, SIDE};
use crate::residual::{ResidualNet, Style};

/// Photos per update in the book.
const BATCH: usize = 128;
/// The mix rate is drawn from Beta(0.25, 0.25).
pub(super) const ALPHA: f32 = 0.25;

/// How much is trained at `quick`: the deep networks take twenty times as long per photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Plain,
    Deep,
}

impl Size {
    /// Training photos, test photos, epochs, photos per update. Deep networks learn little in a few hundred updates, so at `quick` they
    /// and the one they are compared with have four times as many per epoch.
    fn of(self, run: &Run) -> [usize; 4] {
        let quick = match self {
            Size::Plain => [10_000, 2_000, 20, BATCH],
            Size::Deep => [3_000, 1_000, 8, BATCH / 4],
        };
        run.pick([256, 100, 2, BATCH], quick, [50_000, 10_000, 30, BATCH])
    }
}

/// A curve of the chapter.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) history: History,
}

impl Curve {
    /// Test accuracy after the last epoch.
    pub(super) fn last(&self) -> f64 {
        self.history.last("test accuracy")
    }

    /// Mean test accuracy over the epochs.
    pub(super) fn mean(&self) -> f64 {
        let all = self.history.column("test accuracy");
        all.iter().sum::<f64>() / all.len() as f64
    }
}

/// Photos: random squares of 24x24 pixels for training, those in the middle for testing.
pub(super) fn photos(run: &mut Run, size: Size) -> Result<Split<Crops>> {
    let [train, test, ..] = size.of(run);
    let photos = run.cifar10(train, test)?;
    Ok(Split {
        train: Crops::random(photos.train, SIDE),
        test: Crops::center(photos.test, SIDE),
        source: photos.source,
    })
}

/// AdamW with a cosine schedule that ends with the last epoch (the book's T_max of 30 at its 30 epochs).
fn recipe(run: &Run, size: Size) -> Recipe {
    let [.., epochs, batch] = size.of(run);
    let recipe = run.recipe(&Recipe::adamw(batch, epochs));
    let epochs = recipe.epochs;
    recipe.with_schedule(Schedule::Cosine { epochs, min: 0.0 })
}

/// The network with max pooling, trained: 14.2.
pub(super) fn regular(
    run: &mut Run,
    data: &Split<Crops>,
    size: Size,
) -> Result<Fitted<Classifier<Cnn>>> {
    let network = Cnn::regular(run.device());
    fit(run, "regular", data, size, network)
}

/// The network with anti-aliased pooling, trained: 14.5.
pub(super) fn anti_aliased(
    run: &mut Run,
    data: &Split<Crops>,
    filter: Filter,
) -> Result<Fitted<Classifier<Cnn>>> {
    let network = Cnn::anti_aliased(filter, run.device());
    let name = match filter {
        Filter::Binomial => "anti-aliased",
        Filter::AsPrinted => "anti-aliased as printed",
    };
    fit(run, name, data, Size::Plain, network)
}

fn fit<N: Network<Input = Tensor<4>>>(
    run: &mut Run,
    name: &str,
    data: &Split<Crops>,
    size: Size,
    network: N,
) -> Result<Fitted<Classifier<N>>> {
    let recipe = recipe(run, size);
    run.fit(name, Classifier::new(network), data, &recipe)
}

/// The book's network of 28 blocks; a small one at `smoke`.
fn residual_net(run: &Run, style: Style) -> ResidualNet {
    let [filters, depth] = run.pick([4, 1], [16, 7], [16, 7]);
    ResidualNet::with_size(style, filters, depth, run.device())
}

/// A name for the alpha of each block.
fn alphas_of(network: &ResidualNet) -> Vec<String> {
    let blocks = 1..=network.alphas().len();
    blocks.map(|block| format!("alpha {block}")).collect()
}

/// A deep network, trained: 14.6. ReZero's history has the alphas.
pub(super) fn residual(run: &mut Run, data: &Split<Crops>, style: Style) -> Result<Curve> {
    let name = match style {
        Style::Plain => "ResNet",
        Style::ReZero => "ReZero",
    };
    let (recipe, network) = (recipe(run, Size::Deep), residual_net(run, style));
    let observed = Observed {
        names: alphas_of(&network),
        values: Box::new(|model: &Classifier<ResidualNet>| model.network.alphas()),
    };
    let train = Arc::new(data.train.clone());
    let test = [("test", Arc::new(data.test.clone()))];
    let model = Classifier::new(network);
    let history = run.fit_observed(name, model, &train, &test, &recipe, observed)?;
    let history = history.history;
    Ok(Curve { name, history })
}

/// A fresh ReZero network, trained on mixed photos: 14.8.
pub(super) fn mixed(run: &mut Run, data: &Split<Crops>) -> Result<Curve> {
    let name = "ReZero, MixUp";
    let (recipe, network) = (recipe(run, Size::Deep), residual_net(run, Style::ReZero));
    let train = Arc::new(MixUp::mixed(data.train.clone(), ALPHA)?);
    let test = [("test", Arc::new(MixUp::plain(data.test.clone())))];
    let model = MixUpClassifier { network };
    let history = run.fit_on(name, model, &train, &test, &recipe)?.history;
    Ok(Curve { name, history })
}
