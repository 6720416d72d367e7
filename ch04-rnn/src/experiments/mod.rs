//! 4.1 to 4.6.

mod batches;
mod deeper;
mod embedding;
mod sharing;
mod single;

use burn::tensor::Device;
use common::data::{LabeledSequences, Split};
use common::experiment::{Chapter, Experiment, Run};
use common::train::{Classifier, Fitted, Recipe, Score};
use common::{Result, plot};

use crate::classify;
use crate::networks::NameClassifier;

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 4,
        name: "ch04-rnn",
        title: "Recurrent neural networks",
        headline: "4.6",
        experiments: experiments(),
        actions: vec![classify::action()],
    }
}

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "4.1",
            title: "Weight sharing in a fully connected network",
            data: "MNIST",
            claim: "Two layers that share one weight matrix learn as well as two matrices: both end at about 0.83.",
            takes: ["20 s", "3 min"],
            run: sharing::mlp,
        },
        Experiment {
            id: "4.2",
            title: "Embedding, and an RNN by hand",
            data: "none",
            claim: "An embedding gives equal tokens equal vectors; an RNN is the same two linear layers at each step.",
            takes: ["1 s", "1 s"],
            run: embedding::demo,
        },
        Experiment {
            id: "4.3",
            title: "An RNN that guesses the language of a name",
            data: "surnames",
            claim: "Trained on one name at a time, the RNN is right for 0.80 of the names after five epochs.",
            takes: ["1 min", "3 min"],
            run: single::one_name,
        },
        Experiment {
            id: "4.4",
            title: "Padded batches of 16 names",
            data: "surnames",
            claim: "An epoch takes a fraction of the time; at the same learning rate it takes more of them (0.74 after 20).",
            takes: ["1 min", "5 min"],
            run: batches::sixteen_names,
        },
        Experiment {
            id: "4.5",
            title: "Three layers",
            data: "surnames",
            claim: "Three layers are no better than one (0.727 against 0.74).",
            takes: ["1 min", "5 min"],
            run: deeper::three_layers,
        },
        Experiment {
            id: "4.6",
            title: "Three layers in both directions",
            data: "surnames",
            claim: "Reading names in both directions is clearly the best of the batched networks (0.77).",
            takes: ["2 min", "13 min"],
            run: deeper::both_directions,
        },
    ]
}

/// Names for testing in the book.
const BOOK_TEST: usize = 300;

/// The surnames as the preset asks for.
fn surnames(run: &mut Run) -> Result<Split<LabeledSequences>> {
    // The 300 test names of the book tell accuracies apart that differ by 0.05 or so; `quick` does not train on all, and tests on more.
    let (train, test) = run.pick((300, 100), (5_000, 2_000), (usize::MAX, BOOK_TEST));
    run.surnames(train, test)
}

/// The networks of 4.3 to 4.6.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One layer, one name per update.
    Single,
    /// One layer, as the others in batches of 16.
    Batched,
    /// Three layers.
    Deep,
    /// Three layers in both directions.
    Both,
}

/// The learning rates that the networks are trained with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// 0.001, that of all of the book's curves.
    Book,
    /// Ten times that, which the book's author asked for in 4.5 and 4.6 and his helper ignored.
    Asked,
}

impl Kind {
    /// Its name in all experiments, so that one trained before is used again.
    pub(crate) fn name(self, rate: Rate) -> String {
        let name = match self {
            Kind::Single => "RNN, single names",
            Kind::Batched => "RNN",
            Kind::Deep => "3 layers",
            Kind::Both => "3 layers, both directions",
        };
        match rate {
            Rate::Book => name.to_string(),
            Rate::Asked => format!("{name}, 10x rate"),
        }
    }

    /// A fresh network.
    pub(crate) fn model(self, device: &Device) -> Classifier<NameClassifier> {
        let (layers, bidirectional) = match self {
            Kind::Single | Kind::Batched => (1, false),
            Kind::Deep => (3, false),
            Kind::Both => (3, true),
        };
        Classifier::new(NameClassifier::new(layers, bidirectional, device))
    }

    /// For plain SGD a quarter of the updates at four times the rate goes nearly as far: `quick` takes a quarter of the names, 0.004 in place of
    /// the book's rate, and as many epochs as the book.
    fn recipe(self, rate: Rate, run: &Run) -> Recipe {
        let single = self == Kind::Single;
        let epochs = match rate {
            _ if single => run.pick(1, 5, 5),
            Rate::Book => run.pick(1, 20, 20),
            Rate::Asked => run.pick(1, 8, 20),
        };
        let rate = match rate {
            Rate::Book => run.pick(0.001, 0.004, 0.001),
            Rate::Asked => run.pick(0.01, 0.04, 0.01),
        };
        Recipe::sgd(rate, if single { 1 } else { 16 }, epochs).with_scores(&[Score::Accuracy])
    }
}

type Trained = Fitted<Classifier<NameClassifier>>;

/// Trains a network, or takes over the one that another experiment has trained.
fn train(run: &mut Run, data: &Split<LabeledSequences>, kind: Kind, rate: Rate) -> Result<Trained> {
    let recipe = kind.recipe(rate, run);
    let model = kind.model(run.device());
    run.fit(&kind.name(rate), model, data, &recipe)
}

/// Draws test accuracy against a column of the histories.
fn draw_accuracy(
    run: &mut Run,
    name: &str,
    title: &str,
    caption: &str,
    lines: &[(&str, &Trained)],
) -> Result<()> {
    let (column, label) = match name {
        "time" => ("total time", "seconds of training"),
        _ => ("epoch", "epoch"),
    };
    let mut chart = plot::lines(title, label, "test accuracy");
    for (line, fit) in lines {
        let (x, y) = (
            fit.history.column(column),
            fit.history.column("test accuracy"),
        );
        chart = chart.line(line, &x, &y);
    }
    run.figure(name, caption, &chart.build())
}
