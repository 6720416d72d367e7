//! 7.1 to 7.9.

mod characters;
mod flat;
mod pictures;
mod trainings;
mod wide;
mod writing;

use common::experiment::{Chapter, Experiment};

use crate::sample;

/// The name of the network of 7.7 to 7.9 in figures and files.
pub(crate) const CHARACTERS: &str = "character GRU";
/// The file beside it that has the symbols it knows.
pub(crate) const ALPHABET: &str = "alphabet.txt";
/// How the book's samples begin.
pub(crate) const PROMPT: &str = "emilia:";

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 7,
        name: "ch07-autoencoder",
        title: "Autoencoding and self-supervision",
        headline: "7.3",
        experiments: experiments(),
        actions: vec![sample::action()],
    }
}

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "7.1",
            title: "PCA as an autoencoder",
            data: "MNIST",
            claim: "Two linear values tell 0 and 1 from the other digits and give blurred images back (test loss 0.0578).",
            takes: ["5 s", "5 s"],
            run: flat::pca,
        },
        Experiment {
            id: "7.2",
            title: "A non-linear PCA",
            data: "MNIST",
            claim: "With tanh and a decoder of its own the error is a little lower (0.0565).",
            takes: ["5 s", "5 s"],
            run: flat::non_linear,
        },
        Experiment {
            id: "7.3",
            title: "A deep autoencoder",
            data: "MNIST",
            claim: "With four layers on each side the same two values form clusters of digits (0.0370).",
            takes: ["40 s", "40 s"],
            run: flat::deep,
        },
        Experiment {
            id: "7.4",
            title: "A big autoencoder, and noise",
            data: "MNIST",
            claim: "An over-complete code reconstructs best (0.0063), noise too; a code of two values makes other digits of noisy ones.",
            takes: ["90 s", "9 min"],
            run: wide::big,
        },
        Experiment {
            id: "7.5",
            title: "A denoising autoencoder",
            data: "MNIST",
            claim: "Trained to give clean images for noisy ones, the same network takes noise away (0.0103).",
            takes: ["160 s", "15 min"],
            run: wide::denoising,
        },
        Experiment {
            id: "7.6",
            title: "Denoising by dropout",
            data: "MNIST",
            claim: "Trained with dropout, it is not misled by Gaussian noise, which it has never seen, nor by missing pixels.",
            takes: ["160 s", "15 min"],
            run: wide::dropout,
        },
        Experiment {
            id: "7.7",
            title: "A character RNN",
            data: "Shakespeare",
            claim: "Its loss falls from 879 to 391 in 100 epochs, from 3.5 to 1.6 nats per character.",
            takes: ["2 min", "2 min"],
            run: characters::predict,
        },
        Experiment {
            id: "7.8",
            title: "Writing at three temperatures",
            data: "Shakespeare",
            claim: "At 1.0 it writes half-words, at 0.75 more real words, at 0.05 the same again and again.",
            takes: ["130 s", "130 s"],
            run: writing::temperatures,
        },
        Experiment {
            id: "7.9",
            title: "Writing faster",
            data: "Shakespeare",
            claim: "With the states kept, a step per character gives the same text in less than a second.",
            takes: ["130 s", "130 s"],
            run: writing::fast_sampling,
        },
    ]
}
