//! 12.1 to 12.8.

mod compare;
mod look;
mod sines;
mod trainings;

use common::experiment::{Chapter, Experiment};

pub(crate) use trainings::{Net, VOCABULARY, attention, transformer};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 12,
        name: "ch12-transformer",
        title: "Network design alternatives to RNNs",
        headline: "12.5",
        experiments: experiments(),
        actions: vec![crate::classify::action()],
    }
}

const DATA: &str = "AG News";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "12.1",
            title: "A GRU",
            data: DATA,
            claim: "Three bidirectional GRU layers tell four classes of news apart (0.917).",
            takes: ["1 min", "5 min"],
            run: compare::gru,
        },
        Experiment {
            id: "12.2",
            title: "The mean of the words",
            data: DATA,
            claim: "Averaging is about three times faster and about 1 % worse.",
            takes: ["2 min", "6 min"],
            run: compare::average,
        },
        Experiment {
            id: "12.3",
            title: "The words weighted by attention",
            data: DATA,
            claim: "Attention closes most of the gap (peak 0.919) but over-fits.",
            takes: ["2 min", "7 min"],
            run: compare::attention,
        },
        Experiment {
            id: "12.4",
            title: "A CNN over time",
            data: DATA,
            claim: "Convolutions are faster than the GRU and do not over-fit.",
            takes: ["2 min", "10 min"],
            run: compare::cnn,
        },
        Experiment {
            id: "12.5",
            title: "The mean of the words and their positions",
            data: DATA,
            claim: "Positions cost seconds, raise the accuracy and stop the decline.",
            takes: ["2 min", "7 min"],
            run: compare::average_position,
        },
        Experiment {
            id: "12.6",
            title: "Attention and positions",
            data: DATA,
            claim: "Positions help the attention too.",
            takes: ["1 min", "2 min"],
            run: compare::attention_position,
        },
        Experiment {
            id: "12.7",
            title: "A transformer",
            data: DATA,
            claim: "The transformer is the slowest, still rising after the last epoch, and among the best.",
            takes: ["3 min", "20 min"],
            run: compare::transformer,
        },
        Experiment {
            id: "12.8",
            title: "How sines tell places apart",
            data: "none",
            claim: "One sine repeats itself; several of different frequencies give each place a code of its own.",
            takes: ["1 s", "1 s"],
            run: sines::sines,
        },
    ]
}
