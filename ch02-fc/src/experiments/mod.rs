//! The experiments of chapter 2, by number.

mod batches;
mod moons;
mod regression;

use common::experiment::{Chapter, Experiment};

/// Chapter 2 for the command line.
pub fn chapter() -> Chapter {
    Chapter {
        number: 2,
        name: "ch02-fc",
        title: "Fully connected networks",
        headline: "2.9",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "2.1",
            title: "Linear regression on a wavy line",
            data: "noisy sine, 200 points",
            claim: "A linear model finds the trend of the data and can't bend to its waves.",
            takes: ["1 s", "1 s"],
            run: regression::linear,
        },
        Experiment {
            id: "2.2",
            title: "Two linear layers, no activation",
            data: "noisy sine, 200 points",
            claim: "Two linear layers in a row are still a straight line.",
            takes: ["1 s", "1 s"],
            run: regression::two_linear,
        },
        Experiment {
            id: "2.3",
            title: "The shapes of tanh and sigmoid",
            data: "none",
            claim: "tanh squashes to (-1, 1), the sigmoid to (0, 1); the identity does nothing.",
            takes: ["1 s", "1 s"],
            run: regression::activations,
        },
        Experiment {
            id: "2.4",
            title: "One hidden tanh layer",
            data: "noisy sine, 200 points",
            claim: "With one tanh layer the curve follows the bumps of the data.",
            takes: ["15 s", "15 s"],
            run: regression::tanh_layer,
        },
        Experiment {
            id: "2.5",
            title: "Two moons, linear classifier",
            data: "two moons, 200 points",
            claim: "A linear classifier draws a straight boundary that cuts through both moons.",
            takes: ["1 s", "1 s"],
            run: moons::linear,
        },
        Experiment {
            id: "2.6",
            title: "Two moons, MLP",
            data: "two moons, 200 points",
            claim: "Two tanh layers bend the boundary around the moons and separate them.",
            takes: ["10 s", "10 s"],
            run: moons::mlp,
        },
        Experiment {
            id: "2.7",
            title: "Noisy moons: scores and a checkpoint",
            data: "two moons, 8,000 / 200 points",
            claim: "Accuracy is about 0.84 after the first epoch; a model loaded from its checkpoint predicts as the trained one.",
            takes: ["10 s", "10 s"],
            run: batches::one_example,
        },
        Experiment {
            id: "2.8",
            title: "Batch gradient descent: all data in one batch",
            data: "two moons, 8,000 / 200 points",
            claim: "Five updates in five epochs are fast and teach nothing.",
            takes: ["10 s", "10 s"],
            run: batches::whole_set,
        },
        Experiment {
            id: "2.9",
            title: "Mini-batches of 32",
            data: "two moons, 8,000 / 200 points",
            claim: "Nearly the accuracy of single examples in a fraction of the time.",
            takes: ["10 s", "10 s"],
            run: batches::mini_batches,
        },
    ]
}
