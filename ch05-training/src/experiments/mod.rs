//! 5.1 to 5.15.

mod baseline;
mod compare;
mod curves;
mod optimizers;
mod schedules;
mod search;
mod trainings;

use common::experiment::{Chapter, Experiment};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 5,
        name: "ch05-training",
        title: "Modern training techniques",
        headline: "5.11",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

const DATA: &str = "Fashion-MNIST";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "5.1",
            title: "SGD at a constant rate",
            data: DATA,
            claim: "With a rate of 0.1 the accuracy on the test set jumps about and does not settle.",
            takes: ["20 s", "2 min"],
            run: baseline::sgd,
        },
        Experiment {
            id: "5.2",
            title: "Exponential decay",
            data: DATA,
            claim: "A rate that decays from 0.1 to 0.0001 takes the jumps away.",
            takes: ["40 s", "4 min"],
            run: schedules::exponential,
        },
        Experiment {
            id: "5.3",
            title: "Step drops",
            data: DATA,
            claim: "A rate that drops to 0.3 of itself four times does so too, and stays high for longer.",
            takes: ["40 s", "4 min"],
            run: schedules::step,
        },
        Experiment {
            id: "5.4",
            title: "Cosine annealing",
            data: DATA,
            claim: "A rate that swings down, up and down again reaches the best accuracies, and is unstable where it is high.",
            takes: ["40 s", "4 min"],
            run: schedules::cosine,
        },
        Experiment {
            id: "5.5",
            title: "A look at over-fitting",
            data: DATA,
            claim: "The loss on the training set keeps falling while that on the test set stays where it is.",
            takes: ["20 s", "2 min"],
            run: baseline::overfitting,
        },
        Experiment {
            id: "5.6",
            title: "Lower the rate on a plateau",
            data: DATA,
            claim: "A rate that drops when the loss on a validation set stops falling: the data decide when.",
            takes: ["40 s", "4 min"],
            run: schedules::plateau,
        },
        Experiment {
            id: "5.7",
            title: "The schedules compared",
            data: DATA,
            claim: "Every schedule ends above the constant rate; those that decay end smooth.",
            takes: ["90 s", "10 min"],
            run: compare::schedules,
        },
        Experiment {
            id: "5.8",
            title: "Momentum",
            data: DATA,
            claim: "SGD that remembers its direction gets there sooner than plain SGD.",
            takes: ["40 s", "4 min"],
            run: optimizers::momentum,
        },
        Experiment {
            id: "5.9",
            title: "Nesterov momentum",
            data: DATA,
            claim: "Looking ahead along the momentum does as well.",
            takes: ["1 min", "6 min"],
            run: optimizers::nesterov,
        },
        Experiment {
            id: "5.10",
            title: "AdamW",
            data: DATA,
            claim: "A step size for each parameter, no rate to be found by hand, and the best accuracy or near it.",
            takes: ["90 s", "8 min"],
            run: optimizers::adamw,
        },
        Experiment {
            id: "5.11",
            title: "Optimizers with a schedule",
            data: DATA,
            claim: "Cosine annealing adds accuracy to AdamW and to Nesterov momentum.",
            takes: ["90 s", "8 min"],
            run: compare::optimizers_with_schedule,
        },
        Experiment {
            id: "5.12",
            title: "Gradient clipping",
            data: DATA,
            claim: "Cutting each gradient at ±5 does no harm; it is there for recurrent networks.",
            takes: ["40 s", "4 min"],
            run: compare::clipping,
        },
        Experiment {
            id: "5.13",
            title: "A search on a toy function",
            data: "none",
            claim: "A hundred trials find a minimum of |(x - 3)(y + 2)|: x near 3 or y near -2.",
            takes: ["1 s", "1 s"],
            run: search::toy,
        },
        Experiment {
            id: "5.14",
            title: "A search for the network",
            data: DATA,
            claim: "Ten trials over width, depth and learning rate; the learning rate matters most.",
            takes: ["2 min", "10 min"],
            run: search::network,
        },
        Experiment {
            id: "5.15",
            title: "A search that gives bad trials up",
            data: DATA,
            claim: "Twenty trials over wider ranges; bad ones are stopped after a few epochs.",
            takes: ["2 min", "15 min"],
            run: search::pruned,
        },
    ]
}
