//! 13.1 to 13.7.

mod news;
mod photos;
mod texts;

use common::experiment::{Chapter, Experiment};

pub(crate) use news::{ENCODER, FROZEN, encoder_named};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 13,
        name: "ch13-transfer",
        title: "Transfer learning",
        headline: "13.5",
        experiments: experiments(),
        actions: vec![crate::classify_text::action()],
    }
}

const PHOTOS: &str = "cats and dogs";
const NEWS: &str = "AG News";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "13.1",
            title: "Cats and dogs from scratch",
            data: PHOTOS,
            claim: "A network that starts from random weights learns slowly and unsteadily (0.90 after ten epochs).",
            takes: ["2 min", "60 min"],
            run: photos::scratch,
        },
        Experiment {
            id: "13.6",
            title: "News: a GRU and 256 labels",
            data: NEWS,
            claim: "A GRU learns little from 256 texts (0.40).",
            takes: ["1 min", "5 min"],
            run: texts::baseline,
        },
        Experiment {
            id: "13.7",
            title: "News: a frozen text encoder and 256 labels",
            data: NEWS,
            claim: "A frozen DistilBERT is far above it (0.845), and about ten times slower.",
            takes: ["3 min", "15 min"],
            run: texts::transfer,
        },
    ]
}
