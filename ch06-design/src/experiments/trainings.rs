//! The trainings of 6.1 to 6.9. Those of the same name are the same training: the second experiment that wants one takes it over.

use std::sync::Arc;

use burn::tensor::Tensor;
use common::data::{Images, Split};
use common::experiment::Run;
use common::train::{Classifier, History, Network, Recipe};
use common::{Result, plot};

use crate::deep::{ResidualCnn, SkipCnn, SkipMlp};
use crate::layers::Style;
use crate::networks::{Cnn, Mlp};

/// Examples per update.
const BATCH: usize = 128;

/// The training images as a set to be evaluated on, which is the book's "test set".
const PRINTED: &str = "printed";

/// A network of the chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    Fc(Style),
    Cnn(Style),
    SkipFc,
    SkipCnn,
    Sharing,
    Residual,
}

/// A trained network's results.
pub(super) struct Curve {
    pub(super) net: Net,
    pub(super) history: History,
}

impl Net {
    /// The name in figures and files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Net::Fc(Style::Tanh) => "FC, tanh",
            Net::Fc(Style::LeakyRelu) => "FC, leaky ReLU",
            Net::Fc(Style::BatchNorm) => "FC, batch norm",
            Net::Fc(Style::LayerNorm) => "FC, layer norm",
            Net::Cnn(Style::Tanh) => "CNN, tanh",
            Net::Cnn(Style::LeakyRelu) => "CNN, leaky ReLU",
            Net::Cnn(Style::BatchNorm) => "CNN, batch norm",
            Net::Cnn(Style::LayerNorm) => "CNN, layer norm",
            Net::SkipFc => "FC, skips",
            Net::SkipCnn => "CNN, skips",
            Net::Sharing => "CNN, 1x1 convolutions",
            Net::Residual => "residual",
        }
    }

    /// Where the book's curve ends: on training images, since its loader takes them for the test set too.
    fn book(self) -> f64 {
        match self {
            Net::Fc(Style::Tanh) => 0.900,
            Net::Fc(Style::LeakyRelu) => 0.912,
            Net::Fc(Style::BatchNorm) => 0.923,
            Net::Fc(Style::LayerNorm) => 0.900,
            Net::Cnn(Style::Tanh) => 0.938,
            Net::Cnn(Style::LeakyRelu) => 0.968,
            Net::Cnn(Style::BatchNorm) => 0.980,
            Net::Cnn(Style::LayerNorm) => 0.972,
            Net::SkipFc => 0.914,
            Net::SkipCnn => 0.985,
            Net::Sharing => 0.983,
            Net::Residual => 0.9845,
        }
    }
}

impl Curve {
    /// The highest test accuracy of any epoch.
    pub(super) fn best(&self) -> f64 {
        let accuracy = self.history.column("test accuracy");
        accuracy.into_iter().fold(f64::NAN, f64::max)
    }

    /// The mean test accuracy of all epochs: higher for what gets there sooner.
    pub(super) fn mean(&self) -> f64 {
        let accuracy = self.history.column("test accuracy");
        accuracy.iter().sum::<f64>() / accuracy.len() as f64
    }

    /// Epochs until the test accuracy is at `level`, if it ever is.
    pub(super) fn epochs_to(&self, level: f64) -> Option<usize> {
        let accuracy = self.history.column("test accuracy");
        let reached = accuracy.iter().position(|accuracy| *accuracy >= level);
        reached.map(|epoch| epoch + 1)
    }
}

/// Trains these networks, draws them and records where each of them ends.
pub(super) fn compare(
    run: &mut Run,
    title: &str,
    caption: &str,
    nets: &[Net],
) -> Result<Vec<Curve>> {
    let (train, test) = run.pick((256, 100), (8_000, 2_000), (60_000, 10_000));
    let data = run.fashion_mnist(train, test)?;
    let trained = nets.iter().map(|net| train_one(run, &data, *net));
    let curves = trained.collect::<Result<Vec<_>>>()?;
    draw(run, "accuracy", title, caption, "test accuracy", &curves)?;
    if run.as_printed() {
        draw(
            run,
            "printed",
            &format!("{title}, as printed"),
            "Accuracy on the training images, after each epoch: what the book's loader takes for the test set.",
            &format!("{PRINTED} accuracy"),
            &curves,
        )?;
    }
    for curve in &curves {
        let (name, history) = (curve.net.name(), &curve.history);
        let last = history.last("test accuracy");
        run.metric(&format!("test accuracy, {name}"), last);
        run.metric(&format!("highest test accuracy, {name}"), curve.best());
        // Without the flag the nearest to the book's number is what was right during the last epoch.
        let (what, found) = match run.as_printed() {
            true => (
                "accuracy on the training images",
                history.last("printed accuracy"),
            ),
            false => ("train accuracy", history.last("train accuracy")),
        };
        run.metric_beside(&format!("{what}, {name}"), found, curve.net.book());
        if run.as_printed() {
            let what = format!("{what}, {name},");
            run.claim_near(&what, found, curve.net.book(), 0.02);
        }
    }
    Ok(curves)
}

fn train_one(run: &mut Run, data: &Split<Images>, net: Net) -> Result<Curve> {
    let device = run.device().clone();
    let history = match net {
        Net::Fc(style) => fit(run, data, net, Mlp::new(style, &device))?,
        Net::Cnn(style) => fit(run, data, net, Cnn::new(style, &device))?,
        Net::SkipFc => fit(run, data, net, SkipMlp::new(&device))?,
        Net::SkipCnn => fit(run, data, net, SkipCnn::new(&device))?,
        Net::Sharing => fit(run, data, net, Cnn::sharing(&device))?,
        Net::Residual => fit(run, data, net, ResidualCnn::new(&device))?,
    };
    Ok(Curve { net, history })
}

fn fit<N: Network<Input = Tensor<4>>>(
    run: &mut Run,
    data: &Split<Images>,
    net: Net,
    network: N,
) -> Result<History> {
    let recipe = Recipe::adamw(BATCH, run.pick(2, 6, 10));
    let train = Arc::new(data.train.clone());
    let mut evaluate = vec![("test", Arc::new(data.test.clone()))];
    if run.as_printed() {
        evaluate.push((PRINTED, train.clone()));
    }
    let model = Classifier::new(network);
    let fitted = run.fit_on(net.name(), model, &train, &evaluate, &recipe)?;
    Ok(fitted.history)
}

fn draw(
    run: &mut Run,
    name: &str,
    title: &str,
    caption: &str,
    column: &str,
    curves: &[Curve],
) -> Result<()> {
    let label = if name == "printed" {
        "accuracy on the training images"
    } else {
        "test accuracy"
    };
    let mut chart = plot::lines(title, "epoch", label);
    for curve in curves {
        let (x, y) = (curve.history.column("epoch"), curve.history.column(column));
        chart = chart.line(curve.net.name(), &x, &y);
    }
    run.figure(name, caption, &chart.build())
}
