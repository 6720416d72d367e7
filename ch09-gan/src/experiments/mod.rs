//! 9.1 to 9.10.

mod conditional;
mod digits;
mod faces;
mod figures;
mod gaussians;

use common::experiment::{Chapter, Experiment};

use crate::sample;

pub(crate) use conditional::{CONDITIONAL, conditional_generator};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 9,
        name: "ch09-gan",
        title: "Generative adversarial networks",
        headline: "9.6",
        experiments: experiments(),
        actions: vec![sample::action()],
    }
}

const MNIST: &str = "MNIST";
const GAUSSIANS: &str = "generated";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "9.1",
            title: "A first GAN",
            data: MNIST,
            claim: "Readable digits, but some far more often than others; D's loss stays near 0, G's well above it.",
            takes: ["1 min", "2 min"],
            run: digits::first,
        },
        Experiment {
            id: "9.2",
            title: "Mode collapse",
            data: GAUSSIANS,
            claim: "Of nine Gaussians the GAN finds one or two.",
            takes: ["1 min", "3 min"],
            run: gaussians::collapse,
        },
        Experiment {
            id: "9.3",
            title: "Wasserstein GAN against mode collapse",
            data: GAUSSIANS,
            claim: "With Wasserstein loss and gradient penalty it finds all nine, if some weakly.",
            takes: ["3 min", "6 min"],
            run: gaussians::wasserstein,
        },
        Experiment {
            id: "9.4",
            title: "Wasserstein GAN on digits",
            data: MNIST,
            claim: "All ten digits in many styles; G's loss goes on improving while D's flattens.",
            takes: ["3 min", "20 min"],
            run: digits::wasserstein,
        },
        Experiment {
            id: "9.5",
            title: "Convolutional Wasserstein GAN",
            data: MNIST,
            claim: "With convolutions the digits are clearly better.",
            takes: ["4 min", "1 h"],
            run: digits::convolutional,
        },
        Experiment {
            id: "9.6",
            title: "Conditional GAN",
            data: MNIST,
            claim: "Told a digit, the generator draws it.",
            takes: ["3 min", "20 min"],
            run: conditional::conditional,
        },
        Experiment {
            id: "9.7",
            title: "Controlled generation",
            data: MNIST,
            claim: "The same noise with ten labels gives ten digits in one style.",
            takes: ["3 min", "20 min"],
            run: conditional::controlled,
        },
        Experiment {
            id: "9.8",
            title: "A generator that is there already",
            data: MNIST,
            claim: "A trained generator is put to use without training.",
            takes: ["3 min", "20 min"],
            run: faces::pretrained,
        },
        Experiment {
            id: "9.9",
            title: "Between two examples",
            data: MNIST,
            claim: "Between two rows of noise one example turns smoothly into another.",
            takes: ["3 min", "20 min"],
            run: faces::interpolation,
        },
        Experiment {
            id: "9.10",
            title: "Directions with a meaning",
            data: MNIST,
            claim: "Along the mean difference of noise with and without an attribute, the attribute changes and most else stays.",
            takes: ["3 min", "20 min"],
            run: faces::directions,
        },
    ]
}
