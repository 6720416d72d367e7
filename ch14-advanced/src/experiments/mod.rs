//! 14.1 to 14.8.

mod deep;
mod density;
mod plain;
mod trainings;
mod zebra;

use common::experiment::{Chapter, Experiment};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 14,
        name: "ch14-advanced",
        title: "Advanced building blocks",
        headline: "14.5",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

const ZEBRA: &str = "a zebra (or drawn stripes)";
const DATA: &str = "CIFAR-10";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "14.1",
            title: "Max pooling a zebra",
            data: ZEBRA,
            claim: "Max pooling breaks fine stripes into jagged blocks.",
            takes: ["2 s", "2 s"],
            run: zebra::aliased,
        },
        Experiment {
            id: "14.2",
            title: "A regular network",
            data: DATA,
            claim: "Six convolutions classify 74.35 % of the photos correctly.",
            takes: ["60 s", "15 min"],
            run: plain::regular,
        },
        Experiment {
            id: "14.3",
            title: "Sensitivity to shifts",
            data: DATA,
            claim: "A shift by a few pixels changes the probability of the true class widely (34.84 to 99.48 %).",
            takes: ["60 s", "15 min"],
            run: plain::shifts,
        },
        Experiment {
            id: "14.4",
            title: "An anti-aliased zebra",
            data: ZEBRA,
            claim: "With a blur before sampling the stripes stay smooth.",
            takes: ["2 s", "2 s"],
            run: zebra::smooth,
        },
        Experiment {
            id: "14.5",
            title: "An anti-aliased network",
            data: DATA,
            claim: "Anti-aliased pooling is more accurate and far less sensitive to shifts.",
            takes: ["2 min", "35 min"],
            run: plain::anti_aliased,
        },
        Experiment {
            id: "14.6",
            title: "Residual blocks and ReZero",
            data: DATA,
            claim: "28 residual blocks are far more accurate than six layers; ReZero converges faster than plain blocks.",
            takes: ["3 min", "2 h"],
            run: deep::residual_nets,
        },
        Experiment {
            id: "14.7",
            title: "Mix rates",
            data: "none",
            claim: "Beta(a, a) with a below 1 has the shape of a U: most pictures are hardly mixed.",
            takes: ["1 s", "1 s"],
            run: density::densities,
        },
        Experiment {
            id: "14.8",
            title: "MixUp",
            data: DATA,
            claim: "ReZero trained on mixed pictures is the most accurate of all (88.12 %).",
            takes: ["3 min", "2 h"],
            run: deep::mixup,
        },
    ]
}
