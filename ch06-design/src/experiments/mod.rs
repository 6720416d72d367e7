//! 6.1 to 6.10.

mod activations;
mod deep;
mod memory;
mod plain;
mod trainings;

use common::experiment::{Chapter, Experiment};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 6,
        name: "ch06-design",
        title: "Common design building blocks",
        headline: "6.9",
        experiments: experiments(),
        actions: Vec::new(),
    }
}

const DATA: &str = "Fashion-MNIST";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "6.1",
            title: "Baselines with tanh",
            data: DATA,
            claim: "A convolutional network is better than a fully connected one (0.938 against 0.900 in the book).",
            takes: ["20 s", "5 min"],
            run: plain::tanh,
        },
        Experiment {
            id: "6.2",
            title: "Activations and their derivatives",
            data: "none",
            claim: "Away from 0 the derivatives of tanh and sigmoid vanish; those of the rectifiers do not.",
            takes: ["1 s", "1 s"],
            run: activations::curves,
        },
        Experiment {
            id: "6.3",
            title: "Leaky rectifiers",
            data: DATA,
            claim: "A leaky rectifier in place of tanh: fewer epochs to a better accuracy.",
            takes: ["40 s", "9 min"],
            run: plain::leaky_relu,
        },
        Experiment {
            id: "6.4",
            title: "Batch norm",
            data: DATA,
            claim: "With batch norm networks learn faster and get further than without.",
            takes: ["1 min", "10 min"],
            run: plain::batch_norm,
        },
        Experiment {
            id: "6.5",
            title: "Layer norm",
            data: DATA,
            claim: "Layer norm helps the convolutional network less than batch norm does, and the fully connected one not at all.",
            takes: ["80 s", "15 min"],
            run: plain::layer_norm,
        },
        Experiment {
            id: "6.6",
            title: "Skip connections, fully connected",
            data: DATA,
            claim: "No clear gain over batch norm: blocks of two layers have nothing to skip.",
            takes: ["20 s", "3 min"],
            run: deep::skip_fully_connected,
        },
        Experiment {
            id: "6.7",
            title: "Skip connections, convolutional",
            data: DATA,
            claim: "Skip connections between convolutions are better than batch norm alone.",
            takes: ["1 min", "20 min"],
            run: deep::skip_convolutional,
        },
        Experiment {
            id: "6.8",
            title: "1x1 convolutions",
            data: DATA,
            claim: "Channels mixed by 1x1 convolutions add accuracy for few weights.",
            takes: ["50 s", "15 min"],
            run: deep::mixing,
        },
        Experiment {
            id: "6.9",
            title: "A residual network",
            data: DATA,
            claim: "Residual blocks give the best network of the chapter, ahead from the first epochs on.",
            takes: ["3 min", "60 min"],
            run: deep::residual,
        },
        Experiment {
            id: "6.10",
            title: "RNN and LSTM",
            data: "surnames",
            claim: "An LSTM learns the languages of names faster and better than an RNN, and soon over-fits.",
            takes: ["50 s", "5 min"],
            run: memory::rnn_and_lstm,
        },
    ]
}
