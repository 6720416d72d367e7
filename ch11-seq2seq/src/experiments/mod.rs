//! 11.1 and 11.2.

mod training;
mod translations;

use common::experiment::{Chapter, Experiment};

pub(crate) use training::MODEL;

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 11,
        name: "ch11-seq2seq",
        title: "Sequence to sequence",
        headline: "11.2",
        experiments: vec![
            Experiment {
                id: "11.1",
                title: "Seq2Seq with attention",
                data: "English-French sentences",
                claim: "The loss falls from 30 to 3.2 in 20 epochs.",
                takes: ["4 min", "60 min"],
                run: training::seq2seq,
            },
            Experiment {
                id: "11.2",
                title: "Translations and what they looked at",
                data: "English-French sentences",
                claim: "Translations are acceptable, if often not the reference, and attention is roughly diagonal.",
                takes: ["4 min", "60 min"],
                run: translations::translations,
            },
        ],
        actions: vec![crate::translate::action()],
    }
}
