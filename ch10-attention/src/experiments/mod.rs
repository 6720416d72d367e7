//! 10.1 to 10.6.

mod compare;
mod look;
mod mask;
mod trainings;

use common::experiment::{Chapter, Experiment};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 10,
        name: "ch10-attention",
        title: "Attention mechanisms",
        headline: "10.5",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

const DATA: &str = "bags of MNIST digits";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "10.1",
            title: "The largest digit, all pixels at once",
            data: DATA,
            claim: "A fully connected network finds the largest of three digits, but not well (0.921).",
            takes: ["10 s", "40 s"],
            run: compare::baseline,
        },
        Experiment {
            id: "10.2",
            title: "Attention without a context",
            data: DATA,
            claim: "A network per digit and learned weights are far better, with fewer parameters (0.972).",
            takes: ["20 s", "80 s"],
            run: compare::simple,
        },
        Experiment {
            id: "10.3",
            title: "What gets the weight",
            data: DATA,
            claim: "Most of the weight goes to the largest digit of a bag.",
            takes: ["10 s", "40 s"],
            run: look::weights,
        },
        Experiment {
            id: "10.4",
            title: "Masks",
            data: "none",
            claim: "A mask tells items from padding; what it hides gets no weight.",
            takes: ["1 s", "1 s"],
            run: mask::mask,
        },
        Experiment {
            id: "10.5",
            title: "Attention with a context, three scores",
            data: DATA,
            claim: "Dot, general and additive scores end alike (0.967), with 10.2 and far above 10.1.",
            takes: ["40 s", "3 min"],
            run: compare::scores,
        },
        Experiment {
            id: "10.6",
            title: "Bags of one to five digits",
            data: DATA,
            claim: "A network trained on bags of three reads bags of other sizes without further training.",
            takes: ["10 s", "40 s"],
            run: look::variable,
        },
    ]
}
