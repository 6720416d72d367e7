//! 13.1 to 13.7.

mod photos;

use common::experiment::{Chapter, Experiment};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 13,
        name: "ch13-transfer",
        title: "Transfer learning",
        headline: "13.5",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

const PHOTOS: &str = "cats and dogs";

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
    ]
}
