//! The experiments of chapter 1, by number.

mod calculus;
mod dataset;
mod speed;
mod tensors;

use common::experiment::{Chapter, Experiment};

/// Chapter 1 for the command line.
pub fn chapter() -> Chapter {
    Chapter {
        number: 1,
        name: "ch01-tensors",
        title: "The mechanics of learning",
        headline: "1.6",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "1.1",
            title: "Tensor basics",
            data: "none",
            claim: "Scalars, vectors, matrices and beyond are one thing: numbers with a shape, a type and a device.",
            takes: ["1 s", "1 s"],
            run: tensors::basics,
        },
        Experiment {
            id: "1.2",
            title: "Matrix products on CPU and accelerator",
            data: "none",
            claim: "A GPU multiplies large matrices much faster than the processor.",
            takes: ["10 s", "1 min"],
            run: speed::products,
        },
        Experiment {
            id: "1.3",
            title: "Moving nested containers",
            data: "none",
            claim: "One call moves every tensor in lists, tuples and maps to a device.",
            takes: ["1 s", "1 s"],
            run: tensors::moving,
        },
        Experiment {
            id: "1.4",
            title: "A function and its derivative",
            data: "none",
            claim: "The derivative of (x - 2)^2 is zero where the function is smallest.",
            takes: ["1 s", "1 s"],
            run: calculus::derivative,
        },
        Experiment {
            id: "1.5",
            title: "Automatic differentiation at a point",
            data: "none",
            claim: "At x = -3.5 the function is 30.25 and its gradient -11.",
            takes: ["1 s", "1 s"],
            run: calculus::autodiff,
        },
        Experiment {
            id: "1.6",
            title: "Gradient descent by hand",
            data: "none",
            claim: "Small steps against the gradient lead to the minimum, x = 2.0000.",
            takes: ["1 s", "1 s"],
            run: calculus::by_hand,
        },
        Experiment {
            id: "1.7",
            title: "The same with an optimizer object",
            data: "none",
            claim: "A parameter and SGD reach x = 2.0000 in 60 iterations.",
            takes: ["1 s", "1 s"],
            run: calculus::with_optimizer,
        },
        Experiment {
            id: "1.8",
            title: "A data set and a random split",
            data: "MNIST, 70,000 digits",
            claim: "Any data is a length and a way to get item i; 80 % and 20 % of 70,000 are 56,000 and 14,000.",
            takes: ["1 s", "1 s"],
            run: dataset::flat_mnist,
        },
    ]
}
