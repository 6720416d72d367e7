//! 13.1 to 13.7.

mod few;
mod filters;
mod news;
mod photos;
mod pretrained;
mod texts;

use common::experiment::{Chapter, Experiment};

pub(crate) use news::{ENCODER, FROZEN, encoder_named};
pub(crate) use photos::{CLASSES, CLASSIFIER};

use crate::{classify, classify_text};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 13,
        name: "ch13-transfer",
        title: "Transfer learning",
        headline: "13.5",
        experiments: experiments(),
        actions: vec![classify::action(), classify_text::action()],
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
            id: "13.2",
            title: "First-layer filters",
            data: PHOTOS,
            claim: "Pretrained filters show clean edges and colours, those from scratch are noise; fine-tuning hardly changes them.",
            takes: ["3 min", "2 h"],
            run: photos::first_filters,
        },
        Experiment {
            id: "13.3",
            title: "Warm start",
            data: PHOTOS,
            claim: "After one epoch a warm start is better (0.95) than a network from scratch ever gets (0.90).",
            takes: ["3 min", "2 h"],
            run: photos::warm,
        },
        Experiment {
            id: "13.4",
            title: "Frozen weights",
            data: PHOTOS,
            claim: "With only the last layer trained: 0.94, and very steady.",
            takes: ["3 min", "2 h"],
            run: photos::frozen,
        },
        Experiment {
            id: "13.5",
            title: "256 labels",
            data: PHOTOS,
            claim: "With few labels scratch guesses (0.50), a warm start is unsteady (0.83), frozen features are best (0.91).",
            takes: ["4 min", "15 min"],
            run: few::few_labels,
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
